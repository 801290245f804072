use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls;

use super::http1::{Answer, AnswerError};
use super::http2::Http2;
use super::patience::Patience;
use super::request::{PrepareError, Prepared};
use super::serial::Serial;
use crate::scenario::{Fault, HttpVersion};
use crate::target::{Dial, Scheme};

/// Longest wait for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// A way to the server for one request at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    scheme: Scheme,
    link: Link,
    patience: Patience,
}

#[derive(Debug)]
enum Link {
    /// A connection of its own.
    Serial(Box<Serial>),
    /// A share in a connection.
    Http2(Arc<Http2>),
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

impl SendError {
    /// Whether the server is there, but shows a certificate that is not good enough.
    pub(crate) fn is_distrust(&self) -> bool {
        let SendError::Connect(error) = self else { return false };
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
    }
}

impl Connection {
    pub(crate) fn new(dial: Dial) -> Connection {
        let scheme = dial.address.scheme;
        let link = match (scheme, dial.http) {
            (Scheme::Http, HttpVersion::Two) => Link::Http2(Arc::new(Http2::new(dial))),
            _ => Link::Serial(Box::new(Serial::new(dial))),
        };
        Connection { scheme, link, patience: Patience::new(ANSWER_TIME) }
    }

    /// Ways to the server for so many requests at a time. Those of HTTP/2 share connections, unless each is closed after
    /// its request.
    pub(super) fn several(dial: &Dial, count: u32, connections: u32) -> Vec<Connection> {
        if dial.http == HttpVersion::One || !dial.keep_alive {
            return (0..count).map(|_| Connection::new(dial.clone())).collect();
        }
        let shared: Vec<_> =
            (0..connections.clamp(1, count)).map(|_| Arc::new(Http2::new(dial.clone()))).collect();
        let links = shared.iter().cycle().take(usize::try_from(count).unwrap_or(usize::MAX));
        let connection = |http2: &Arc<Http2>| Connection {
            scheme: dial.address.scheme,
            link: Link::Http2(Arc::clone(http2)),
            patience: Patience::new(ANSWER_TIME),
        };
        links.map(connection).collect()
    }

    /// How the server is spoken to.
    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Opens the connection, if it is not open.
    pub(crate) async fn open(&mut self) -> Result<(), SendError> {
        let opened = match &mut self.link {
            Link::Serial(serial) => self.patience.wait(serial.open()).await,
            Link::Http2(http2) => self.patience.wait(http2.open()).await,
        };
        opened.unwrap_or_else(|| Err(SendError::Connect(io::ErrorKind::TimedOut.into())))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        prepared: &Prepared,
        kind: Option<&str>,
    ) -> Result<Answer, SendError> {
        let sent = match &mut self.link {
            Link::Serial(serial) => match self.patience.wait(serial.send(prepared, kind)).await {
                None => {
                    serial.close();
                    None
                }
                sent => sent,
            },
            Link::Http2(http2) => self.patience.wait(http2.send(prepared, kind)).await,
        };
        sent.unwrap_or(Err(SendError::TimedOut))
    }

    /// Sends a request in the way of a client that misbehaves; none if that way leads to no answer.
    pub(super) async fn misbehave(
        &mut self,
        prepared: &Prepared,
        kind: Option<&str>,
        fault: Fault,
    ) -> Result<Option<Answer>, SendError> {
        let sent = match &mut self.link {
            Link::Serial(serial) => self.patience.wait(serial.misbehave(prepared, kind, fault)).await,
            Link::Http2(http2) => self.patience.wait(http2.misbehave(prepared, kind, fault)).await,
        };
        sent.unwrap_or(Err(SendError::TimedOut))
    }

    /// Closes the connection, and what was left half-open.
    pub(super) fn close(&mut self) {
        match &mut self.link {
            Link::Serial(serial) => serial.close(),
            Link::Http2(http2) => http2.close(),
        }
        self.hang_up();
    }

    /// Closes what was left half-open.
    pub(super) fn hang_up(&mut self) {
        match &mut self.link {
            Link::Serial(serial) => serial.hang_up(),
            Link::Http2(http2) => http2.hang_up(),
        }
    }
}
