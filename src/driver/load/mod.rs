//! Sends the requests of a cycle and checks the answers.

mod check;
mod connection;
mod fault;
mod http1;
mod http2;
mod outgoing;
mod patience;
mod request;
mod schedule;
mod serial;
mod stream;
mod tally;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::SetOnce;

use crate::clock::Clock;
use crate::cycle::{Numbering, PlannedFlow};
use crate::scenario::{Answers, Fault, Rate, Replay, Scenario, Step};
use crate::target::{Dial, Scheme};
use crate::template::Values;
pub(crate) use connection::{Connection, SendError};
pub(crate) use http1::Answer;
use http1::AnswerError;
use request::PrepareError;
pub(crate) use request::Prepared;
use schedule::{Alarm, last_for, list_due};
pub(crate) use stream::Stream;
use tally::Moment;
pub(crate) use tally::Tally;

/// The load on a server: as many connections as requests may be in flight.
#[derive(Debug)]
pub(crate) struct Load {
    connections: Vec<Connection>,
    keep_alive: bool,
    http2_connections: u32,
    numbering: Numbering,
    fixed: Fixed,
    /// One for each connection, if anything is sent at a rate.
    alarms: Vec<Alarm>,
}

/// The requests of steps that have nothing to fill in, made once: by kind and step.
type Fixed = Vec<Vec<OnceLock<Arc<Prepared>>>>;

/// Flows of a stage, about to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) cycle: u32,
    pub(crate) flows: &'a [PlannedFlow],
    /// Of the whole stage.
    pub(crate) sent: &'a Sent,
    /// Requests in flight at once.
    pub(crate) connections: usize,
    /// When requests may begin; at once, if there is no pace.
    pub(crate) rate: Option<Rate>,
    pub(crate) clock: Clock,
}

/// The last requests of a stage's flows that others replay.
#[derive(Debug)]
pub(crate) struct Sent {
    /// By the flow's number; none if it could not be made.
    requests: HashMap<u32, SetOnce<Option<Arc<Prepared>>>>,
}

impl Sent {
    /// For the flows of a stage, none of which was sent yet.
    pub(crate) fn of(flows: &[PlannedFlow], scenario: &Scenario) -> Sent {
        let replayed = flows.iter().filter(|flow| scenario.kinds[flow.kind].flow.replayed);
        Sent { requests: replayed.map(|flow| (flow.index, SetOnce::new())).collect() }
    }
}

impl Load {
    /// For at most so many requests at once. Fails if it takes more timers than the system gives.
    pub(crate) fn new(
        dial: &Dial,
        scenario: &Scenario,
        connections: u32,
        numbering: Numbering,
    ) -> io::Result<Load> {
        let dial = dial.with_keep_alive(scenario.keep_alive);
        let steps = scenario.kinds.iter().map(|kind| kind.flow.steps.len());
        let alarms = if scenario.has_rates() { connections } else { 0 };
        Ok(Load {
            connections: Connection::several(&dial, connections, scenario.http2_connections),
            keep_alive: scenario.keep_alive,
            http2_connections: scenario.http2_connections,
            numbering,
            fixed: steps.map(|count| vec![OnceLock::new(); count]).collect(),
            alarms: (0..alarms).map(|_| Alarm::new()).collect::<io::Result<_>>()?,
        })
    }

    /// Sends a step that belongs to no kind, over the first connection.
    pub(crate) async fn send_step(
        &mut self,
        step: &Step,
        cycle: u32,
        clock: &Clock,
    ) -> Result<Answer, SendError> {
        let mut values = self.numbering.values(cycle, u32::MAX);
        let prepared = Prepared::new(step, &mut values, clock.server_now_ms())?;
        self.connections[0].send(&prepared, None).await
    }

    /// Opens every connection with one request each, so that none is opened while the server is measured.
    pub(crate) async fn warm_up(&mut self, path: &str) -> Result<(), SendError> {
        let prepared = Prepared::get(path);
        let openings = self.connections.iter_mut().map(async |connection| match connection.scheme() {
            Scheme::Lines => connection.open().await,
            Scheme::Http => connection.send(&prepared, None).await.map(drop),
        });
        let mut openings: FuturesUnordered<_> = openings.collect();
        while let Some(opened) = openings.next().await {
            opened?;
        }
        Ok(())
    }

    /// Sends a batch of flows and counts what becomes of them. Returns when nothing is in flight.
    pub(crate) async fn send(&mut self, batch: Batch<'_>, tally: &Tally) {
        let next = AtomicUsize::new(0);
        let (numbering, fixed) = (self.numbering, &self.fixed);
        let times = batch.rate.map_or_else(Vec::new, |rate| {
            list_due(batch.flows, rate, batch.scenario, numbering.seed, batch.cycle)
        });
        let (times, alarms, start) = (&times, &self.alarms, Instant::now());
        let connections = self.connections.iter_mut().take(batch.connections.max(1)).enumerate();
        let slots = connections.map(|(number, connection)| {
            let next = &next;
            async move {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(flow) = batch.flows.get(place) else { break };
                    let due = times.get(place).map(|time| start + *time);
                    if let (Some(due), Some(alarm)) = (due, alarms.get(number)) {
                        // A timer that fails lets the flow begin early, which its times show.
                        let _early = alarm.wait_until(due).await;
                        tally.count_arrival(due);
                    }
                    let values = numbering.values(batch.cycle, flow.index);
                    let connection = &mut *connection;
                    Slot { batch, tally, connection, fixed, due }.run(flow, values).await;
                }
            }
        });
        // Each is polled when it was woken, and no other with it.
        let slots: FuturesUnordered<_> = slots.collect();
        slots.for_each(async |()| ()).await;
        if let Some(rate) = batch.rate {
            tally.note_span(last_for(batch.flows, rate, batch.scenario), start.elapsed());
        }
    }

    /// Closes every connection: the server is about to end.
    pub(crate) fn hang_up_all(&mut self) {
        self.connections.iter_mut().for_each(Connection::close);
    }

    /// Speaks to a server that listens elsewhere from now on.
    pub(crate) fn redirect(&mut self, dial: &Dial) {
        let count = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        let dial = dial.with_keep_alive(self.keep_alive);
        self.connections = Connection::several(&dial, count, self.http2_connections);
    }

    /// Closes what clients that misbehave left half-open.
    pub(crate) fn hang_up(&mut self) {
        self.connections.iter_mut().for_each(Connection::hang_up);
    }
}

/// One connection at work on one flow.
struct Slot<'a> {
    batch: Batch<'a>,
    tally: &'a Tally,
    connection: &'a mut Connection,
    fixed: &'a Fixed,
    /// When the flow's first request was to be sent; none for later ones.
    due: Option<Instant>,
}

impl Slot<'_> {
    async fn run(&mut self, planned: &PlannedFlow, mut values: Values) {
        let flow = &self.batch.scenario.kinds[planned.kind].flow;
        let mut last = None;
        let outcome = match (&flow.replay, planned.replays) {
            (Some(replay), Some(original)) => self.replay(planned.kind, replay, original, &mut values).await,
            _ => self.send_all(planned.kind, &mut values, &mut last).await,
        };
        // Whatever happened: replays of this flow wait for it.
        if let Some(slot) = self.batch.sent.requests.get(&planned.index) {
            slot.set(last).expect("a flow is sent once");
        }
        match outcome {
            Ok(true) => self.tally.note_success(planned.kind),
            Ok(false) => {}
            Err(message) => {
                let expected = "a request that can be sent".to_owned();
                self.tally.count_failure(planned.kind, self.batch.cycle, message, expected);
            }
        }
    }

    /// Sends a flow's steps until one is not answered as expected.
    async fn send_all(
        &mut self,
        kind: usize,
        values: &mut Values,
        last: &mut Option<Arc<Prepared>>,
    ) -> Result<bool, String> {
        let flow = &self.batch.scenario.kinds[kind].flow;
        for (name, template) in &flow.bind {
            let value =
                template.render(values, self.batch.clock.server_now_ms()).map_err(|e| e.to_string())?;
            values.name(name, value);
        }
        for (step, fixed) in flow.steps.iter().zip(&self.fixed[kind]) {
            let prepared = self.prepare(step, fixed, values).map_err(|error| error.to_string())?;
            *last = Some(Arc::clone(&prepared));
            let Some(body) = self.exchange(kind, &prepared, &step.expect, step.fault).await else {
                return Ok(false);
            };
            remember(step, &body, values)?;
        }
        Ok(true)
    }

    /// Makes a step into a request, unless it is the same as the last time.
    fn prepare(
        &self,
        step: &Step,
        fixed: &OnceLock<Arc<Prepared>>,
        values: &mut Values,
    ) -> Result<Arc<Prepared>, PrepareError> {
        if let Some(prepared) = fixed.get() {
            return Ok(Arc::clone(prepared));
        }
        let prepared = Arc::new(Prepared::new(step, values, self.batch.clock.server_now_ms())?);
        if step.is_fixed() {
            // The first of two slots that came here at once wins; theirs are alike.
            let _known = fixed.set(Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    /// Sends an earlier flow's last request once more, after it was answered.
    async fn replay(
        &mut self,
        kind: usize,
        replay: &Replay,
        original: u32,
        values: &mut Values,
    ) -> Result<bool, String> {
        // The original comes earlier in this stage, so it is under way or done.
        let original =
            self.batch.sent.requests.get(&original).ok_or("what is to be replayed is in no earlier flow")?;
        let original = original.wait().await.as_ref().ok_or("what is to be replayed could not be sent")?;
        let prepared = original
            .append(&replay.append, values, self.batch.clock.server_now_ms())
            .map_err(|error| error.to_string())?;
        Ok(self.exchange(kind, &prepared, &replay.expect, None).await.is_some())
    }

    /// Sends a request and counts what becomes of it; returns the answer's body if all is as expected.
    async fn exchange(
        &mut self,
        kind: usize,
        prepared: &Prepared,
        expect: &Answers,
        fault: Option<Fault>,
    ) -> Option<Bytes> {
        let cycle = self.batch.cycle;
        let name = self.batch.scenario.kinds[kind].name.as_str();
        self.tally.count_sent(kind);
        let moment = Moment { sent: Instant::now(), due: self.due.take() };
        let sent = match fault {
            None => self.connection.send(prepared, Some(name)).await.map(Some),
            Some(fault) => self.connection.misbehave(prepared, Some(name), fault).await,
        };
        match sent {
            Ok(Some(answer)) => {
                let expected = self.tally.count_answer(kind, cycle, &answer, expect, moment);
                expected.then_some(answer.body)
            }
            Ok(None) => {
                self.tally.count_unanswered(kind);
                Some(Bytes::new())
            }
            Err(SendError::Answer(AnswerError::Closed | AnswerError::Cut)) if expect.closed => {
                self.tally.count_unanswered(kind);
                Some(Bytes::new())
            }
            Err(error) => {
                self.tally.count_failure(kind, cycle, error.to_string(), format!("status {expect}"));
                None
            }
        }
    }
}

/// Keeps what later steps need of an answer.
fn remember(step: &Step, body: &[u8], values: &mut Values) -> Result<(), String> {
    if step.remember.is_empty() {
        return Ok(());
    }
    let answer: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| format!("an answer that is no JSON: {error}"))?;
    for (name, pointer) in &step.remember {
        let value = answer.pointer(pointer).ok_or_else(|| format!("an answer without '{pointer}'"))?;
        values.name(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    Ok(())
}
