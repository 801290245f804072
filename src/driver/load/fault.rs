//! Clients that misbehave: each on a connection of its own.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use super::connection::SendError;
use super::http1::{Answer, AnswerError, Wanted, read_answer};
use super::stream::Stream;
use crate::scenario::Fault;

/// How long a client that leaves before the answer waits first: the server is at work by then.
pub(super) const BEFORE_LEAVING: Duration = Duration::from_millis(25);

/// Pieces a slow client sends its request in.
pub(super) const PIECES: usize = 8;

/// Time between two pieces.
pub(super) const BETWEEN_PIECES: Duration = Duration::from_millis(10);

/// Whatever the server has to say to it.
const WHOLE: Wanted = Wanted { headers: true, body: true, bare: false };

/// What is sent in place of a request: the start of a TLS handshake, as servers on a wrong port get it.
const NONSENSE: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";

/// What comes of a request sent by a client that misbehaves.
#[derive(Debug)]
pub(super) enum Aftermath {
    /// The server answered all the same.
    Answer(Answer),
    /// The client is to go.
    Gone,
    /// The client neither goes on nor closes.
    Open,
}

/// Sends a request (all of it, as it would go out) in the way of a fault, over a stream of its own.
pub(super) async fn misbehave(
    stream: &mut Stream,
    request: &[u8],
    fault: Fault,
) -> Result<Aftermath, SendError> {
    let half = half_of(request);
    match fault {
        Fault::CloseMidBody => {
            put(stream, half).await?;
            // What was sent arrives before the close does.
            sleep(BETWEEN_PIECES).await;
            Ok(Aftermath::Gone)
        }
        Fault::CloseBeforeAnswer => {
            put(stream, request).await?;
            sleep(BEFORE_LEAVING).await;
            Ok(Aftermath::Gone)
        }
        Fault::HalfOpen => {
            put(stream, half).await?;
            Ok(Aftermath::Open)
        }
        Fault::Slow => {
            for piece in request.chunks(request.len().div_ceil(PIECES).max(1)) {
                put(stream, piece).await?;
                sleep(BETWEEN_PIECES).await;
            }
            answer(stream).await
        }
        Fault::Nonsense => send_nonsense(stream).await,
    }
}

/// Sends what is no HTTP.
pub(super) async fn send_nonsense(stream: &mut Stream) -> Result<Aftermath, SendError> {
    put(stream, NONSENSE).await?;
    match answer(stream).await {
        Err(SendError::Answer(AnswerError::Closed | AnswerError::Cut)) => Ok(Aftermath::Gone),
        other => other,
    }
}

/// The head and half of the body; half of the head where there is no body.
fn half_of(request: &[u8]) -> &[u8] {
    let head = request.windows(4).position(|four| four == b"\r\n\r\n").map_or(request.len(), |at| at + 4);
    let body = request.len() - head;
    if body > 0 { &request[..head + body / 2] } else { &request[..head / 2] }
}

async fn put(stream: &mut Stream, bytes: &[u8]) -> Result<(), SendError> {
    let put = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    put.await.map_err(|error: io::Error| AnswerError::Io(error).into())
}

async fn answer(stream: &mut Stream) -> Result<Aftermath, SendError> {
    Ok(Aftermath::Answer(read_answer(stream, &mut BytesMut::new(), WHOLE).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_request_ends_in_its_body_or_else_in_its_head() {
        assert_eq!(half_of(b"POST / HTTP/1.1\r\n\r\n12345678"), b"POST / HTTP/1.1\r\n\r\n1234");
        assert_eq!(half_of(b"GET /path HTTP/1.1\r\n\r\n"), b"GET /path H");
    }
}
