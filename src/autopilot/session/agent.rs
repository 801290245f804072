use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use super::message::{Message, Start};
use crate::CommandLine;
use crate::process::{GRACE, OwnedChild, command};

/// Longest line an agent may write.
const LINE_LIMIT: u64 = 1024 * 1024;

/// An agent at work: a child that gets one line and answers with many.
#[derive(Debug)]
pub(super) struct Agent {
    child: OwnedChild,
    /// Kept open while the agent works; that it closes tells the agent that the server is gone.
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl Agent {
    /// Starts the program. It writes to the server's own stderr.
    pub(super) fn spawn(line: &CommandLine) -> io::Result<Agent> {
        let (child, pipes) = OwnedChild::spawn(command(line, &[]).stderr(std::process::Stdio::inherit()))?;
        Ok(Agent { child, stdin: pipes.stdin, stdout: BufReader::new(pipes.stdout), line: Vec::new() })
    }

    /// Says what is to be done. That the agent doesn't listen shows in its end.
    pub(super) async fn instruct(&mut self, start: &Start<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(start)?;
        line.push(b'\n');
        let _ = self.stdin.write_all(&line).await;
        Ok(())
    }

    /// The next message; none once the agent has closed its stdout.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the line that came.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, String> {
        self.line.clear();
        let mut limited = (&mut self.stdout).take(LINE_LIMIT);
        let length = limited.read_until(b'\n', &mut self.line).await.map_err(|error| error.to_string())?;
        if length == 0 {
            return Ok(None);
        }
        if self.line.last() != Some(&b'\n') && limited.limit() == 0 {
            return Err(format!("it wrote a line of more than {LINE_LIMIT} bytes"));
        }
        serde_json::from_slice(&self.line).map(Some).map_err(|error| {
            let start = String::from_utf8_lossy(&self.line[..self.line.len().min(80)]).into_owned();
            format!("it wrote a line that is no message: {error}: {}", start.trim_end())
        })
    }

    /// How the agent ended, in words, once it has closed its stdout.
    pub(super) async fn last_words(&mut self) -> String {
        match tokio::time::timeout(GRACE, self.child.wait()).await {
            Ok(Ok(status)) => format!("it ended with {status} and without a result"),
            Ok(Err(error)) => format!("it closed its output, and can't be waited for: {error}"),
            Err(_) => "it closed its output without a result".to_owned(),
        }
    }

    /// Waits a moment for the agent to end by itself, after its last word.
    pub(super) async fn finish(&mut self) {
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
    }

    /// Ends the agent and everything it started.
    pub(super) async fn end(mut self) {
        self.child.end().await;
    }
}
