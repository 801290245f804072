use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use heapsoak_probe::clock;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::TrackerError;

/// How long the tracker may take to answer.
const TIME_OUT: Duration = Duration::from_secs(10);

/// Largest answer taken.
const ANSWER_LIMIT: usize = 256 * 1024;

/// Requests to the tracker at once; further ones wait.
const CONNECTIONS: usize = 32;

/// A client of the tracker's API. Clones share their limit.
///
/// Every request has a connection of its own, closed with the answer: nothing of it outlives the request it was made
/// for, so its memory is never charged to another one.
#[derive(Debug, Clone)]
pub struct Client {
    base: Arc<Base>,
    time_out: Duration,
    slots: Arc<Semaphore>,
}

#[derive(Debug)]
struct Base {
    authority: String,
    /// What goes in front of every path, without a slash at its end.
    prefix: String,
}

impl Client {
    /// A client of the tracker at a base URL.
    ///
    /// # Errors
    ///
    /// Fails if the URL is not an http URL with a host.
    pub fn new(url: &str) -> Result<Client, TrackerError> {
        let bad = |why: String| TrackerError::BadUrl { url: url.to_owned(), why };
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| bad(error.to_string()))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("it does not start with http://".to_owned()));
        }
        let host = uri.host().ok_or_else(|| bad("it has no host".to_owned()))?;
        let base = Base {
            authority: format!("{host}:{}", uri.port_u16().unwrap_or(80)),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        };
        Ok(Client { base: Arc::new(base), time_out: TIME_OUT, slots: Arc::new(Semaphore::new(CONNECTIONS)) })
    }

    /// The same client with another time-out, on the server's clock.
    #[must_use]
    pub fn with_time_out(mut self, time_out: Duration) -> Client {
        self.time_out = time_out;
        self
    }

    /// Looks a key of the catalogue up. None when the tracker doesn't know it.
    ///
    /// # Errors
    ///
    /// See [`TrackerError`].
    pub async fn look_up(
        &self,
        namespace: &str,
        key: &str,
    ) -> Result<Option<serde_json::Value>, TrackerError> {
        let path = format!("/catalogue/{}/{}", encode(namespace), encode(key));
        match self.ask(Method::GET, &path, Bytes::new()).await {
            Ok(body) => Ok(Some(serde_json::from_slice(&body)?)),
            Err(TrackerError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Comments on an issue.
    ///
    /// # Errors
    ///
    /// See [`TrackerError`].
    pub async fn comment(&self, issue: &str, text: &str) -> Result<(), TrackerError> {
        let path = format!("/issues/{}/comments", encode(issue));
        let body = serde_json::to_vec(&serde_json::json!({ "text": text }))?;
        self.ask(Method::POST, &path, body.into()).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, TrackerError> {
        clock::timeout(self.time_out, async {
            let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
            self.exchange(method, path, body).await
        })
        .await
        .unwrap_or(Err(TrackerError::TimedOut(self.time_out)))
    }

    async fn exchange(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, TrackerError> {
        let authority = &self.base.authority;
        let stream = TcpStream::connect(authority)
            .await
            .map_err(|source| TrackerError::Unreachable { authority: authority.clone(), source })?;
        // A request is written in two pieces, and the second would wait for the acknowledgement of the first.
        let _ = stream.set_nodelay(true);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base.prefix))
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close")
            .body(Full::new(body))
            .map_err(|error| TrackerError::BadUrl { url: path.to_owned(), why: error.to_string() })?;
        let answer = async {
            let response = sender.send_request(request).await?;
            if !response.status().is_success() {
                return Err(TrackerError::Refused { status: response.status(), path: path.to_owned() });
            }
            match Limited::new(response.into_body(), ANSWER_LIMIT).collect().await {
                Ok(body) => Ok(body.to_bytes()),
                Err(error) => Err(match error.downcast::<hyper::Error>() {
                    Ok(error) => TrackerError::Broken(*error),
                    Err(_) => TrackerError::TooLarge { limit: ANSWER_LIMIT },
                }),
            }
        };
        // The connection is driven by this very future, so that it ends with it.
        let (answer, connection) = (std::pin::pin!(answer), std::pin::pin!(connection));
        match futures_util::future::select(answer, connection).await {
            futures_util::future::Either::Left((answer, _)) => answer,
            // Closed by the tracker: what it sent before is still there. Its errors reach the answer as well.
            futures_util::future::Either::Right((_, answer)) => answer.await,
        }
    }
}

/// Percent-encodes everything but the characters no path gives a meaning to.
fn encode(segment: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string can't fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(encode("abc-1_2~3"), "abc-1_2~3");
        assert_eq!(encode("a/../b?c#d e"), "a%2F%2E%2E%2Fb%3Fc%23d%20e");
    }

    #[test]
    fn only_http_urls_with_a_host_are_taken() {
        for url in ["https://x", "tracker:80", "", "/path", "http://"] {
            assert!(Client::new(url).is_err(), "{url:?} was accepted");
        }
        assert!(Client::new("http://127.0.0.1:1/api/").is_ok());
    }
}
