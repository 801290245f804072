//! Servers of the user's own: started by a command, attached to by the socket of their probe, or only looked at.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use heapsoak_record::wire::{PROFILE_VARIABLE, PROFILER_VARIABLE, SOCKET_VARIABLE};
use tokio::time::sleep;

use super::foreign::Foreign;
use super::leftovers::{self, Marked};
use super::process::Process;
use super::start::{START_TIME, create_folder, make_mark, spawn as start_process, why_it_ended, words};
use super::tls::Trust;
use super::{Address, AddressError, Again, Dial, FakeTime, Ready, Server, Target};
use crate::data::DataFolder;
use crate::load::{Connection, Prepared};
use crate::observer::Observer;
use crate::outside::{Outside, find_listener, memory_limit};
use crate::probe::{Probe, ProbeError};
use crate::run_error::RunError;
use crate::scenario::OwnServer;

/// Variable a server without a url of its own is told its port in.
const PORT_VARIABLE: &str = "PORT";

/// Variable with the secret that requests are signed with.
const SECRET_VARIABLE: &str = "HEAPSOAK_SECRET";

/// What stands for the port in commands and addresses.
const PORT_PLACE: &str = "{port}";

/// Where Node's inspector is to listen when nobody minds where.
const AUTO: &str = "auto";

/// Variable Node takes options from.
const NODE_OPTIONS: &str = "NODE_OPTIONS";

/// Time between two tries to reach a server that starts.
const RETRY: Duration = Duration::from_millis(10);

/// How long after a server is ready its probe may take to listen: `heapsoak_probe::start` comes first in `main`.
const PROBE_TIME: Duration = Duration::from_millis(300);

/// What a server that does not come up has not done.
const ANSWER: &str = "answer";

/// Starts a command and waits until its server is ready.
pub(super) async fn spawn(
    server: &OwnServer,
    command: &[String],
    secret: &str,
    fake_time: Option<&Path>,
) -> Result<Ready, RunError> {
    leftovers::adopt_orphans();
    let folder = create_folder()?;
    let socket = folder.path().join("probe.sock");
    let mark = make_mark();
    let marked = Marked::new(&mark);
    let free = server.url.as_ref().is_none_or(|url| url.contains(PORT_PLACE));
    let port = if free { Some(find_free_port()?) } else { None };
    let fill =
        |text: &str| port.map_or_else(|| text.to_owned(), |port| text.replace(PORT_PLACE, &port.to_string()));
    let url = server.url.as_deref().unwrap_or("http://127.0.0.1:{port}");
    let address: Address =
        fill(url).parse().map_err(|error: AddressError| RunError::Input(error.to_string()))?;
    let port = port.or(address.port());
    let dial = dial(server, address)?;
    let fill =
        |text: &str| port.map_or_else(|| text.to_owned(), |port| text.replace(PORT_PLACE, &port.to_string()));
    let (inspect, node_options) = match server.inspect.as_deref() {
        Some(AUTO) => {
            let inspect = format!("127.0.0.1:{}", find_free_port()?);
            let options = std::env::var(NODE_OPTIONS).unwrap_or_default();
            (Some(inspect.clone()), Some(format!("{options} --inspect={inspect}").trim().to_owned()))
        }
        Some(given) => (Some(given.to_owned()), None),
        None => (None, None),
    };
    refuse_taken(&dial).await?;
    let [program, arguments @ ..] = command else {
        return Err(RunError::Input("the target's command names no program".to_owned()));
    };
    let mut process = Command::new(fill(program));
    process.args(arguments.iter().map(|argument| fill(argument)));
    process.env_remove(PROFILER_VARIABLE).env_remove(PROFILE_VARIABLE);
    process.env(leftovers::MARK, &mark).env(SOCKET_VARIABLE, &socket).env(SECRET_VARIABLE, secret);
    if let Some(port) = port {
        process.env(PORT_VARIABLE, port.to_string());
    }
    if let Some(options) = node_options {
        process.env(NODE_OPTIONS, options);
    }
    process.envs(server.environment.iter().map(|(name, value)| (name, fill(value))));
    if let Some(directory) = &server.directory {
        process.current_dir(directory);
    }
    let fake_time =
        fake_time.map(|library| FakeTime::begin(library, folder.path(), &mut process)).transpose()?;
    let command = words(&process);
    // As it is to be looked at: with the port that it has now.
    let server = OwnServer { inspect, metrics: server.metrics.as_deref().map(fill), ..server.clone() };
    let (started, observer, pid) = bring_up(&mut process, &server, &dial, &socket).await?;
    if let Some(fake_time) = &fake_time {
        fake_time.check(pid)?;
    }
    let again = Again::Own { command: process, socket, server: Box::new(server.clone()) };
    let target = Target {
        server: Server::Started(started),
        again: Some(again),
        fake_time,
        _tracker: None,
        _marked: Some(marked),
        name: command.join(" "),
        command,
        pid,
        dial,
        ready: ready_path(&server),
        data: server.data.as_ref().map(|data| DataFolder::new(in_folder(&server, data))),
        _folder: Some(folder),
    };
    Ok(Ready { target, observer, memory_limit_bytes: memory_limit(pid) })
}

/// Starts the server, waits until it is ready, and finds out who can tell what it holds.
pub(super) async fn bring_up(
    command: &mut Command,
    server: &OwnServer,
    dial: &Dial,
    socket: &Path,
) -> Result<(Process, Observer, u32), RunError> {
    let mut process = start_process(command)?;
    wait_until_ready(server, dial, &mut process).await?;
    let (observer, pid) = match reach_probe(socket, &process).await? {
        Some((probe, pid)) => (Observer::Probe(Box::new(probe)), pid),
        None => {
            let pid = find_listener(&dial.address, Some(process.id())).unwrap_or_else(|| process.id());
            (look(server, pid).await?, pid)
        }
    };
    Ok((process, observer, pid))
}

/// Attaches to the probe of a server that runs.
pub(super) async fn attach(server: &OwnServer, socket: &Path) -> Result<Ready, RunError> {
    let dial = dial(server, address_of(server)?)?;
    let (probe, hello) = Probe::connect(socket).await.map_err(|error| {
        RunError::WouldNotStart(format!(
            "no probe answers at {}: {error}: is the server running with HEAPSOAK_SOCKET set to this path?",
            socket.display()
        ))
    })?;
    refuse_silent(server, &dial).await?;
    let name = format!("process {} (attached at {})", hello.pid, socket.display());
    let observer = Observer::Probe(Box::new(probe));
    found(server, dial, hello.pid, name, observer, hello.memory_limit_bytes)
}

/// Looks at a server that runs, from outside.
pub(super) async fn watch(server: &OwnServer, pid: Option<u32>) -> Result<Ready, RunError> {
    let dial = dial(server, address_of(server)?)?;
    refuse_silent(server, &dial).await?;
    let pid = pid.or_else(|| find_listener(&dial.address, None)).ok_or_else(|| {
        RunError::WouldNotStart(format!(
            "which process listens at {} can't be seen: give it with --pid, or run as its user",
            dial.address
        ))
    })?;
    let observer = look(server, pid).await?;
    let name = format!("process {pid} at {}", dial.address);
    found(server, dial, pid, name, observer, memory_limit(pid))
}

fn found(
    server: &OwnServer,
    dial: Dial,
    pid: u32,
    name: String,
    observer: Observer,
    memory_limit_bytes: Option<u64>,
) -> Result<Ready, RunError> {
    let foreign =
        Foreign::watch(pid).ok_or_else(|| RunError::WouldNotStart(format!("there is no process {pid}")))?;
    let target = Target {
        server: Server::Found(foreign),
        again: None,
        fake_time: None,
        _tracker: None,
        _marked: None,
        name,
        command: Vec::new(),
        pid,
        dial,
        ready: ready_path(server),
        data: server.data.as_ref().map(|data| DataFolder::new(data.clone())),
        _folder: None,
    };
    Ok(Ready { target, observer, memory_limit_bytes })
}

async fn look(server: &OwnServer, pid: u32) -> Result<Observer, RunError> {
    let outside = Outside::new(pid, server.metrics.as_deref(), &server.gauges, server.inspect.as_deref());
    let mut outside = outside.await.map_err(RunError::WouldNotStart)?;
    outside.look().await.map_err(|error| RunError::WouldNotStart(error.to_string()))?;
    Ok(Observer::Outside(Box::new(outside)))
}

fn address_of(server: &OwnServer) -> Result<Address, RunError> {
    let missing = "where the server listens is not known: give it with --url, or as url in [target]";
    let url = server.url.as_deref().ok_or_else(|| RunError::Input(missing.to_owned()))?;
    url.parse().map_err(|error: AddressError| RunError::Input(error.to_string()))
}

fn dial(server: &OwnServer, address: Address) -> Result<Dial, RunError> {
    let trust = Trust { ca: server.ca.as_deref(), insecure: server.insecure };
    Dial::new(address, server.http, &trust).map_err(RunError::Input)
}

fn ready_path(server: &OwnServer) -> String {
    server.ready.clone().unwrap_or_else(|| "/".to_owned())
}

fn in_folder(server: &OwnServer, path: &Path) -> PathBuf {
    server.directory.as_ref().map_or_else(|| path.to_owned(), |directory| directory.join(path))
}

/// Nobody has it now; whoever starts a server takes it in a moment.
fn find_free_port() -> Result<u16, RunError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| RunError::internal("no port is free", error))
}

/// Requests for a server that is about to start must not go to another one.
async fn refuse_taken(dial: &Dial) -> Result<(), RunError> {
    // Whatever it speaks.
    match Connection::new(Dial::plain(dial.address.without_tls())).open().await {
        Ok(()) => Err(RunError::Input(format!(
            "something else listens at {} already: stop it, or choose another url",
            dial.address
        ))),
        Err(_) => Ok(()),
    }
}

/// Why a server is not ready.
struct NotReady {
    why: String,
    /// It is there and will never be.
    for_good: bool,
}

/// A server that is said to run has to answer.
async fn refuse_silent(server: &OwnServer, dial: &Dial) -> Result<(), RunError> {
    let silent = |not: NotReady| {
        RunError::WouldNotStart(format!("no server answers at {}: {}", dial.address, not.why))
    };
    is_ready(server, dial).await.map_err(silent)
}

async fn is_ready(server: &OwnServer, dial: &Dial) -> Result<(), NotReady> {
    let mut connection = Connection::new(dial.clone());
    let sent = match &server.ready {
        None => connection.open().await.map(|()| None),
        Some(path) => connection.send(&Prepared::get(path), None).await.map(Some),
    };
    match (sent, &server.ready) {
        (Ok(Some(answer)), Some(path)) if answer.status >= 500 => {
            Err(NotReady { why: format!("GET {path} is answered {}", answer.status), for_good: false })
        }
        (Ok(_), _) => Ok(()),
        (Err(error), _) => Err(NotReady { for_good: error.is_distrust(), why: error.to_string() }),
    }
}

async fn wait_until_ready(server: &OwnServer, dial: &Dial, process: &mut Process) -> Result<(), RunError> {
    let start = Instant::now();
    loop {
        let Err(NotReady { why, for_good }) = is_ready(server, dial).await else { return Ok(()) };
        if for_good {
            process.end_now();
            return Err(RunError::Input(format!("the server at {} is not trusted: {why}", dial.address)));
        }
        if *process.died().borrow() {
            return Err(why_it_ended(process, "the server", ANSWER).await);
        }
        if start.elapsed() >= START_TIME {
            let missing = format!("answer at {} ({why})", dial.address);
            return Err(why_it_ended(process, "the server", &missing).await);
        }
        sleep(RETRY).await;
    }
}

/// Connects to the probe of a server that is ready; none if it has none.
async fn reach_probe(socket: &Path, process: &Process) -> Result<Option<(Probe, u32)>, RunError> {
    let start = Instant::now();
    loop {
        match Probe::connect(socket).await {
            Ok((probe, hello)) => return Ok(Some((probe, hello.pid))),
            Err(ProbeError::Io(_)) if *process.died().borrow() => return Ok(None),
            Err(ProbeError::Io(_)) if start.elapsed() >= PROBE_TIME => return Ok(None),
            Err(ProbeError::Io(_)) => sleep(RETRY).await,
            Err(error) => {
                return Err(RunError::WouldNotStart(format!(
                    "the server runs, but its probe can't be asked: {error}"
                )));
            }
        }
    }
}
