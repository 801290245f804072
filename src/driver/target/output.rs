use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// Lines of stderr kept.
const KEPT_LINES: usize = 20;

/// Longest line kept, in bytes.
const LONGEST_LINE: u64 = 2_000;

/// What the line that says the address starts with.
const LISTENING: &str = "listening on ";

/// How long the rest of an ended process's output may take to be read. A grandchild may hold the stream open for ever.
const DRAIN_TIME: Duration = Duration::from_millis(200);

/// The last lines a process wrote to stderr.
#[derive(Debug, Clone, Default)]
pub(super) struct LastLines(Arc<Stream>);

#[derive(Debug, Default)]
struct Stream {
    heard: Mutex<Heard>,
    ended: Condvar,
}

/// What was read so far.
#[derive(Debug, Default)]
struct Heard {
    lines: VecDeque<String>,
    ended: bool,
}

impl LastLines {
    /// Reads a stream to its end on a thread of its own.
    pub(super) fn follow(stream: impl Read + Send + 'static) -> LastLines {
        let lines = LastLines::default();
        let kept = lines.clone();
        thread::spawn(move || {
            for_each_line(stream, |line| {
                let lines = &mut kept.heard().lines;
                if lines.len() == KEPT_LINES {
                    lines.pop_front();
                }
                lines.push_back(line.to_owned());
            });
            kept.heard().ended = true;
            kept.0.ended.notify_all();
        });
        lines
    }

    /// The lines of a process that has ended, oldest first. Blocks until they are read, a fifth of a second at most.
    pub(super) fn text(&self) -> String {
        let waited = self.0.ended.wait_timeout_while(self.heard(), DRAIN_TIME, |heard| !heard.ended);
        let (heard, _) = waited.unwrap_or_else(PoisonError::into_inner);
        heard.lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert!(lines.text().ends_with("line 99"));
        assert!(lines.text().starts_with("line 80\n"));
    }
}
