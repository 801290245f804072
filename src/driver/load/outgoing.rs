use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::fault::{BETWEEN_PIECES, PIECES};

/// The body of a request of HTTP/2, as it is handed out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pieces: VecDeque<Bytes>,
    /// The pause before each piece but the first, for a slow client.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether it ends behind the last piece, or goes on with nothing.
    ends: bool,
}

impl Outgoing {
    /// All of it at once.
    pub(super) fn whole(body: &Bytes) -> Outgoing {
        let pieces = if body.is_empty() { VecDeque::new() } else { VecDeque::from([body.clone()]) };
        Outgoing { pieces, pause: None, ends: true }
    }

    /// Piece by piece, with pauses.
    pub(super) fn slow(body: &Bytes) -> Outgoing {
        let size = body.len().div_ceil(PIECES).max(1);
        let starts = (0..body.len()).step_by(size);
        let pieces = starts.map(|start| body.slice(start..body.len().min(start + size))).collect();
        Outgoing { pieces, pause: Some(Box::pin(sleep(BETWEEN_PIECES))), ends: true }
    }

    /// Half of it, and then nothing.
    pub(super) fn half(body: &Bytes) -> Outgoing {
        let half = body.slice(..body.len() / 2);
        Outgoing { ends: false, ..Outgoing::whole(&half) }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(pause) = self.pause.as_mut() {
            ready!(pause.as_mut().poll(cx));
            pause.as_mut().reset(Instant::now() + BETWEEN_PIECES);
        }
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.ends => Poll::Ready(None),
            // Nobody wakes it: it ends by being dropped.
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ends && self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if !self.ends {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum())
    }
}
