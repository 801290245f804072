//! As much of HTTP/1.1 as a load generator needs: one request at a time on a connection, the whole answer read. Own code
//! rather than a client library, because a scenario also breaks off in the middle of a request, and because what the
//! driver spends on a request, the server under test does not get.

use std::mem::MaybeUninit;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Largest head of an answer read.
const LARGEST_HEAD: usize = 64 << 10;

/// Largest body of an answer read.
pub(super) const LARGEST_BODY: usize = 16 << 20;

/// Headers of an answer that are looked at.
const MOST_HEADERS: usize = 96;

/// Room made for what is read at once: most answers fit, so that one read is one answer.
const READ: usize = 4 << 10;

/// What is looked at of an answer; the rest is read and let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(super) headers: bool,
    pub(super) body: bool,
    /// It has no body, whatever it says: it answers a HEAD.
    pub(super) bare: bool,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Bytes,
    /// Whether the connection can carry another request.
    pub(crate) reusable: bool,
}

impl Answer {
    /// The value of a header, if it is a text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
}

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    #[error("the server closed the connection without an answer")]
    Closed,
    #[error("the server closed the connection in the middle of its answer")]
    Cut,
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("the answer is no HTTP: {0}")]
    Malformed(String),
    #[error("the exchange failed: {0}")]
    Broken(String),
    #[error("the answer is larger than {LARGEST_BODY} bytes")]
    TooLarge,
}

/// How the end of a body is known.
enum End {
    Length(usize),
    Chunked,
    Close,
}

/// Reads one answer.
pub(super) async fn read_answer<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    wanted: Wanted,
) -> Result<Answer, AnswerError> {
    loop {
        let (mut answer, end) = read_head(stream, buffer, wanted.headers).await?;
        // 100 Continue and the like come before the answer proper.
        if (100..200).contains(&answer.status) {
            continue;
        }
        if wanted.bare || matches!(answer.status, 204 | 304) {
            return Ok(answer);
        }
        let mut body = Body { kept: wanted.body.then(BytesMut::new), length: 0 };
        match end {
            End::Length(length) => body.read_exactly(stream, buffer, length).await?,
            End::Chunked => body.read_chunks(stream, buffer).await?,
            End::Close => {
                body.read_to_end(stream, buffer).await?;
                answer.reusable = false;
            }
        }
        answer.body = body.kept.map_or_else(Bytes::new, BytesMut::freeze);
        return Ok(answer);
    }
}

async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    wanted: bool,
) -> Result<(Answer, End), AnswerError> {
    loop {
        if !buffer.is_empty()
            && let Some((length, answer, end)) = parse_head(buffer, wanted)?
        {
            buffer.advance(length);
            return Ok((answer, end));
        }
        if buffer.len() > LARGEST_HEAD {
            return Err(AnswerError::Malformed(format!("its head is longer than {LARGEST_HEAD} bytes")));
        }
        let empty = buffer.is_empty();
        match read_more(stream, buffer).await {
            Ok(0) if empty => return Err(AnswerError::Closed),
            Ok(0) => return Err(AnswerError::Cut),
            Ok(_) => {}
            Err(error) if empty && error.kind() == std::io::ErrorKind::ConnectionReset => {
                return Err(AnswerError::Closed);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn parse_head(buffer: &[u8], wanted: bool) -> Result<Option<(usize, Answer, End)>, AnswerError> {
    let mut space = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut head, buffer, &mut space);
    let length = match parsed.map_err(|error| AnswerError::Malformed(error.to_string()))? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(length) => length,
    };
    let mut end = None;
    // HTTP/1.0 closes unless it says otherwise.
    let mut reusable = head.version == Some(1);
    for header in &*head.headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let says = |word: &[u8]| header.value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        if is("transfer-encoding") && says(b"chunked") {
            end = Some(End::Chunked);
        } else if is("content-length") && !matches!(end, Some(End::Chunked)) {
            let text = std::str::from_utf8(header.value).unwrap_or_default().trim();
            let length =
                text.parse().map_err(|_| AnswerError::Malformed(format!("content-length: {text}")))?;
            if length > LARGEST_BODY {
                return Err(AnswerError::TooLarge);
            }
            end = Some(End::Length(length));
        } else if is("connection") {
            reusable = if reusable { !says(b"close") } else { says(b"keep-alive") };
        }
    }
    let end = end.unwrap_or(End::Close);
    let headers = if wanted {
        head.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect()
    } else {
        Vec::new()
    };
    let answer = Answer { status: head.code.unwrap_or(0), headers, body: Bytes::new(), reusable };
    Ok(Some((length, answer, end)))
}

/// Reads what has come; zero at the end of the stream.
pub(super) async fn read_more<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> std::io::Result<usize> {
    if buffer.capacity() - buffer.len() < READ / 4 {
        buffer.reserve(READ);
    }
    stream.read_buf(buffer).await
}

async fn fill<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut BytesMut) -> Result<(), AnswerError> {
    match read_more(stream, buffer).await? {
        0 => Err(AnswerError::Cut),
        _ => Ok(()),
    }
}

/// The body of an answer while it is read.
struct Body {
    /// Its bytes, if anybody wants them.
    kept: Option<BytesMut>,
    length: usize,
}

impl Body {
    /// Takes the next bytes out of the buffer.
    fn take(&mut self, buffer: &mut BytesMut, count: usize) {
        self.length += count;
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&buffer[..count]);
        }
        buffer.advance(count);
    }

    async fn read_exactly<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        buffer: &mut BytesMut,
        length: usize,
    ) -> Result<(), AnswerError> {
        let mut left = length;
        loop {
            let here = left.min(buffer.len());
            self.take(buffer, here);
            left -= here;
            if left == 0 {
                return Ok(());
            }
            fill(stream, buffer).await?;
        }
    }

    async fn read_chunks<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        buffer: &mut BytesMut,
    ) -> Result<(), AnswerError> {
        loop {
            let (head, size) = loop {
                let parsed = httparse::parse_chunk_size(buffer)
                    .map_err(|_| AnswerError::Malformed("a chunk without its size".to_owned()))?;
                match parsed {
                    httparse::Status::Complete(found) => break found,
                    httparse::Status::Partial => fill(stream, buffer).await?,
                }
            };
            buffer.advance(head);
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size == 0 {
                return read_trailers(stream, buffer).await;
            }
            if self.length.saturating_add(size) > LARGEST_BODY {
                return Err(AnswerError::TooLarge);
            }
            self.read_exactly(stream, buffer, size).await?;
            while buffer.len() < 2 {
                fill(stream, buffer).await?;
            }
            buffer.advance(2);
        }
    }

    async fn read_to_end<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        buffer: &mut BytesMut,
    ) -> Result<(), AnswerError> {
        loop {
            self.take(buffer, buffer.len());
            if self.length > LARGEST_BODY {
                return Err(AnswerError::TooLarge);
            }
            if read_more(stream, buffer).await? == 0 {
                return Ok(());
            }
        }
    }
}

/// Lines behind the last chunk, up to an empty one.
async fn read_trailers<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> Result<(), AnswerError> {
    loop {
        while let Some(line) = buffer.windows(2).position(|pair| pair == b"\r\n") {
            buffer.advance(line + 2);
            if line == 0 {
                return Ok(());
            }
        }
        fill(stream, buffer).await?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    const WHOLE: Wanted = Wanted { headers: true, body: true, bare: false };

    /// Reads answers from bytes that arrive in pieces of a size.
    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Answer>, AnswerError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut client, mut server) = tokio::io::duplex(piece);
            let bytes = bytes.to_vec();
            let sending = tokio::spawn(async move { drop(server.write_all(&bytes).await) });
            let (mut buffer, mut answers) = (BytesMut::new(), Vec::new());
            loop {
                match read_answer(&mut client, &mut buffer, WHOLE).await {
                    Ok(answer) => answers.push(answer),
                    Err(AnswerError::Closed) => break,
                    Err(error) => return Err(error),
                }
            }
            sending.await.unwrap();
            Ok(answers)
        })
    }

    const SEVERAL: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nx-a: b\r\n\r\nhello\
        HTTP/1.1 204 No Content\r\n\r\n\
        HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n6;x=y\r\npedia \r\n0\r\nt: u\r\n\r\n\
        HTTP/1.1 500 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    proptest! {
        #[test]
        fn answers_are_read_alike_in_whatever_pieces_they_come(piece in 1_usize..300) {
            let answers = read(SEVERAL, piece).unwrap();
            let bodies: Vec<_> = answers.iter().map(|answer| (answer.status, answer.body.as_ref())).collect();
            prop_assert_eq!(bodies, [(200, b"hello".as_slice()), (204, b""), (200, b"wikipedia "), (500, b"")]);
            prop_assert_eq!(answers[0].header("X-A"), Some("b"));
            let reusable: Vec<bool> = answers.iter().map(|answer| answer.reusable).collect();
            prop_assert_eq!(reusable, [true, true, true, false]);
        }

        #[test]
        fn a_body_nobody_wants_is_read_past(piece in 1_usize..300) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let statuses = runtime.block_on(async {
                let (mut client, mut server) = tokio::io::duplex(piece);
                let sending = tokio::spawn(async move { drop(server.write_all(SEVERAL).await) });
                let (mut buffer, mut statuses) = (BytesMut::new(), Vec::new());
                let wanted = Wanted { headers: false, body: false, bare: false };
                while let Ok(answer) = read_answer(&mut client, &mut buffer, wanted).await {
                    assert!(answer.body.is_empty() && answer.headers.is_empty());
                    statuses.push(answer.status);
                }
                sending.await.unwrap();
                statuses
            });
            prop_assert_eq!(statuses, [200, 204, 200, 500]);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _whatever = read(&bytes, 64);
        }
    }

    #[test]
    fn a_body_may_end_with_the_connection() {
        let answers = read(b"HTTP/1.0 200 OK\r\n\r\nthe rest", 7).unwrap();
        assert_eq!((answers[0].body.as_ref(), answers[0].reusable), (b"the rest".as_slice(), false));
    }

    #[test]
    fn an_answer_that_breaks_off_is_no_answer() {
        for cut in [
            &b"HTTP/1.1 200"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf",
        ] {
            assert!(matches!(read(cut, 100), Err(AnswerError::Cut)));
        }
        assert!(matches!(read(b"SSH-2.0-x\r\n\r\n", 100), Err(AnswerError::Malformed(_))));
        let huge = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        assert!(matches!(read(huge, 100), Err(AnswerError::TooLarge)));
    }
}
