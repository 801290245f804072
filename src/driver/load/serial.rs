//! One request at a time on a connection: HTTP/1.1, and lines.

use std::io;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::AsyncWriteExt as _;

use super::connection::SendError;
use super::fault::{Aftermath, misbehave};
use super::http1::{Answer, AnswerError, read_answer, read_more};
use super::request::Prepared;
use super::stream::Stream;
use crate::scenario::Fault;
use crate::target::{Dial, Scheme};

/// Longest line read as an answer.
const LONGEST_LINE: usize = 1 << 20;

/// A connection that was idle for longer may be closed by the server at any moment; what was sent into such a close is
/// sent once more.
const IDLE: Duration = Duration::from_millis(500);

/// A connection of its own, opened anew when it was closed.
#[derive(Debug)]
pub(super) struct Serial {
    dial: Dial,
    open: Option<Open>,
    /// The request as it goes out; kept for the next one.
    bytes: Vec<u8>,
    /// Connections that were left half-open, until [`hang_up`](Serial::hang_up).
    half_open: Vec<Stream>,
}

#[derive(Debug)]
struct Open {
    stream: Stream,
    buffer: BytesMut,
    last_used: Instant,
}

impl Serial {
    pub(super) fn new(dial: Dial) -> Serial {
        Serial { dial, open: None, bytes: Vec::new(), half_open: Vec::new() }
    }

    /// Opens the connection, if it is not open.
    pub(super) async fn open(&mut self) -> Result<(), SendError> {
        if self.open.as_ref().is_some_and(|open| open.buffer.is_empty() && !open.stream.is_stale()) {
            return Ok(());
        }
        self.open = None;
        let stream = self.dial.connect().await.map_err(SendError::Connect)?;
        self.open = Some(Open { stream, buffer: BytesMut::new(), last_used: Instant::now() });
        Ok(())
    }

    /// Closes it.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(
        &mut self,
        prepared: &Prepared,
        kind: Option<&str>,
    ) -> Result<Answer, SendError> {
        self.write_out(prepared, kind);
        let answer = self.exchange(prepared).await;
        match &answer {
            Ok(answer) if answer.reusable && self.dial.keep_alive => {}
            _ => self.close(),
        }
        answer
    }

    /// Sends a request in the way of a client that misbehaves; none if that way leads to no answer.
    pub(super) async fn misbehave(
        &mut self,
        prepared: &Prepared,
        kind: Option<&str>,
        fault: Fault,
    ) -> Result<Option<Answer>, SendError> {
        self.write_out(prepared, kind);
        let mut stream = self.dial.connect().await.map_err(SendError::Connect)?;
        match misbehave(&mut stream, &self.bytes, fault).await? {
            Aftermath::Answer(answer) => Ok(Some(answer)),
            Aftermath::Gone => Ok(None),
            Aftermath::Open => {
                self.half_open.push(stream);
                Ok(None)
            }
        }
    }

    /// Closes what was left half-open.
    pub(super) fn hang_up(&mut self) {
        self.half_open.clear();
    }

    fn write_out(&mut self, prepared: &Prepared, kind: Option<&str>) {
        self.bytes.clear();
        match self.dial.address.scheme {
            Scheme::Http => prepared.write_http1(&self.dial, kind, &mut self.bytes),
            Scheme::Lines => prepared.write_line(&mut self.bytes),
        }
    }

    async fn exchange(&mut self, prepared: &Prepared) -> Result<Answer, SendError> {
        let idle = self.open.as_ref().is_some_and(|open| open.last_used.elapsed() >= IDLE);
        match self.try_exchange(prepared).await {
            Err(SendError::Answer(AnswerError::Closed)) if idle => {
                self.open = None;
                self.try_exchange(prepared).await
            }
            other => other,
        }
    }

    async fn try_exchange(&mut self, prepared: &Prepared) -> Result<Answer, SendError> {
        self.open().await?;
        let open = self.open.as_mut().expect("it was opened the line above");
        let put = async {
            open.stream.write_all(&self.bytes).await?;
            open.stream.flush().await
        };
        if let Err(error) = put.await {
            return Err(match error.kind() {
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => AnswerError::Closed.into(),
                _ => AnswerError::Io(error).into(),
            });
        }
        let answer = match self.dial.address.scheme {
            Scheme::Http => read_answer(&mut open.stream, &mut open.buffer, prepared.wanted()).await?,
            Scheme::Lines => read_line(open).await?,
        };
        open.last_used = Instant::now();
        Ok(answer)
    }
}

/// One line is the answer to one line.
async fn read_line(open: &mut Open) -> Result<Answer, AnswerError> {
    loop {
        if let Some(end) = open.buffer.iter().position(|byte| *byte == b'\n') {
            let line = open.buffer.split_to(end + 1).freeze();
            return Ok(Answer { status: 0, headers: Vec::new(), body: line, reusable: true });
        }
        if open.buffer.len() > LONGEST_LINE {
            return Err(AnswerError::TooLarge);
        }
        let empty = open.buffer.is_empty();
        match read_more(&mut open.stream, &mut open.buffer).await? {
            0 if empty => return Err(AnswerError::Closed),
            0 => return Err(AnswerError::Cut),
            _ => {}
        }
    }
}
