use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use heapsoak_record::wire::{PROTOCOL_VERSION, ProbeSnapshot, Request, Response};
use heapsoak_record::{OWN_COMPONENT, Unit};
use heapsoak_report::{Bytes, Count, Seconds, format_growth};

use super::followed::signed;
use super::trend::trend;
use super::view::{ComponentLine, ResourceLine, View};
use crate::exit::Exit;
use crate::failure::Failure;

/// Points of a series that are kept: an hour at one a second. Older ones are thinned out, never dropped.
const POINTS: usize = 3_600;

/// How long the probe may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// A server that carries the probe, by its socket. It is looked at, and sent no request of its own.
pub(super) struct Attached {
    socket: PathBuf,
    stream: BufReader<UnixStream>,
    pid: u32,
    since: Instant,
    /// Seconds and live bytes, by component.
    live: BTreeMap<String, Vec<(f64, f64)>>,
    first: Option<ProbeSnapshot>,
    /// Seconds and requests at the last look, of a server that counts them.
    requests: Option<(f64, u64)>,
}

impl Attached {
    pub(super) fn connect(socket: &Path) -> Result<Attached, Failure> {
        let refused = |why: String| {
            let remedy = "start the server with HEAPSOAK_SOCKET set to this path";
            Failure::new(Exit::Usage, format!("can't watch {}: {why}: {remedy}", socket.display()))
        };
        let stream = UnixStream::connect(socket).map_err(|error| refused(error.to_string()))?;
        stream.set_read_timeout(Some(ANSWER_TIME)).map_err(|error| refused(error.to_string()))?;
        let mut attached = Attached {
            socket: socket.to_owned(),
            stream: BufReader::new(stream),
            pid: 0,
            since: Instant::now(),
            live: BTreeMap::new(),
            first: None,
            requests: None,
        };
        match attached.ask(&Request::Hello)? {
            Response::Hello { protocol_version: PROTOCOL_VERSION, pid, .. } => attached.pid = pid,
            Response::Hello { protocol_version, probe_version, .. } => {
                return Err(Failure::new(
                    Exit::Usage,
                    format!(
                        "the probe {probe_version} speaks version {protocol_version} of the protocol, this heapsoak \
                         version {PROTOCOL_VERSION}: build both from the same release"
                    ),
                ));
            }
            other => return Err(attached.unexpected(&other)),
        }
        Ok(attached)
    }

    fn ask(&mut self, request: &Request) -> Result<Response, Failure> {
        let mut answer = String::new();
        let asked = || -> io::Result<()> {
            let mut line = serde_json::to_string(request)?;
            line.push('\n');
            self.stream.get_mut().write_all(line.as_bytes())?;
            match self.stream.read_line(&mut answer)? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(()),
            }
        };
        let mut asked = asked;
        asked().map_err(|error| {
            let why = format!("the server at {} is gone, or does not answer: {error}", self.socket.display());
            Failure::new(Exit::TargetDied, why)
        })?;
        serde_json::from_str(&answer).map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("{} answers what no probe says: {error}", self.socket.display()),
            )
        })
    }

    fn unexpected(&self, answer: &Response) -> Failure {
        let said = match answer {
            Response::Error { message } => message.clone(),
            _ => "something else than was asked".to_owned(),
        };
        Failure::new(Exit::Internal, format!("the probe at {} answered: {said}", self.socket.display()))
    }

    pub(super) fn look(&mut self) -> Result<View, Failure> {
        let snapshot = match self.ask(&Request::Snapshot)? {
            Response::Snapshot(snapshot) => *snapshot,
            other => return Err(self.unexpected(&other)),
        };
        let seconds = self.since.elapsed().as_secs_f64();
        self.take_in(&snapshot, seconds);
        let requests = snapshot.requests.map_or_else(String::new, |now| self.count_requests(now, seconds));
        let first = self.first.get_or_insert_with(|| snapshot.clone());
        let resources = snapshot.resources.iter().map(|resource| {
            let before = first.resources.iter().find(|other| other.name == resource.name);
            let change = resource.value as f64 - before.map_or(0, |other| other.value) as f64;
            let written = |number: f64| match resource.unit {
                Unit::Bytes => Bytes(number).to_string(),
                Unit::Count => Count(number).to_string(),
            };
            ResourceLine {
                name: resource.name.clone(),
                value: written(resource.value as f64),
                since_start: signed(&written(change)),
            }
        });
        let mut view = View {
            title: format!("process {} · {}", self.pid, self.socket.display()),
            progress: format!(
                "watched for {}{requests} · {} alive in {} blocks",
                Seconds(seconds.round()),
                Bytes(snapshot.heap.total_live_bytes as f64),
                Count(snapshot.heap.total_live_blocks as f64)
            ),
            done: None,
            per: "per minute",
            components: self.live.iter().map(|(name, points)| line(name, points)).collect(),
            resources: resources.collect(),
            foot: "a trend, not a verdict: nobody waits for the server to rest · q to leave".to_owned(),
        };
        view.sort();
        Ok(view)
    }

    /// Requests so far and a second, in words: ` · 1,200 requests · 40 a second`.
    fn count_requests(&mut self, now: u64, seconds: f64) -> String {
        let mut words = format!(" · {} requests", Count(now as f64));
        if let Some((then, before)) = self.requests.replace((seconds, now))
            && seconds > then
        {
            let rate = now.saturating_sub(before) as f64 / (seconds - then);
            words.push_str(&format!(" · {} a second", Count(rate.round())));
        }
        words
    }

    fn take_in(&mut self, snapshot: &ProbeSnapshot, seconds: f64) {
        let mut live: BTreeMap<&str, u64> = self.live.keys().map(|name| (name.as_str(), 0)).collect();
        for context in snapshot.heap.contexts.iter().filter(|context| context.component() != OWN_COMPONENT) {
            *live.entry(context.component()).or_default() += context.live_bytes();
        }
        let live: Vec<(String, u64)> =
            live.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        for (name, bytes) in live {
            let points = self.live.entry(name).or_default();
            points.push((seconds, bytes as f64));
            if points.len() > POINTS {
                let mut index = 0;
                points.retain(|_| {
                    index += 1;
                    index % 2 == 0
                });
            }
        }
    }
}

fn line(name: &str, points: &[(f64, f64)]) -> ComponentLine {
    let found = trend(points).map(|growth| growth.scaled(60.0));
    let (growth, interval) = found.map_or_else(Default::default, |growth| format_growth(growth, Unit::Bytes));
    ComponentLine {
        name: name.to_owned(),
        verdict: match found {
            Some(growth) if growth.low > 0.0 => "rising",
            Some(growth) if growth.high < 0.0 => "falling",
            Some(_) => "steady",
            None => "",
        },
        is_bad: false,
        live: points.iter().map(|point| point.1 as u64).collect(),
        growth,
        interval,
        rate: found.map_or(0.0, |growth| growth.estimate),
    }
}
