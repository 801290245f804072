use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server can't serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration can't be used.
    #[error("{0}")]
    Config(String),
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}; choose another address with --listen, or port 0")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The data folder, or a file in it, can't be used.
    #[error("can't use {path}: {source}")]
    Data {
        /// The folder or file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another server uses the data folder.
    #[error("the data folder {0} is used by another server: choose another one with --data")]
    DataInUse(PathBuf),
    /// The system refused something while serving.
    #[error("can't serve: {0}")]
    Serve(#[from] io::Error),
}

impl ServeError {
    /// Whether whoever started the server can mend it by starting it otherwise.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, ServeError::Serve(_))
    }
}
