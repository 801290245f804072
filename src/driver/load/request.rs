use bytes::Bytes;
use heapsoak_record::wire::KIND_HEADER;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use sha2::Sha256;

use crate::scenario::{Sign, Step};
use crate::template::{Template, TemplateError, Values};

/// A request with every part filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prepared {
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
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
        let mut headers = Vec::with_capacity(step.headers.len() + 2);
        for (name, value) in &step.headers {
            headers.push((name.clone(), read_value(name, &value.render(values, now_ms)?)?));
        }
        let body = match &step.body {
            Some(body) => Bytes::from(body.render(values, now_ms)?),
            None => Bytes::new(),
        };
        if step.body.is_some() && !step.headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE) {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        if let Some(sign) = &step.sign {
            headers.push((sign.header.clone(), signature(sign, &body)));
        }
        Ok(Prepared { method: step.method.clone(), path, headers, body })
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

    /// As a request to a host, with its kind in the header the probe's layer reads.
    pub(super) fn to_request(
        &self,
        host: &str,
        kind: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, PrepareError> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse().map_err(|_| PrepareError::Path(self.path.clone()))?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, read_value(&header::HOST, host)?);
        if let Some(kind) = kind {
            headers.insert(KIND_HEADER, read_value(&HeaderName::from_static(KIND_HEADER), kind)?);
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(request)
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
