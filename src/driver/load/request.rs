use bytes::Bytes;
use heapsoak_record::wire::KIND_HEADER;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use sha2::Sha256;

use super::http1::Wanted;
use crate::scenario::{Payload, Sign, Step};
use crate::target::Dial;
use crate::template::{Template, TemplateError, Values};

/// Headers that have no place in HTTP/2.
const OF_HTTP1: [HeaderName; 4] =
    [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE];

/// A request with every part filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prepared {
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    /// Whether a length is sent even when there is no body.
    has_body: bool,
    /// What of the answer is looked at.
    wanted: Wanted,
}

/// Why a step can't be made into a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("the value of the header '{0}' can't be sent")]
    Header(HeaderName),
    #[error("the path '{0}' can't be sent")]
    Path(String),
}

impl Prepared {
    /// Fills in a step's templates. `now_ms` is the server's clock.
    pub(crate) fn new(step: &Step, values: &mut Values, now_ms: u64) -> Result<Prepared, PrepareError> {
        let path = step.path.render(values, now_ms)?;
        if !path.is_empty() && path.parse::<Uri>().is_err() {
            return Err(PrepareError::Path(path));
        }
        let mut headers = Vec::with_capacity(step.headers.len() + 2);
        for (name, value) in &step.headers {
            headers.push((name.clone(), read_value(name, &value.render(values, now_ms)?)?));
        }
        let body = match &step.body {
            Some(Payload::Text(text)) => Bytes::from(text.render(values, now_ms)?),
            Some(Payload::Bytes(bytes)) => bytes.clone(),
            None => Bytes::new(),
        };
        if step.body.is_some() && !step.headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE) {
            let is_text = step.body.as_ref().is_some_and(|body| body.template().is_some());
            let content = if is_text { "application/json" } else { "application/octet-stream" };
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static(content)));
        }
        if let Some(sign) = &step.sign {
            headers.push((sign.header.clone(), signature(sign, &body)));
        }
        let has_body =
            step.body.is_some() || [Method::POST, Method::PUT, Method::PATCH].contains(&step.method);
        let wanted = Wanted {
            headers: step.wants_headers(),
            body: step.wants_body(),
            bare: step.method == Method::HEAD,
        };
        Ok(Prepared { method: step.method.clone(), path, headers, body, has_body, wanted })
    }

    /// A plain GET.
    pub(crate) fn get(path: &str) -> Prepared {
        Prepared {
            method: Method::GET,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            has_body: false,
            wanted: Wanted { headers: false, body: true, bare: false },
        }
    }

    /// The same with text added at the end of headers it has.
    pub(crate) fn append(
        &self,
        append: &[(HeaderName, Template)],
        values: &mut Values,
        now_ms: u64,
    ) -> Result<Prepared, PrepareError> {
        let mut longer = self.clone();
        for (name, text) in append {
            let text = text.render(values, now_ms)?;
            for (_, value) in longer.headers.iter_mut().filter(|(known, _)| known == name) {
                let old = value.to_str().map_err(|_| PrepareError::Header(name.clone()))?;
                *value = read_value(name, &format!("{old}{text}"))?;
            }
        }
        Ok(longer)
    }

    /// What of the answer is looked at.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Appends the request as HTTP/1.1, with its kind in the header the probe's layer reads.
    pub(super) fn write_http1(&self, dial: &Dial, kind: Option<&str>, to: &mut Vec<u8>) {
        to.extend_from_slice(self.method.as_str().as_bytes());
        to.push(b' ');
        to.extend_from_slice(self.path.as_bytes());
        to.extend_from_slice(b" HTTP/1.1\r\n");
        let mut put = |name: &str, value: &[u8]| {
            to.extend_from_slice(name.as_bytes());
            to.extend_from_slice(b": ");
            to.extend_from_slice(value);
            to.extend_from_slice(b"\r\n");
        };
        if !self.headers.iter().any(|(name, _)| *name == header::HOST) {
            put("host", dial.address.authority.as_bytes());
        }
        if !dial.keep_alive {
            put("connection", b"close");
        }
        if let Some(kind) = kind {
            put(KIND_HEADER, kind.as_bytes());
        }
        for (name, value) in &self.headers {
            put(name.as_str(), value.as_bytes());
        }
        if self.has_body {
            put("content-length", self.body.len().to_string().as_bytes());
        }
        to.extend_from_slice(b"\r\n");
        to.extend_from_slice(&self.body);
    }

    /// The request as HTTP/2 has it: address, method and kind among the headers.
    pub(super) fn to_http2<B>(
        &self,
        dial: &Dial,
        kind: Option<&str>,
        body: B,
    ) -> Result<Request<B>, PrepareError> {
        let scheme = if dial.address.tls { "https" } else { "http" };
        let host = self.headers.iter().find(|(name, _)| *name == header::HOST);
        let authority = host.and_then(|(_, value)| value.to_str().ok()).unwrap_or(&dial.address.authority);
        let mut request =
            Request::builder().method(&self.method).uri(format!("{scheme}://{authority}{}", self.path));
        if let Some(kind) = kind {
            request = request.header(KIND_HEADER, kind);
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| !OF_HTTP1.contains(name)) {
            request = request.header(name, value);
        }
        if self.has_body {
            request = request.header(header::CONTENT_LENGTH, self.body.len());
        }
        request.body(body).map_err(|_| PrepareError::Path(self.path.clone()))
    }

    /// The body of the request.
    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    /// Appends the request as a line.
    pub(super) fn write_line(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.body);
        if !self.body.ends_with(b"\n") {
            to.extend_from_slice(b"\r\n");
        }
    }
}

fn read_value(name: &HeaderName, value: &str) -> Result<HeaderValue, PrepareError> {
    HeaderValue::from_str(value).map_err(|_| PrepareError::Header(name.clone()))
}

fn signature(sign: &Sign, body: &[u8]) -> HeaderValue {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(sign.secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    HeaderValue::from_str(&hex::encode(mac.finalize().into_bytes())).expect("hex digits make a header value")
}
