//! The cycles of a run: requests, rest, snapshot.

use std::time::Instant;

use heapsoak_record::{Event, Mark, Moment, Outcome, Plan};
use tokio::sync::watch;

use crate::capture::Capture;
use crate::clock::{Clock, to_ms};
use crate::control::Control;
use crate::cycle::CyclePlan;
use crate::data::DataFolder;
use crate::load::{Load, SendError, Tally};
use crate::observer::{ObserveError, Observer};
use crate::recorder::Recorder;
use crate::rest::{Rest, Rested};
use crate::run_error::RunError;
use crate::scenario::{Action, Phase, Scenario};
use crate::target::Target;
use crate::watcher::{Doing, Progress, Watcher};

/// Why a run ended before all its cycles were done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ending {
    #[error("the server died")]
    Died,
    #[error("stopped")]
    Stopped,
    #[error("{0}")]
    Observer(#[from] ObserveError),
    #[error("the recording can't be written: {0}")]
    Recording(std::io::Error),
    #[error("{0}")]
    Stage(String),
    #[error("the server was stopped, but {0}")]
    NotRestarted(RunError),
}

impl Ending {
    /// As a recording says it. A probe or a request that failed because the server died counts as its death.
    pub(crate) async fn outcome(self, target: &mut Target) -> Outcome {
        let died = || Outcome::TargetDied { status: String::new(), stderr: String::new() };
        match self {
            Ending::Died => died(),
            Ending::Stopped => Outcome::Interrupted,
            Ending::Observer(_) | Ending::Stage(_) if target.is_dead().await => died(),
            other => Outcome::Failed { why: other.to_string() },
        }
    }
}

/// Tells when the user wants the run to end.
#[derive(Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new(receiver: watch::Receiver<bool>) -> Stop {
        Stop(receiver)
    }

    /// Ends when the run is to end; never if nobody can ask for it any more.
    pub(crate) async fn asked(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A run under way.
pub(crate) struct Soak<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) seed: u64,
    pub(crate) plan: Plan,
    /// The cycle under way; at first the last one done by the driver of a run that is resumed, if any.
    pub(crate) cycle: u32,
    pub(crate) target: &'a mut Target,
    pub(crate) observer: &'a mut Observer,
    pub(crate) load: &'a mut Load,
    pub(crate) tally: &'a Tally,
    pub(crate) control: Control,
    pub(crate) capture: &'a mut Capture,
    pub(crate) clock: &'a mut Clock,
    pub(crate) recorder: &'a mut Recorder,
    pub(crate) watcher: &'a mut dyn Watcher,
}

impl Soak<'_> {
    /// Runs every cycle, unless the server dies or the user stops the run.
    pub(crate) async fn run(&mut self, stop: &mut Stop) -> Result<(), Ending> {
        let mut rest = Rest::default();
        let mut resumed = self.cycle > 0;
        loop {
            let mut died = self.target.died();
            let done = tokio::select! {
                result = self.run_until_restart(std::mem::take(&mut resumed), &mut rest) => result?,
                _ = died.wait_for(|died| *died) => return Err(Ending::Died),
                () = stop.asked() => return Err(Ending::Stopped),
            };
            if done {
                return Ok(());
            }
            // The server's death is wanted here.
            tokio::select! {
                result = self.restart(self.cycle, &mut rest) => result?,
                () = stop.asked() => return Err(Ending::Stopped),
            }
        }
    }

    /// Runs cycles until the last is done (true), or the server is to be restarted (false).
    async fn run_until_restart(&mut self, resumed: bool, rest: &mut Rest) -> Result<bool, Ending> {
        let ready = self.target.ready().to_owned();
        self.load.warm_up(&ready).await.map_err(|error| refused("opening the connections", &error))?;
        if self.cycle == 0 {
            self.warm_up(rest).await?;
        }
        let rested = self.rest(rest, self.cycle).await?;
        if resumed {
            self.join_cohorts().await?;
        } else {
            self.snapshot(self.cycle, Moment::Baseline, rested).await?;
            self.observer.advance_cohort().await?;
        }
        let first = self.cycle;
        loop {
            while self.cycle < self.plan.cycles {
                if self.cycle > first && self.next_restart(self.cycle) == Some(self.cycle) {
                    return Ok(false);
                }
                self.cycle += 1;
                self.run_cycle(self.cycle, rest).await?;
            }
            let cycle = self.cycle;
            let room = self.plan.max_cycles.saturating_sub(cycle);
            let recording = self.recorder.read().map_err(Ending::Recording)?;
            let more = self.watcher.planned_done(&recording).min(room);
            if more == 0 {
                return Ok(true);
            }
            self.plan.cycles = self.whole_end(cycle, cycle + more);
            let why = "the verdict was undecided".to_owned();
            self.record(Event::Extended { cycle, cycles: self.plan.cycles, why })?;
        }
    }

    /// Stops the server and starts it again, with everything that was known of the old process forgotten.
    async fn restart(&mut self, cycle: u32, rest: &mut Rest) -> Result<(), Ending> {
        self.show(cycle, Doing::Restarting);
        let killed = self.scenario.restart.is_some_and(|restart| restart.kill);
        let start = Instant::now();
        self.load.hang_up_all();
        let restarted = self.target.restart(killed).await;
        *self.observer = restarted.map_err(Ending::NotRestarted)?;
        self.load.redirect(self.target.dial());
        rest.forget_held();
        self.control.begin_anew();
        // Why there may be no stacks was said at the start already.
        let _same = self.capture.begin_anew(cycle, self.observer).await;
        // A clock that once went ahead does not go back. The library's is still where it was.
        if self.target.fake_time().is_none() && self.clock.advanced_ms() > 0 {
            self.observer.advance_clock(self.clock.advanced_ms()).await?;
        }
        let took_ms = to_ms(start.elapsed());
        let event = Event::Restarted { cycle, pid: self.target.pid(), killed, took_ms, times: 1 };
        self.recorder.restart(cycle, event).map_err(Ending::Recording)
    }

    async fn run_cycle(&mut self, cycle: u32, rest: &mut Rest) -> Result<(), Ending> {
        let requests = self.plan.requests_per_cycle;
        let variation = self.observer.mixture_variation(self.scenario.restart.is_some());
        let plan = CyclePlan::draw(self.scenario, self.seed, cycle, requests, variation);
        let folding = self.recorder.folding();
        // A restart may come before a cycle of the recording is full.
        let whole_at = folding.next_whole(cycle);
        let until = self.next_restart(cycle).map_or(whole_at, |restart| restart.min(whole_at));
        if folding.is_whole(cycle - 1)
            && let Observer::Probe(probe) = &mut *self.observer
            && let Some(event) = self
                .control
                .plant(probe, cycle, until + 1 - cycle, requests)
                .await
                .map_err(ObserveError::from)?
        {
            self.record(event)?;
        }
        let (scenario, tally) = (self.scenario, self.tally);
        for (number, (stage, flows)) in scenario.stages.iter().zip(&plan.stages).enumerate() {
            if flows.is_empty() {
                continue;
            }
            // The other stages have the server in a special state: they are sent in one go, and left soon.
            let phases: &[Phase] = if number == 0 { &scenario.phases } else { &[] };
            if !stage.before.is_empty() {
                // Nothing of an earlier stage may come under this stage's tricks.
                rest.wait_between_stages(self.observer).await?;
                self.act(cycle, &stage.before).await?;
            }
            self.send_phases(cycle, phases, flows, tally, rest).await?;
            if !stage.after.is_empty() {
                rest.wait_between_stages(self.observer).await?;
                self.act(cycle, &stage.after).await?;
            }
        }
        let rested = self.rest(rest, cycle).await?;
        let whole = cycle == until;
        if whole {
            self.snapshot(cycle, Moment::CycleEnd, rested).await?;
        }
        if let Some(advance) = &scenario.advance
            && (cycle.is_multiple_of(advance.every) || cycle == self.plan.cycles)
        {
            self.record(Event::ClockAdvanced { cycle, by_ms: advance.by.0 })?;
            let advanced_ms = match self.target.fake_time() {
                Some(clock) => {
                    clock.advance(advance.by.0).await.map_err(|error| Ending::Stage(error.to_string()))?
                }
                None => self.observer.advance_clock(advance.by.0).await?,
            };
            self.clock.set_advanced(advanced_ms);
            rest.forget_held();
            let rested = self.rest(rest, cycle).await?;
            if whole {
                self.snapshot(cycle, Moment::AfterAdvance, rested).await?;
            }
        }
        if whole {
            self.recorder.fold_if_long(cycle).map_err(Ending::Recording)?;
            self.plan.cycles = self.whole_end(cycle, self.plan.cycles);
            self.observer.advance_cohort().await?;
        }
        Ok(())
    }

    /// The end of a run that was to end with `end`, such that what it records after `cycle` is whole; a restart comes
    /// before, or ends it as well.
    fn whole_end(&self, cycle: u32, end: u32) -> u32 {
        let whole = self.recorder.folding().next_whole(end);
        match self.next_restart(cycle) {
            Some(restart) if end > restart => end,
            Some(restart) => whole.min(restart),
            None => whole,
        }
    }

    /// The next cycle, from one on, that the server is restarted after.
    fn next_restart(&self, cycle: u32) -> Option<u32> {
        self.scenario.restart.map(|restart| cycle.next_multiple_of(restart.every))
    }

    /// Begins the cohort of the next cycle, unless the driver that was here before did.
    async fn join_cohorts(&mut self) -> Result<(), Ending> {
        let seen = self.observer.snapshot().await?;
        if seen.heap.is_some_and(|heap| heap.cohort.0 <= self.recorder.folding().newest()) {
            self.observer.advance_cohort().await?;
        }
        Ok(())
    }

    async fn rest(&mut self, rest: &mut Rest, cycle: u32) -> Result<Rested, Ending> {
        self.show(cycle, Doing::Resting);
        Ok(rest.wait(self.observer).await?)
    }

    async fn snapshot(&mut self, cycle: u32, moment: Moment, rested: Rested) -> Result<(), Ending> {
        let taken = self.observer.snapshot().await?;
        let snapshot = self
            .recorder
            .snapshot(cycle, moment, taken, rested, self.tally, self.clock)
            .map_err(Ending::Recording)?;
        self.watcher.recorded(&snapshot);
        if moment == Moment::CycleEnd {
            let mark = Mark { cycle, requests: self.tally.answered() };
            self.capture.mark(self.observer, mark, cycle == self.plan.cycles).await?;
        }
        Ok(())
    }

    pub(crate) fn record(&mut self, event: Event) -> Result<(), Ending> {
        self.recorder.event(event).map_err(Ending::Recording)
    }

    pub(crate) async fn act(&mut self, cycle: u32, actions: &[Action]) -> Result<(), Ending> {
        for action in actions {
            match action {
                Action::Request(step) => {
                    let name = format!("{} {}", step.method, step.path);
                    let answer = self.load.send_step(step, cycle, self.clock).await;
                    let answer = answer.map_err(|error| refused(&name, &error))?;
                    if !step.expect.ok.contains(&answer.status) {
                        let (status, expected) = (answer.status, &step.expect);
                        return Err(Ending::Stage(format!(
                            "{name} was answered {status}, expected {expected}"
                        )));
                    }
                }
                Action::Obstruct(name) => {
                    self.data()?.obstruct(name).map_err(|error| blocked("obstruct", name, &error))?;
                }
                Action::Fill(name) => {
                    self.data()?.fill(name).map_err(|error| blocked("fill", name, &error))?;
                }
                Action::Forbid(name) => {
                    self.data()?.forbid(name).map_err(|error| blocked("forbid", name, &error))?;
                }
                Action::Restore(name) => {
                    self.data()?.restore(name).map_err(|error| blocked("restore", name, &error))?;
                }
            }
        }
        Ok(())
    }

    fn data(&self) -> Result<&DataFolder, Ending> {
        let missing = "where the server keeps its data is not known: name the folder as data in [target]";
        self.target.data().ok_or_else(|| Ending::Stage(missing.to_owned()))
    }

    /// Tells the watcher what the run is at.
    pub(crate) fn show(&mut self, cycle: u32, doing: Doing) {
        let progress = progress(self.tally, &self.plan, self.clock, cycle, doing);
        self.watcher.progress(&progress);
    }
}

pub(crate) fn progress(tally: &Tally, plan: &Plan, clock: &Clock, cycle: u32, doing: Doing) -> Progress {
    let (done, elapsed) = (tally.answered(), clock.elapsed());
    let (median_us, p99_us) = tally.latency_us();
    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let planned = u64::from(plan.cycles) * plan.requests_per_cycle;
    Progress { cycle, cycles: plan.cycles, done, planned, rate, elapsed, median_us, p99_us, doing }
}

fn refused(what: &str, error: &SendError) -> Ending {
    Ending::Stage(format!("{what} failed: {error}"))
}

fn blocked(what: &str, name: &str, error: &std::io::Error) -> Ending {
    Ending::Stage(format!("can't {what} '{name}' in the data folder: {error}"))
}
