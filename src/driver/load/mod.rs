//! Sends the requests of a cycle and checks the answers.

mod check;
mod connection;
mod fault;
mod http1;
mod request;
mod stream;
mod tally;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::SetOnce;
use tokio::time::sleep_until;

use crate::clock::Clock;
use crate::cycle::{Numbering, PlannedFlow};
use crate::phase::list_due;
use crate::scenario::{Answers, Fault, Rate, Replay, Scenario, Step};
use crate::target::{Address, Scheme};
use crate::template::Values;
pub(crate) use connection::{Connection, SendError};
pub(crate) use http1::Answer;
use http1::AnswerError;
pub(crate) use request::Prepared;
pub(crate) use tally::Tally;

/// The load on a server: as many connections as requests may be in flight.
#[derive(Debug)]
pub(crate) struct Load {
    connections: Vec<Connection>,
    numbering: Numbering,
}

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
    /// For at most so many requests at once.
    pub(crate) fn new(address: &Address, connections: u32, numbering: Numbering) -> Load {
        let connections = (0..connections).map(|_| Connection::new(address.clone())).collect();
        Load { connections, numbering }
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
        join_all(openings).await.into_iter().collect()
    }

    /// Sends a batch of flows and counts what becomes of them. Returns when nothing is in flight.
    pub(crate) async fn send(&mut self, batch: Batch<'_>, tally: &Tally) {
        let next = AtomicUsize::new(0);
        let due = batch.rate.map(|rate| list_due(batch.flows, rate, batch.scenario));
        let (numbering, start) = (self.numbering, tokio::time::Instant::now());
        let slots = self.connections.iter_mut().take(batch.connections.max(1)).map(|connection| {
            let (next, due) = (&next, &due);
            async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(flow) = batch.flows.get(number) else { break };
                    if let Some(due) = due.as_ref().and_then(|due| due.get(number)) {
                        sleep_until(start + *due).await;
                    }
                    let values = numbering.values(batch.cycle, flow.index);
                    Slot { batch, tally, connection: &mut *connection }.run(flow, values).await;
                }
            }
        });
        join_all(slots).await;
    }

    /// Closes every connection: the server is about to end.
    pub(crate) fn hang_up_all(&mut self) {
        self.connections.iter_mut().for_each(Connection::close);
    }

    /// Speaks to a server that listens elsewhere from now on.
    pub(crate) fn redirect(&mut self, address: &Address) {
        let anew = |connection: &mut Connection| *connection = Connection::new(address.clone());
        self.connections.iter_mut().for_each(anew);
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
        for step in &flow.steps {
            let now_ms = self.batch.clock.server_now_ms();
            let prepared = Arc::new(Prepared::new(step, values, now_ms).map_err(|error| error.to_string())?);
            *last = Some(Arc::clone(&prepared));
            let Some(body) = self.exchange(kind, &prepared, &step.expect, step.fault).await else {
                return Ok(false);
            };
            remember(step, &body, values)?;
        }
        Ok(true)
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
        let start = Instant::now();
        let sent = match fault {
            None => self.connection.send(prepared, Some(name)).await.map(Some),
            Some(fault) => self.connection.misbehave(prepared, Some(name), fault).await,
        };
        match sent {
            Ok(Some(answer)) => {
                let expected = self.tally.count_answer(kind, cycle, &answer, expect, start.elapsed());
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
