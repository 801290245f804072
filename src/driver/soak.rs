//! The cycles of a run: requests, rest, snapshot.

use heapsoak_record::{Event, Mark, Moment, Outcome, Plan};
use tokio::sync::watch;

use crate::capture::Capture;
use crate::clock::Clock;
use crate::control::Control;
use crate::cycle::CyclePlan;
use crate::data::DataFolder;
use crate::load::{Load, SendError, Tally};
use crate::observer::{ObserveError, Observer};
use crate::recorder::Recorder;
use crate::rest::{Rest, Rested};
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
    pub(crate) data: Option<&'a DataFolder>,
    /// Path of a request the server answers.
    pub(crate) ready: &'a str,
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
    pub(crate) async fn run(
        &mut self,
        stop: &mut Stop,
        mut died: watch::Receiver<bool>,
    ) -> Result<(), Ending> {
        tokio::select! {
            result = self.run_cycles() => result,
            _ = died.wait_for(|died| *died) => Err(Ending::Died),
            () = stop.asked() => Err(Ending::Stopped),
        }
    }

    async fn run_cycles(&mut self) -> Result<(), Ending> {
        let mut rest = Rest::default();
        self.load.warm_up(self.ready).await.map_err(|error| refused("opening the connections", &error))?;
        self.warm_up(&mut rest).await?;
        let rested = self.rest(&mut rest, 0).await?;
        self.snapshot(0, Moment::Baseline, rested).await?;
        self.observer.advance_cohort().await?;
        let mut cycle = 0;
        loop {
            while cycle < self.plan.cycles {
                cycle += 1;
                self.run_cycle(cycle, &mut rest).await?;
            }
            let room = self.plan.max_cycles.saturating_sub(cycle);
            let more = self.watcher.planned_done(self.recorder.recording()).min(room);
            if more == 0 {
                return Ok(());
            }
            self.plan.cycles += more;
            let why = "the verdict was undecided".to_owned();
            self.record(Event::Extended { cycle, cycles: self.plan.cycles, why })?;
        }
    }

    async fn run_cycle(&mut self, cycle: u32, rest: &mut Rest) -> Result<(), Ending> {
        let requests = self.plan.requests_per_cycle;
        let variation = self.observer.mixture_variation();
        let plan = CyclePlan::draw(self.scenario, self.seed, cycle, requests, variation);
        if let Observer::Probe(probe) = &mut *self.observer
            && let Some(event) =
                self.control.plant(probe, cycle, requests).await.map_err(ObserveError::from)?
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
        self.snapshot(cycle, Moment::CycleEnd, rested).await?;
        if let Some(advance) = self.scenario.advance
            && (cycle.is_multiple_of(advance.every) || cycle == self.plan.cycles)
        {
            self.record(Event::ClockAdvanced { cycle, by_ms: advance.by.0 })?;
            let advanced_ms = self.observer.advance_clock(advance.by.0).await?;
            self.clock.set_advanced(advanced_ms);
            rest.forget_held();
            let rested = self.rest(rest, cycle).await?;
            self.snapshot(cycle, Moment::AfterAdvance, rested).await?;
        }
        self.observer.advance_cohort().await?;
        Ok(())
    }

    async fn rest(&mut self, rest: &mut Rest, cycle: u32) -> Result<Rested, Ending> {
        self.show(cycle, Doing::Resting);
        Ok(rest.wait(self.observer).await?)
    }

    async fn snapshot(&mut self, cycle: u32, moment: Moment, rested: Rested) -> Result<(), Ending> {
        let taken = self.observer.snapshot().await?;
        self.recorder
            .snapshot(cycle, moment, taken, rested, self.tally, self.clock)
            .map_err(Ending::Recording)?;
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
                Action::Restore(name) => {
                    self.data()?.restore(name).map_err(|error| blocked("restore", name, &error))?;
                }
            }
        }
        Ok(())
    }

    fn data(&self) -> Result<&DataFolder, Ending> {
        let missing = "where the server keeps its data is not known: name the folder as data in [target]";
        self.data.ok_or_else(|| Ending::Stage(missing.to_owned()))
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
