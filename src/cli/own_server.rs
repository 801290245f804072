use std::path::PathBuf;

use clap::Args;
use heapsoak_driver::{HttpVersion, OwnServer, Scenario, ServerSource, check_url, split_command};

use crate::exit::Exit;
use crate::failure::Failure;

/// A server of the user's own, in place of the scenario's.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Your own server")]
pub(crate) struct OwnServerOptions {
    /// Start this server: program and arguments, as a shell would split them. It finds its port in PORT (or in place of
    /// {port}) and the probe's socket in HEAPSOAK_SOCKET, and ends with the run.
    #[arg(long, value_name = "CMD", conflicts_with_all = ["attach", "pid"])]
    spawn: Option<String>,
    /// Soak a server that runs: its probe listens on this socket. Needs --url.
    #[arg(long, value_name = "SOCKET", conflicts_with = "pid")]
    attach: Option<PathBuf>,
    /// Soak a process that runs without the probe, seen from outside. Needs --url.
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Where the server listens: http://HOST:PORT, https://HOST:PORT, unix:/PATH, https+unix:/PATH or tcp://HOST:PORT. On
    /// its own: soak whichever process listens there, without the probe.
    #[arg(long, value_name = "URL", value_parser = read_url)]
    url: Option<String>,
    /// Speak HTTP/2: with prior knowledge, or agreed on in the TLS handshake (ALPN).
    #[arg(long)]
    http2: bool,
    /// File with certificates in PEM to trust besides the system's, for a server with TLS.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Take any certificate from a server with TLS.
    #[arg(long)]
    insecure: bool,
    /// Path of a request that is answered once the server is ready; without it, a connection is enough.
    #[arg(long, value_name = "PATH")]
    ready: Option<String>,
    /// Prometheus endpoint of the server, for its own figures.
    #[arg(long, value_name = "URL")]
    metrics: Option<String>,
    /// HOST:PORT of Node's inspector (node --inspect), for the figures of V8's heap. Without a value, a Node that is
    /// spawned opens it by itself.
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, default_missing_value = "auto")]
    inspect: Option<String>,
}

impl OwnServerOptions {
    /// The server to soak in place of the scenario's; none if no option was given.
    pub(crate) fn apply(&self, scenario: &Scenario) -> Result<Option<OwnServer>, Failure> {
        let source = match (&self.spawn, &self.attach, self.pid) {
            (Some(command), _, _) => Some(ServerSource::Command(
                split_command(command).map_err(|why| Failure::new(Exit::Usage, format!("--spawn: {why}")))?,
            )),
            (None, Some(socket), _) => Some(ServerSource::Socket(socket.clone())),
            (None, None, Some(pid)) => Some(ServerSource::Process(Some(pid))),
            // An address alone is that of a server that runs.
            (None, None, None) => {
                self.url.as_ref().and_then(|_| match scenario.target.own.as_ref()?.source {
                    ServerSource::Command(_) => Some(ServerSource::Process(None)),
                    ServerSource::Socket(_) | ServerSource::Process(_) => None,
                })
            }
        };
        let nothing = source.is_none()
            && self.url.is_none()
            && !self.http2
            && self.ca.is_none()
            && !self.insecure
            && self.ready.is_none()
            && self.metrics.is_none()
            && self.inspect.is_none();
        if nothing {
            return Ok(None);
        }
        let known = scenario.target.own.clone();
        if known.is_none() && source.is_none() && self.url.is_none() {
            let why = "--http2, --ca, --insecure, --ready, --metrics and --inspect are for a server of your own: give --spawn, --attach, --pid or --url";
            return Err(Failure::new(Exit::Usage, why));
        }
        let mut own = known.unwrap_or_default();
        if let Some(source) = source {
            own.source = source;
        }
        own.url = self.url.clone().or(own.url);
        if self.http2 {
            own.http = HttpVersion::Two;
        }
        own.ca = self.ca.clone().or(own.ca);
        own.insecure = own.insecure || self.insecure;
        own.ready = self.ready.clone().or(own.ready);
        own.metrics = self.metrics.clone().or(own.metrics);
        own.inspect = self.inspect.clone().or(own.inspect);
        if own.ready.as_ref().is_some_and(|path| !path.starts_with('/')) {
            return Err(Failure::new(Exit::Usage, "--ready is the path of a request, e.g. /health"));
        }
        if own.inspect.as_deref() == Some("auto") && !matches!(own.source, ServerSource::Command(_)) {
            let why = "--inspect needs its HOST:PORT for a server that is not spawned";
            return Err(Failure::new(Exit::Usage, why));
        }
        if own.url.is_none() && !matches!(own.source, ServerSource::Command(_)) {
            let why = "where the server listens is not known: give it with --url";
            return Err(Failure::new(Exit::Usage, why));
        }
        Ok(Some(own))
    }
}

fn read_url(text: &str) -> Result<String, String> {
    check_url(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}
