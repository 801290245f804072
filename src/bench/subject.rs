//! What every subject's `main` does.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use axum::body::Body;
use futures_util::FutureExt;
use http::Request;
use http_body_util::BodyExt;
use rustix::time::{ClockId, clock_gettime};
use tower::{Service, ServiceExt};

use crate::pair;
use crate::scoping::Scoping;
use crate::server::{self, Client};
use crate::work::{Figures, Requests, Work};

/// Why a subject can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// Started by hand, most likely.
    #[error("the only argument must be the work as JSON: {0}")]
    Argument(#[from] serde_json::Error),
    /// Asked of the wrong subject.
    #[error("this allocator can't do that work")]
    Unable,
    /// The output can't be written.
    #[error("can't write the figures: {0}")]
    Output(#[from] io::Error),
}

/// Does the work given as the argument with a server as it is, and prints the figures.
pub fn run<S: Scoping>(scoping: S) -> ExitCode {
    run_with(|work| match work {
        Work::Requests(work) if !work.kinds && work.cohort_every.is_none() => {
            let (server, data) = server::router(scoping, work.entries);
            let figures = requests(work, server, |_| {});
            drop(data);
            Ok(figures)
        }
        Work::Pairs(work) => Ok(pair::run(work)),
        Work::Requests(_) | Work::Snapshots(_) => Err(SubjectError::Unable),
    })
}

/// Reads the work from the argument, does it, and prints the figures.
pub fn run_with(perform: impl FnOnce(&Work) -> Result<Figures, SubjectError>) -> ExitCode {
    let result = (|| {
        let work = serde_json::from_str(&std::env::args().nth(1).unwrap_or_default())?;
        let figures = perform(&work)?;
        writeln!(io::stdout(), "{}", serde_json::to_string(&figures)?)?;
        Ok::<_, SubjectError>(())
    })();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Sends the requests one after the other to a server in this process, and measures. `after_each` is told how many
/// were sent, and its time counts.
pub fn requests<S>(work: &Requests, mut server: S, mut after_each: impl FnMut(u32)) -> Figures
where
    S: Service<Request<Body>, Response = http::Response<Body>, Error = std::convert::Infallible> + Clone,
{
    let client = Client::new();
    for number in 0..work.warm_up {
        send(&client, &mut server, number);
        after_each(number + 1);
    }
    let (wall, cpu) = (Instant::now(), Clock::Process.now_ns());
    for number in work.warm_up..work.warm_up + work.requests {
        send(&client, &mut server, number);
        after_each(number + 1);
    }
    let cpu = Clock::Process.now_ns() - cpu;
    let wall = wall.elapsed().as_secs_f64() * 1e9;
    let each = f64::from(work.requests);
    measured_process(Figures { cpu_ns: cpu / each, wall_ns: wall / each, ..Figures::default() })
}

/// One request and its answer, read to the end. Nothing in this server waits, so no runtime is needed.
fn send<S>(client: &Client, server: &mut S, number: u32)
where
    S: Service<Request<Body>, Response = http::Response<Body>, Error = std::convert::Infallible> + Clone,
{
    let answer = server.clone().oneshot(client.request(number)).now_or_never().expect("nothing waits");
    let Ok(answer) = answer;
    assert!(answer.status().is_success(), "request {number}: {}", answer.status());
    let body = answer.into_body().collect().now_or_never().expect("the body is in memory");
    let body = body.expect("the body is in memory").to_bytes();
    assert!(body.len() > 256, "request {number}: an answer of {} bytes", body.len());
}

/// CPU clocks.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// Of all threads of this process.
    Process,
    /// Of the calling thread.
    Thread,
}

impl Clock {
    /// CPU time used so far, in nanoseconds.
    #[must_use]
    pub fn now_ns(self) -> f64 {
        let id = match self {
            Clock::Process => ClockId::ProcessCPUTime,
            Clock::Thread => ClockId::ThreadCPUTime,
        };
        let now = clock_gettime(id);
        now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
    }
}

/// Adds the memory of this process to the figures.
#[must_use]
pub fn measured_process(figures: Figures) -> Figures {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    Figures { resident_kib: kib("VmRSS:"), peak_kib: kib("VmHWM:"), ..figures }
}
