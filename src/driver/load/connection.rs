use std::io;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::fault::{Aftermath, misbehave};
use super::http1::{Answer, AnswerError, read_answer};
use super::request::{PrepareError, Prepared};
use super::stream::Stream;
use crate::scenario::Fault;
use crate::target::{Address, Scheme};

/// Longest wait for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Longest line read as an answer.
const LONGEST_LINE: usize = 1 << 20;

/// A connection that was idle for longer may be closed by the server at any moment; what was sent into such a close is
/// sent once more.
const IDLE: Duration = Duration::from_millis(500);

/// A keep-alive connection to the server, opened anew when it was closed.
#[derive(Debug)]
pub(crate) struct Connection {
    address: Address,
    open: Option<Open>,
    /// The request as it goes out; kept for the next one.
    bytes: Vec<u8>,
    /// Connections that were left half-open, until [`hang_up`](Connection::hang_up).
    half_open: Vec<Stream>,
}

#[derive(Debug)]
struct Open {
    stream: Stream,
    buffer: BytesMut,
    last_used: Instant,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("can't connect: {0}")]
    Connect(io::Error),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error("no answer within {} s", ANSWER_TIME.as_secs())]
    TimedOut,
}

impl Connection {
    pub(crate) fn new(address: Address) -> Connection {
        Connection { address, open: None, bytes: Vec::new(), half_open: Vec::new() }
    }

    /// How the server is spoken to.
    pub(super) fn scheme(&self) -> Scheme {
        self.address.scheme
    }

    /// Opens the connection, if it is not open.
    pub(crate) async fn open(&mut self) -> Result<(), SendError> {
        if self.open.as_ref().is_some_and(|open| open.buffer.is_empty() && !open.stream.is_stale()) {
            return Ok(());
        }
        self.open = None;
        let opening = timeout(ANSWER_TIME, Stream::connect(&self.address.place));
        let stream =
            opening.await.unwrap_or(Err(io::ErrorKind::TimedOut.into())).map_err(SendError::Connect)?;
        self.open = Some(Open { stream, buffer: BytesMut::new(), last_used: Instant::now() });
        Ok(())
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        prepared: &Prepared,
        kind: Option<&str>,
    ) -> Result<Answer, SendError> {
        self.bytes.clear();
        match self.address.scheme {
            Scheme::Http => {
                prepared.write_http1(&self.address.authority, kind, &mut self.bytes);
            }
            Scheme::Lines => prepared.write_line(&mut self.bytes),
        }
        let answer = timeout(ANSWER_TIME, self.exchange(prepared)).await.unwrap_or(Err(SendError::TimedOut));
        match &answer {
            Ok(answer) if answer.reusable => {}
            _ => self.open = None,
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
        self.bytes.clear();
        prepared.write_http1(&self.address.authority, kind, &mut self.bytes);
        let misbehaving = misbehave(&self.address.place, &self.bytes, fault);
        match timeout(ANSWER_TIME, misbehaving).await.unwrap_or(Err(SendError::TimedOut))? {
            Aftermath::Answer(answer) => Ok(Some(answer)),
            Aftermath::Gone => Ok(None),
            Aftermath::Open(stream) => {
                self.half_open.push(stream);
                Ok(None)
            }
        }
    }

    /// Closes the connection, and what was left half-open.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.hang_up();
    }

    /// Closes what was left half-open.
    pub(super) fn hang_up(&mut self) {
        self.half_open.clear();
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
        if let Err(error) = open.stream.write_all(&self.bytes).await {
            return Err(match error.kind() {
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => AnswerError::Closed.into(),
                _ => AnswerError::Io(error).into(),
            });
        }
        let answer = match self.address.scheme {
            Scheme::Http => {
                read_answer(&mut open.stream, &mut open.buffer, prepared.wants_headers, prepared.is_head())
                    .await?
            }
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
        match open.stream.read_buf(&mut open.buffer).await? {
            0 if empty => return Err(AnswerError::Closed),
            0 => return Err(AnswerError::Cut),
            _ => {}
        }
    }
}
