use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Lines of stderr kept.
const KEPT_LINES: usize = 20;

/// Longest line kept, in bytes.
const LONGEST_LINE: u64 = 2_000;

/// What the line that says the address starts with.
const LISTENING: &str = "listening on ";

/// The last lines a process wrote to stderr.
#[derive(Debug, Clone, Default)]
pub(super) struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    /// Reads a stream to its end on a thread of its own.
    pub(super) fn follow(stream: impl Read + Send + 'static) -> LastLines {
        let lines = LastLines::default();
        let kept = lines.clone();
        thread::spawn(move || {
            for_each_line(stream, |line| {
                let mut lines = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == KEPT_LINES {
                    lines.pop_front();
                }
                lines.push_back(line.to_owned());
            });
        });
        lines
    }

    /// The lines, oldest first.
    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Reads a stream to its end on a thread of its own and hands over the address it says it listens on.
pub(super) fn find_address(stream: impl Read + Send + 'static) -> oneshot::Receiver<String> {
    let (found, address) = oneshot::channel();
    let mut found = Some(found);
    thread::spawn(move || {
        for_each_line(stream, |line| {
            if let Some(address) = line.strip_prefix(LISTENING)
                && let Some(found) = found.take()
            {
                // Nobody waits for it any more: the start was given up.
                let _unwanted = found.send(address.trim().to_owned());
            }
        });
    });
    address
}

fn for_each_line(stream: impl Read, mut take: impl FnMut(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => take(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_address_is_found_behind_other_lines() {
        let output = b"starting\nlistening on 127.0.0.1:4711\nmore\n".as_slice();
        assert_eq!(find_address(output).await.unwrap(), "127.0.0.1:4711");
    }

    #[tokio::test]
    async fn an_output_without_an_address_ends_the_wait() {
        assert!(find_address(b"nothing\n".as_slice()).await.is_err());
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let output: String = (0..100).map(|number| format!("line {number}\n")).collect();
        let lines = LastLines::follow(std::io::Cursor::new(output));
        while !lines.text().ends_with("line 99") {
            thread::yield_now();
        }
        assert!(lines.text().starts_with("line 80\n"));
    }
}
