use std::io;

use tokio_rustls::TlsConnector;

use super::tls::{self, Trust};
use super::{Address, Place};
use crate::load::Stream;
use crate::scenario::HttpVersion;

/// Everything it takes to connect to a server, and how it is spoken to then.
#[derive(Clone)]
pub(crate) struct Dial {
    pub(crate) address: Address,
    pub(crate) http: HttpVersion,
    /// Whether a connection carries more than one request.
    pub(crate) keep_alive: bool,
    tls: Option<TlsConnector>,
}

impl Dial {
    /// HTTP/1.1, or whatever plain way the address says.
    pub(crate) fn plain(address: Address) -> Dial {
        Dial { address, http: HttpVersion::One, keep_alive: true, tls: None }
    }

    /// Prepares for TLS too, if the address is one of TLS.
    ///
    /// # Errors
    ///
    /// Says which certificate can't be used, and why.
    pub(crate) fn new(address: Address, http: HttpVersion, trust: &Trust<'_>) -> Result<Dial, String> {
        let tls = if address.tls { Some(tls::prepare(trust, http)?) } else { None };
        Ok(Dial { address, http, keep_alive: true, tls })
    }

    /// The same, with connections that are closed after each request, or not.
    pub(crate) fn with_keep_alive(&self, keep_alive: bool) -> Dial {
        Dial { keep_alive, ..self.clone() }
    }

    /// Connects.
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        let stream = match &self.address.place {
            Place::Tcp(socket) => Stream::connect_tcp(*socket).await?,
            Place::Unix(path) => Stream::connect_unix(path).await?,
        };
        if !self.address.tls {
            return Ok(stream);
        }
        let missing = || io::Error::other("TLS is not spoken here");
        let connector = self.tls.as_ref().ok_or_else(missing)?;
        let name = self.address.host().try_into().map_err(io::Error::other)?;
        stream.secure(connector, name, self.http == HttpVersion::Two).await
    }
}

impl std::fmt::Debug for Dial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dial")
            .field("address", &self.address)
            .field("http", &self.http)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}
