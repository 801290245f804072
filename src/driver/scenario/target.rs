use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Spanned;

use super::ScenarioError;
use super::file::Names;
use super::problem::Source;
use crate::target::{Address, AddressError};

/// Secret of a scenario that names none.
const SECRET: &str = "heapsoak-webhook-secret";

/// The server under test as a scenario wants it: the built-in one, unless it names another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetSpec {
    /// Defects of the built-in server to switch on: names, components, or `all`; empty for the healthy server.
    pub as_found: Vec<String>,
    /// Further arguments for the built-in server.
    pub args: Vec<String>,
    /// Secret that requests are signed with.
    pub secret: String,
    /// Another server than the built-in one.
    pub own: Option<OwnServer>,
}

/// A server that is not the built-in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnServer {
    /// How the tool comes by it.
    pub source: ServerSource,
    /// Where it listens, as an [`Address`]. A server that is started gets a free port, in the variable `PORT` and in place
    /// of `{port}` in its command, environment and addresses, unless this names another.
    pub url: Option<String>,
    /// How HTTP is spoken there.
    pub http: HttpVersion,
    /// A file with certificates in PEM that are trusted besides the system's, for addresses of TLS.
    pub ca: Option<PathBuf>,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// Path of a request that is answered once the server is ready; without one, a connection is enough.
    pub ready: Option<String>,
    /// Variables for its environment.
    pub environment: BTreeMap<String, String>,
    /// Folder to start it in.
    pub directory: Option<PathBuf>,
    /// Its data folder, for scenarios that make it unwritable.
    pub data: Option<PathBuf>,
    /// A Prometheus endpoint: `http://HOST:PORT/path`.
    pub metrics: Option<String>,
    /// Gauges of that endpoint that are looked at besides those of memory, descriptors and threads everybody knows.
    pub gauges: Vec<String>,
    /// Where Node's inspector listens: `HOST:PORT`; `auto` has Node open it at a free port.
    pub inspect: Option<String>,
}

/// Version of HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "1.1")]
    One,
    /// HTTP/2: with prior knowledge, or agreed on in the TLS handshake (ALPN).
    #[serde(rename = "2")]
    Two,
}

/// How the tool comes by a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerSource {
    /// It is started: program and arguments.
    Command(Vec<String>),
    /// It runs, and its probe listens on this socket.
    Socket(PathBuf),
    /// It runs, without the probe; the process, or whoever listens at the address.
    Process(Option<u32>),
}

impl Default for ServerSource {
    fn default() -> ServerSource {
        ServerSource::Process(None)
    }
}

/// The table `[target]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TargetFile {
    /// Defects of the built-in server.
    #[serde(default)]
    pub(super) as_found: Names,
    /// Further arguments for the built-in server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) args: Vec<String>,
    /// Secret that requests are signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    /// Program and arguments of a server of your own that is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Words>")]
    pub(super) command: Option<Spanned<Words>>,
    /// Socket of the probe of a server that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PathBuf>")]
    pub(super) attach: Option<Spanned<PathBuf>>,
    /// Where the server listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) url: Option<Spanned<String>>,
    /// Version of HTTP: "1.1" (the default) or "2".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HttpVersion>")]
    pub(super) http: Option<Spanned<HttpVersion>>,
    /// Certificates in PEM that are trusted besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PathBuf>")]
    pub(super) ca: Option<Spanned<PathBuf>>,
    /// Whether any certificate will do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) insecure: bool,
    /// Path of a request that is answered once the server is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) ready: Option<Spanned<String>>,
    /// Variables for its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) env: BTreeMap<String, String>,
    /// Folder to start it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) directory: Option<PathBuf>,
    /// Its data folder, for stages that make it unwritable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<PathBuf>,
    /// Prometheus endpoint of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) metrics: Option<Spanned<String>>,
    /// Gauges of that endpoint to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) gauges: Vec<String>,
    /// Where Node's inspector listens: HOST:PORT, or auto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) inspect: Option<Spanned<String>>,
}

impl TargetFile {
    /// Whether HTTP/2 is spoken.
    pub(super) fn is_http2(&self) -> bool {
        self.http.as_ref().is_some_and(|http| *http.get_ref() == HttpVersion::Two)
    }
}

/// Program and arguments: a list, or a text as a shell would split it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Words(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Words, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text, or a list of texts")]
        enum Either {
            Text(String),
            List(Vec<String>),
        }
        let words = match Either::deserialize(deserializer)? {
            Either::List(words) => words,
            Either::Text(text) => split_command(&text).map_err(serde::de::Error::custom)?,
        };
        if words.is_empty() {
            return Err(serde::de::Error::custom("a command without a program"));
        }
        Ok(Words(words))
    }
}

/// Splits a command into words as a shell would, without running one.
///
/// # Errors
///
/// Says what is wrong with it, in a sentence.
pub fn split_command(text: &str) -> Result<Vec<String>, String> {
    match shlex::split(text) {
        Some(words) if !words.is_empty() => Ok(words),
        Some(_) => Err("a command without a program".to_owned()),
        None => Err(format!("a quote in the command is not closed: {text}")),
    }
}

/// Checks where a server is said to listen; `{port}` may stand for its port.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn check_url(url: &str) -> Result<(), AddressError> {
    url.replace("{port}", "1").parse::<Address>().map(drop)
}

/// Checks the table `[target]`.
pub(super) fn read_target(file: Option<&TargetFile>, source: &Source) -> Result<TargetSpec, ScenarioError> {
    let target = file.cloned().unwrap_or_default();
    let problem = |span, message: &str| Err(source.problem(span, message));
    let own = match (&target.command, &target.attach) {
        (Some(command), Some(_)) => {
            return problem(command.span(), "a target is started by its command or attached to, not both");
        }
        (Some(command), None) => Some(ServerSource::Command(command.get_ref().0.clone())),
        (None, Some(socket)) => Some(ServerSource::Socket(socket.get_ref().clone())),
        (None, None) => target.url.as_ref().map(|_| ServerSource::Process(None)),
    };
    let Some(how) = own else {
        if let Some(inspect) = &target.inspect {
            return problem(inspect.span(), "the built-in server has no inspector: name a command or a url");
        }
        if let Some(ready) = &target.ready {
            return problem(ready.span(), "the built-in server says itself when it is ready");
        }
        if let Some(http) = target.http.as_ref().filter(|http| *http.get_ref() != HttpVersion::One) {
            return problem(http.span(), "the built-in server speaks HTTP/1.1: name a command or a url");
        }
        if let Some(ca) = &target.ca {
            return problem(ca.span(), "the built-in server speaks no TLS: name a command or a url");
        }
        if let Some(metrics) = &target.metrics {
            return problem(
                metrics.span(),
                "the built-in server has no such endpoint: name a command or a url",
            );
        }
        return Ok(TargetSpec { own: None, ..builtin(target) });
    };
    if !target.as_found.0.is_empty() || !target.args.is_empty() {
        return problem(
            0..0,
            "as-found and args are for the built-in server: put arguments into the command",
        );
    }
    let url = match &target.url {
        Some(url) => {
            check_url(url.get_ref()).map_err(|error| source.problem(url.span(), error))?;
            Some(url.get_ref().clone())
        }
        None => None,
    };
    if let (ServerSource::Socket(_), None) = (&how, &url) {
        return problem(0..0, "a server that is attached to needs its url");
    }
    if let Some(ready) = target.ready.as_ref().filter(|ready| !ready.get_ref().starts_with('/')) {
        return problem(ready.span(), "ready is the path of a request, e.g. \"/health\"");
    }
    if let Some(ca) = target.ca.as_ref().filter(|_| target.insecure) {
        return problem(ca.span(), "with insecure = true no certificate is looked at: leave one of them out");
    }
    let own = OwnServer {
        source: how,
        url,
        http: target.http.as_ref().map_or_else(HttpVersion::default, |http| *http.get_ref()),
        ca: target.ca.clone().map(Spanned::into_inner),
        insecure: target.insecure,
        ready: target.ready.clone().map(Spanned::into_inner),
        environment: target.env.clone(),
        directory: target.directory.clone(),
        data: target.data.clone(),
        metrics: target.metrics.clone().map(Spanned::into_inner),
        gauges: target.gauges.clone(),
        inspect: target.inspect.clone().map(Spanned::into_inner),
    };
    Ok(TargetSpec { own: Some(own), ..builtin(target) })
}

fn builtin(target: TargetFile) -> TargetSpec {
    TargetSpec {
        as_found: target.as_found.0,
        args: target.args,
        secret: target.secret.unwrap_or_else(|| SECRET.to_owned()),
        own: None,
    }
}
