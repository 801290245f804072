//! A server, its probe and its tracker in a few lines each, for the driver's own tests.
//!
//! Arguments after `__autopilot`: `--log FILE` appends a line per request, `--die-after N` exits with 7 at that request,
//! `--refuse` exits with 2 at once, `--once` does if the log is there, `--mute` never says where it listens, `--orphan` leaves a process behind.

mod http;
mod probe;
mod web;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, exit};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, io, thread};

use heapsoak_record::Captured;

/// What the fake server knows.
#[derive(Debug, Default)]
struct State {
    /// Requests by kind.
    requests: BTreeMap<String, u64>,
    busy: i64,
    advanced_ms: u64,
    cohort: u32,
    captured: Vec<Captured>,
    /// Blocks and bytes of the control.
    planted: (u64, u64),
    log: Option<File>,
    die_after: Option<u64>,
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("__tracker") => serve_tracker(),
        Some("__autopilot") => serve(&arguments.collect::<Vec<_>>()),
        Some("__clocked") => serve_clocked(&arguments.next().expect("the path of a log")),
        Some("__web") => serve_web(&arguments.collect::<Vec<_>>()),
        Some("__orphan") => loop {
            thread::park();
        },
        role => {
            eprintln!("unknown role {role:?}");
            ExitCode::FAILURE
        }
    }
}

fn serve_tracker() -> ExitCode {
    say("listening on 127.0.0.1:9");
    wait_for_stdin();
    ExitCode::SUCCESS
}

fn serve(arguments: &[String]) -> ExitCode {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let value = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1)
    };
    if has("--refuse") {
        eprintln!("error: the port is in use");
        return ExitCode::from(2);
    }
    if has("--once") && value("--log").is_some_and(|log| std::path::Path::new(log).exists()) {
        eprintln!("error: the port is in use");
        return ExitCode::from(2);
    }
    if has("--mute") {
        eprintln!("thread 'main' panicked at nothing in particular");
        return ExitCode::from(101);
    }
    if has("--orphan") {
        leave_behind(value("--log").map_or("", String::as_str));
    }
    let state = Arc::new(Mutex::new(State {
        log: value("--log").map(|path| open_log(path)),
        die_after: value("--die-after").map(|number| number.parse().expect("a number")),
        ..State::default()
    }));
    probe::start(&state);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    say(&format!("listening on {}", listener.local_addr().expect("it is bound")));
    thread::spawn(|| {
        wait_for_stdin();
        exit(0);
    });
    for stream in listener.incoming().map_while(Result::ok) {
        let state = Arc::clone(&state);
        thread::spawn(move || answer_all(&stream, &state));
    }
    ExitCode::SUCCESS
}

/// Serves without a probe, at the port it is told, and appends the system's time in milliseconds to a log at each request.
fn serve_clocked(log: &str) -> ExitCode {
    let port: u16 =
        env::var("PORT").ok().and_then(|port| port.parse().ok()).expect("the driver names a port");
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let log = Arc::new(Mutex::new(OpenOptions::new().create(true).append(true).open(log).expect("a log")));
    for stream in listener.incoming().map_while(Result::ok) {
        let log = Arc::clone(&log);
        thread::spawn(move || {
            while let Ok(Some(request)) = http::read(&stream) {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
                if request.path == "/ok" {
                    writeln!(log.lock().expect("no thread panics"), "{}", now.as_millis())
                        .expect("it can be written");
                }
                if http::write(&stream, 200, "{}").is_err() {
                    return;
                }
            }
        });
    }
    ExitCode::SUCCESS
}

fn serve_web(arguments: &[String]) -> ExitCode {
    let value = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let log = value("--log").map(open_log);
    let state = Arc::new(Mutex::new(State { log, ..State::default() }));
    probe::start(&state);
    web::serve(value("--listen").expect("it is said where to listen"), value("--tls"), &state);
    ExitCode::SUCCESS
}

fn open_log(path: &str) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("the log can be opened")
}

/// Leaves a process behind in a group of its own, whose parent ends at once; `mark` is on its command line.
fn leave_behind(mark: &str) {
    let program = env::current_exe().expect("the program has a path");
    let script = format!("'{}' __orphan '{mark}' >/dev/null 2>&1 </dev/null & ", program.display());
    let mut shell = Command::new("sh").arg("-c").arg(script).process_group(0).spawn().expect("sh runs");
    shell.wait().expect("it was started");
}

fn answer_all(stream: &TcpStream, state: &Mutex<State>) {
    while let Ok(Some(request)) = http::read(stream) {
        if let Some(millis) = request.path.strip_prefix("/slow/") {
            thread::sleep(Duration::from_millis(millis.parse().expect("a number")));
        }
        let mut state = state.lock().expect("no thread panics");
        let (status, body) = answer(&request, &mut state);
        log(&request, &mut state);
        drop(state);
        if http::write(stream, status, &body).is_err() {
            return;
        }
    }
}

fn log(request: &http::Request, state: &mut State) {
    let kind = request.header("heapsoak-kind").unwrap_or_default();
    let signature = request.header("linear-signature").unwrap_or_default();
    let line = format!("{kind} {} {} {} {signature}\n", request.method, request.path, request.body);
    if let Some(log) = &mut state.log {
        log.write_all(line.as_bytes()).expect("the log can be written");
    }
}

fn answer(request: &http::Request, state: &mut State) -> (u16, String) {
    let kind = request.header("heapsoak-kind").unwrap_or_default();
    *state.requests.entry(kind.to_owned()).or_default() += 1;
    let answered: u64 = state.requests.values().sum();
    if state.die_after.is_some_and(|most| answered > most) {
        eprintln!("fake: dying as told");
        exit(7);
    }
    match request.path.split_once("/status/") {
        Some((_, status)) => (status.parse().unwrap_or(500), "{}".to_owned()),
        None if request.path == "/hold" => {
            state.busy += 1;
            (202, "{}".to_owned())
        }
        None => (200, format!("{{\"id\":\"s-{answered}\",\"nested\":{{\"number\":7}}}}")),
    }
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("stdout is open");
}

fn wait_for_stdin() {
    let mut rest = Vec::new();
    let _ended = io::stdin().lock().read_to_end(&mut rest);
}
