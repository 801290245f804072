use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens, and how it is spoken to: `http://127.0.0.1:8080`, `https://localhost:8443` (with TLS),
/// `unix:/run/server.sock` (HTTP on a unix socket), `https+unix:/run/server.sock` (with TLS on it),
/// `tcp://127.0.0.1:6379` (a line sent, a line answered).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) scheme: Scheme,
    /// Whether it is spoken to under TLS.
    pub(crate) tls: bool,
    pub(crate) place: Place,
    /// What goes into the `Host` header, and what a certificate must be for.
    pub(crate) authority: String,
    text: String,
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    /// Lines over TCP: no HTTP at all.
    Lines,
}

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// An address that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no address of a server: {why}; write http://HOST:PORT, https://HOST:PORT, unix:/PATH, https+unix:/PATH or tcp://HOST:PORT"
)]
pub struct AddressError {
    text: String,
    why: String,
}

impl Address {
    /// Plain HTTP at a socket address.
    pub(crate) fn http(socket: SocketAddr) -> Address {
        let authority = socket.to_string();
        Address {
            scheme: Scheme::Http,
            tls: false,
            place: Place::Tcp(socket),
            text: format!("http://{authority}"),
            authority,
        }
    }

    /// The same place, spoken to without TLS.
    pub(crate) fn without_tls(&self) -> Address {
        Address { tls: false, ..self.clone() }
    }

    /// The host, without its port: what a certificate must be for.
    pub(crate) fn host(&self) -> String {
        let host = self.authority.rsplit_once(':').map_or(self.authority.as_str(), |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    /// The TCP port, if it has one.
    pub(crate) fn port(&self) -> Option<u16> {
        match &self.place {
            Place::Tcp(socket) => Some(socket.port()),
            Place::Unix(_) => None,
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let wrong = |why: String| AddressError { text: text.to_owned(), why };
        let (unix, tls) = match text.strip_prefix("https+unix:") {
            Some(path) => (Some(path), true),
            None => (text.strip_prefix("unix:"), false),
        };
        if let Some(path) = unix {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(wrong("the path of the socket is missing".to_owned()));
            }
            let place = Place::Unix(PathBuf::from(path));
            return Ok(Address {
                scheme: Scheme::Http,
                tls,
                place,
                authority: "localhost".to_owned(),
                text: text.to_owned(),
            });
        }
        let (scheme, rest, usual) = if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest, Some(80))
        } else if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Http, rest, Some(443))
        } else if let Some(rest) = text.strip_prefix("tcp://") {
            (Scheme::Lines, rest, None)
        } else {
            return Err(wrong("its scheme is unknown".to_owned()));
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('/') {
            return Err(wrong("paths belong to the request kinds".to_owned()));
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let full = match (has_port, usual) {
            (true, _) => authority.to_owned(),
            (false, Some(port)) => format!("{authority}:{port}"),
            (false, None) => return Err(wrong("the port is missing".to_owned())),
        };
        let mut found = full.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
        // A name may stand for ::1 and 127.0.0.1; most servers listen on the latter.
        let sockets: Vec<SocketAddr> = found.by_ref().collect();
        let socket = sockets.iter().find(|socket| socket.is_ipv4()).or(sockets.first());
        let socket = *socket.ok_or_else(|| wrong("the host has no address".to_owned()))?;
        let tls = usual == Some(443);
        Ok(Address { scheme, tls, place: Place::Tcp(socket), authority: full, text: text.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_scheme_is_read() {
        let plain = read("http://127.0.0.1:8080");
        assert_eq!(
            (plain.scheme, plain.port(), plain.authority.as_str()),
            (Scheme::Http, Some(8080), "127.0.0.1:8080")
        );
        assert_eq!(read("http://[::1]:9").port(), Some(9));
        let secure = read("https://[::1]/");
        assert_eq!((secure.tls, secure.port(), secure.host().as_str()), (true, Some(443), "::1"));
        assert_eq!((plain.tls, plain.host().as_str()), (false, "127.0.0.1"));
        let unix = read("unix:/run/a.sock");
        assert_eq!(unix.place, Place::Unix("/run/a.sock".into()));
        assert_eq!(read("unix:///run/a.sock").place, unix.place);
        let secure = read("https+unix:/run/a.sock");
        assert_eq!((secure.tls, secure.host().as_str(), &secure.place), (true, "localhost", &unix.place));
        assert_eq!(read("tcp://127.0.0.1:6379").scheme, Scheme::Lines);
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, why) in [
            ("127.0.0.1:80", "its scheme is unknown"),
            ("http://127.0.0.1:80/path", "paths belong to the request kinds"),
            ("tcp://127.0.0.1", "the port is missing"),
            ("ftp://127.0.0.1", "its scheme is unknown"),
            ("unix:", "the path of the socket is missing"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(text), "{error}");
        }
    }
}
