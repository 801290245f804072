use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::request::{PrepareError, Prepared};

/// Longest wait for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Largest answer read.
const LARGEST_ANSWER: usize = 16 << 20;

/// A keep-alive connection to the server, opened anew when it was closed.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    host: String,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Full<Bytes>>,
    task: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("can't connect: {0}")]
    Connect(io::Error),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error("the connection failed: {0}")]
    Http(#[from] hyper::Error),
    #[error("the answer can't be read: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer within {} s", ANSWER_TIME.as_secs())]
    TimedOut,
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Connection {
        Connection { address, host: address.to_string(), open: None }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        prepared: &Prepared,
        kind: Option<&str>,
    ) -> Result<Answer, SendError> {
        let answer =
            timeout(ANSWER_TIME, self.exchange(prepared, kind)).await.unwrap_or(Err(SendError::TimedOut));
        if answer.is_err() {
            self.open = None;
        }
        answer
    }

    async fn exchange(&mut self, prepared: &Prepared, kind: Option<&str>) -> Result<Answer, SendError> {
        let reused = self.open.is_some();
        match self.try_exchange(prepared, kind).await {
            // The server closed the idle connection before the request went out: it never saw it.
            Err(SendError::Http(error)) if reused && error.is_canceled() => {
                self.open = None;
                self.try_exchange(prepared, kind).await
            }
            other => other,
        }
    }

    async fn try_exchange(&mut self, prepared: &Prepared, kind: Option<&str>) -> Result<Answer, SendError> {
        let request = prepared.to_request(&self.host, kind)?;
        let response = self.sender().await?.send_request(request).await?;
        let status = response.status().as_u16();
        let body =
            Limited::new(response.into_body(), LARGEST_ANSWER).collect().await.map_err(SendError::Body)?;
        Ok(Answer { status, body: body.to_bytes() })
    }

    async fn sender(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, SendError> {
        if let Some(open) = &mut self.open
            && open.sender.ready().await.is_err()
        {
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => open(self.address).await?,
        };
        Ok(&mut self.open.insert(open).sender)
    }
}

async fn open(address: SocketAddr) -> Result<Open, SendError> {
    let stream = TcpStream::connect(address).await.map_err(SendError::Connect)?;
    stream.set_nodelay(true).map_err(SendError::Connect)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Errors of the connection reach the request that waits on it.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok(Open { sender, task })
}
