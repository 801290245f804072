use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Bytes kept of what a child writes to one pipe. What comes after is read, so that the child is not held up, and
/// dropped.
pub(super) const LIMIT: usize = 256 * 1024;

/// Longest line of output quoted in an error.
const QUOTED: usize = 200;

/// Reads a pipe to its end. A pipe that can't be read any more has ended.
pub(super) async fn collect(pipe: impl AsyncRead + Unpin, output: &mut Vec<u8>) {
    let mut reader = BufReader::new(pipe);
    while let Ok(chunk) = reader.fill_buf().await
        && !chunk.is_empty()
    {
        let length = chunk.len();
        keep(chunk, output);
        reader.consume(length);
    }
}

/// Appends as much of a chunk as the limit leaves room for.
pub(super) fn keep(chunk: &[u8], output: &mut Vec<u8>) {
    let room = LIMIT.saturating_sub(output.len());
    output.extend_from_slice(&chunk[..chunk.len().min(room)]);
}

/// The first line that is not blank, cut short.
pub(super) fn first_line(output: &[u8]) -> String {
    quote(lines(output).next())
}

/// The last line that is not blank, cut short.
pub(super) fn last_line(output: &[u8]) -> String {
    quote(lines(output).next_back())
}

fn lines(output: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    output.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

fn quote(line: Option<&[u8]>) -> String {
    let line = line.unwrap_or_default();
    String::from_utf8_lossy(&line[..line.len().min(QUOTED)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_beyond_the_limit_is_read_and_dropped() {
        let (mut child, server) = tokio::io::duplex(4096);
        let written = tokio::spawn(async move {
            let text = vec![b'x'; LIMIT + 100_000];
            tokio::io::AsyncWriteExt::write_all(&mut child, &text).await.unwrap();
        });
        let mut output = Vec::new();
        collect(server, &mut output).await;
        written.await.unwrap();
        assert_eq!(output.len(), LIMIT);
    }

    #[test]
    fn blank_lines_are_not_quoted() {
        assert_eq!(first_line(b"\n\n  one \ntwo\n\n"), "one");
        assert_eq!(last_line(b"\n\n  one \ntwo\n\n"), "two");
        assert_eq!(last_line(b""), "");
        assert_eq!(first_line(&[b'y'; 1000]).len(), QUOTED);
    }
}
