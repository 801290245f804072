//! The phases of a run: what is sent when, within a cycle and before the first.

use std::time::{Duration, Instant};

use heapsoak_record::Event;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::clock::to_ms;
use crate::cycle::{CyclePlan, PlannedFlow};
use crate::load::{Batch, Sent, Tally};
use crate::rest::Rest;
use crate::scenario::{Phase, Rate};
use crate::soak::{Ending, Soak};
use crate::turn::{Turn, TurnWork, take_turns};
use crate::watcher::Doing;

/// Time between two reports of progress while requests are sent.
const TICK: Duration = Duration::from_millis(100);

/// Flows that are sent together.
struct Work<'a> {
    cycle: u32,
    flows: &'a [PlannedFlow],
    sent: &'a Sent,
    connections: u32,
    rate: Option<Rate>,
}

impl Soak<'_> {
    /// What the scenario does before the first cycle. Its requests are counted apart, and in no cycle: they are among the
    /// kinds' requests in no figure of the run.
    pub(crate) async fn warm_up(&mut self, rest: &mut Rest) -> Result<(), Ending> {
        let scenario = self.scenario;
        if scenario.warm_up.is_empty() {
            return Ok(());
        }
        let flows = match scenario.warm_up_requests() {
            0 => Vec::new(),
            requests => CyclePlan::draw_warm_up(scenario, self.seed, requests),
        };
        let tally = Tally::new(scenario);
        let main = &scenario.stages[0];
        self.act(0, &main.before).await?;
        self.send_phases(0, &scenario.warm_up, &flows, &tally, rest).await?;
        if !main.after.is_empty() {
            rest.wait_between_stages(self.observer).await?;
            self.act(0, &main.after).await?;
        }
        for failure in tally.take_failures() {
            self.record(failure)?;
        }
        Ok(())
    }

    /// Sends the flows of a stage, phase by phase, and records what was done in each.
    pub(crate) async fn send_phases(
        &mut self,
        cycle: u32,
        phases: &[Phase],
        flows: &[PlannedFlow],
        tally: &Tally,
        rest: &mut Rest,
    ) -> Result<(), Ending> {
        let sent = Sent::of(flows, self.scenario);
        // Without phases, the main stage has the load's rate.
        let usual = self.scenario.rate.filter(|_| phases.is_empty() && self.is_main(flows));
        for Turn { name, work } in take_turns(phases, flows, self.scenario) {
            let (start, before) = (Instant::now(), tally.answered());
            let connections = match work {
                TurnWork::Idle(lasts) => {
                    self.show(cycle, Doing::Idle);
                    sleep(lasts).await;
                    0
                }
                TurnWork::Send { flows: range, connections, rate } => {
                    let connections = connections.unwrap_or(self.plan.concurrency);
                    let rate = rate.or(usual);
                    let work = Work { cycle, flows: &flows[range], sent: &sent, connections, rate };
                    self.send(work, tally).await;
                    connections
                }
            };
            for (gauge, count) in tally.take_held() {
                rest.expect_held(&gauge, count);
            }
            if let Some(name) = name {
                let (requests, took_ms) = (tally.answered() - before, to_ms(start.elapsed()));
                let phase = name.to_owned();
                self.record(Event::PhaseDone { cycle, phase, requests, connections, took_ms })?;
            }
        }
        self.load.hang_up();
        Ok(())
    }

    /// Whether flows are those of the main stage.
    fn is_main(&self, flows: &[PlannedFlow]) -> bool {
        flows.first().is_some_and(|flow| self.scenario.kinds[flow.kind].flow.stage == 0)
    }

    async fn send(&mut self, work: Work<'_>, tally: &Tally) {
        let Work { cycle, flows, sent, connections, rate } = work;
        let batch = Batch {
            scenario: self.scenario,
            cycle,
            flows,
            sent,
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            rate,
            clock: *self.clock,
        };
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut sending = std::pin::pin!(self.load.send(batch, tally));
        loop {
            tokio::select! {
                () = &mut sending => break,
                _ = tick.tick() => {
                    let progress = crate::soak::progress(self.tally, &self.plan, self.clock, cycle, Doing::Sending);
                    self.watcher.progress(&progress);
                }
            }
        }
    }
}
