//! HTTP/2: many requests at a time on a connection. The frames and their flow control are hyper's.

use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connection::SendError;
use super::fault::{Aftermath, BEFORE_LEAVING, send_nonsense};
use super::http1::{Answer, AnswerError, LARGEST_BODY, Wanted};
use super::outgoing::Outgoing;
use super::request::Prepared;
use crate::scenario::Fault;
use crate::target::Dial;

/// A connection that several share, opened anew when it was closed.
#[derive(Debug)]
pub(super) struct Http2 {
    dial: Dial,
    open: tokio::sync::Mutex<Option<Open>>,
    /// Requests that were left half-open, until [`hang_up`](Http2::hang_up).
    half_open: Mutex<Vec<Task>>,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Outgoing>,
    /// Moves the frames.
    _task: Task,
}

/// A task that ends when this is dropped.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Http2 {
    pub(super) fn new(dial: Dial) -> Http2 {
        Http2 { dial, open: tokio::sync::Mutex::new(None), half_open: Mutex::default() }
    }

    /// Opens the connection, if it is not open.
    pub(super) async fn open(&self) -> Result<(), SendError> {
        self.sender().await.map(drop)
    }

    async fn sender(&self) -> Result<SendRequest<Outgoing>, SendError> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref().filter(|open| !open.sender.is_closed()) {
            return Ok(open.sender.clone());
        }
        *open = None;
        let stream = self.dial.connect().await.map_err(SendError::Connect)?;
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        let task = tokio::spawn(async move {
            // Whoever waits for an answer hears of it.
            let _failed = connection.await;
        });
        *open = Some(Open { sender: sender.clone(), _task: Task(task) });
        Ok(sender)
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, prepared: &Prepared, kind: Option<&str>) -> Result<Answer, SendError> {
        let body = Outgoing::whole(prepared.body());
        let response = self.ask(prepared, kind, body).await?;
        let answer = read(response, prepared.wanted()).await;
        if !self.dial.keep_alive {
            *self.open.lock().await = None;
        }
        answer
    }

    /// Sends a request in the way of a client that misbehaves: where it would close its connection, it resets its stream,
    /// so that the others on it go on. None if that way leads to no answer.
    pub(super) async fn misbehave(
        &self,
        prepared: &Prepared,
        kind: Option<&str>,
        fault: Fault,
    ) -> Result<Option<Answer>, SendError> {
        match fault {
            Fault::Nonsense => {
                let mut stream = self.dial.connect().await.map_err(SendError::Connect)?;
                match send_nonsense(&mut stream).await {
                    Ok(Aftermath::Answer(answer)) => Ok(Some(answer)),
                    // What it says to it is frames.
                    Ok(_) | Err(SendError::Answer(AnswerError::Malformed(_))) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Fault::Slow => {
                let response = self.ask(prepared, kind, Outgoing::slow(prepared.body())).await?;
                read(response, prepared.wanted()).await.map(Some)
            }
            Fault::CloseBeforeAnswer => {
                let asking = self.ask(prepared, kind, Outgoing::whole(prepared.body()));
                // Its answer dropped, the stream is reset.
                drop(timeout(BEFORE_LEAVING, asking).await);
                Ok(None)
            }
            Fault::CloseMidBody => {
                let asking = self.ask(prepared, kind, Outgoing::half(prepared.body()));
                drop(timeout(BEFORE_LEAVING, asking).await);
                Ok(None)
            }
            Fault::HalfOpen => {
                let request = prepared.to_http2(&self.dial, kind, Outgoing::half(prepared.body()))?;
                let mut sender = self.sender().await?;
                let asking = tokio::spawn(async move { drop(sender.send_request(request).await) });
                self.half_open().push(Task(asking));
                Ok(None)
            }
        }
    }

    /// Closes the connection, unless it is being opened.
    pub(super) fn close(&self) {
        if let Ok(mut open) = self.open.try_lock() {
            *open = None;
        }
    }

    /// Closes what was left half-open.
    pub(super) fn hang_up(&self) {
        self.half_open().clear();
    }

    async fn ask(
        &self,
        prepared: &Prepared,
        kind: Option<&str>,
        body: Outgoing,
    ) -> Result<Response<Incoming>, SendError> {
        let mut sender = self.sender().await?;
        let request = prepared.to_http2(&self.dial, kind, body)?;
        match sender.try_send_request(request).await {
            Ok(response) => Ok(response),
            Err(mut error) => match error.take_message() {
                // The server had closed the connection before anything of the request was sent.
                Some(request) => {
                    self.sender().await?.send_request(request).await.map_err(|error| failed(&error).into())
                }
                None => Err(failed(&error.into_error()).into()),
            },
        }
    }

    fn half_open(&self) -> std::sync::MutexGuard<'_, Vec<Task>> {
        self.half_open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads an answer to its end. Its trailers count as headers: gRPC says there how a call ended.
async fn read(response: Response<Incoming>, wanted: Wanted) -> Result<Answer, SendError> {
    let (head, mut incoming) = response.into_parts();
    let keep = |map: &http::HeaderMap| -> Vec<(String, Vec<u8>)> {
        map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
    };
    let mut headers = if wanted.headers { keep(&head.headers) } else { Vec::new() };
    let (mut body, mut length) = (BytesMut::new(), 0);
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| failed(&error))?;
        match frame.into_data() {
            Ok(data) => {
                length += data.len();
                if length > LARGEST_BODY {
                    return Err(AnswerError::TooLarge.into());
                }
                if wanted.body {
                    body.extend_from_slice(&data);
                }
            }
            Err(frame) => {
                if let (true, Some(trailers)) = (wanted.headers, frame.trailers_ref()) {
                    headers.extend(keep(trailers));
                }
            }
        }
    }
    Ok(Answer { status: head.status.as_u16(), headers, body: body.freeze(), reusable: true })
}

fn failed(error: &hyper::Error) -> AnswerError {
    if error.is_closed() || error.is_canceled() || error.is_incomplete_message() {
        return AnswerError::Closed;
    }
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    AnswerError::Broken(format!("{error}{cause}"))
}
