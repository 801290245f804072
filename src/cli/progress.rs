use std::io::IsTerminal as _;
use std::path::Path;
use std::time::{Duration, Instant};

use heapsoak_driver::Watcher;
use heapsoak_record::{End, Event, Outcome, Recording, Snapshot};
use heapsoak_verdict::{RunVerdict, judge};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::Exit;
use crate::own_heap::OwnHeap;

/// On something else than a terminal: a line about a scenario at its start, at its end, and once in so much time.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Shows on stderr how a scenario gets on (a bar on a terminal, a few plain lines elsewhere), and makes an undecided
/// run longer.
#[derive(Debug)]
pub(crate) struct Progress {
    scenario: String,
    shown: Shown,
    own_heap: Option<OwnHeap>,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines { next: Instant },
    Nothing,
}

impl Progress {
    /// Starts showing a scenario, the `number`th `of` so many; nothing if `quiet`.
    pub(crate) fn start(scenario: &str, number: usize, of: usize, quiet: bool) -> Progress {
        let scenario = if of > 1 { format!("{scenario} ({number}/{of})") } else { scenario.to_owned() };
        let shown = if quiet {
            Shown::Nothing
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(style());
            bar.set_prefix(scenario.clone());
            Shown::Bar(bar)
        } else {
            anstream::eprintln!("{scenario}: started");
            Shown::Lines { next: Instant::now() + LINE_EVERY }
        };
        Progress { scenario, shown, own_heap: Some(OwnHeap::start()) }
    }

    /// The verdict on the tool's own heap; the first time it is asked for.
    pub(crate) fn judge_own_heap(&mut self) -> Option<Event> {
        self.own_heap.take()?.judge()
    }

    /// Says something about the scenario on a line of its own, unless quiet.
    pub(crate) fn say(&self, what: &str) {
        let line = format!("{}: {what}", self.scenario);
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| anstream::eprintln!("{line}")),
            Shown::Lines { .. } => anstream::eprintln!("{line}"),
            Shown::Nothing => {}
        }
    }

    /// Ends the display without a word.
    pub(crate) fn clear(self) {
        if let Shown::Bar(bar) = self.shown {
            bar.finish_and_clear();
        }
    }

    /// Ends the display and says how the scenario ended; even if quiet, unless it ended well.
    pub(crate) fn finish(self, outcome: &str, exit: Exit) {
        let is_news = exit != Exit::Clean || !matches!(self.shown, Shown::Nothing);
        let scenario = self.scenario.clone();
        self.clear();
        if is_news {
            anstream::eprintln!("{scenario}: {outcome}");
        }
    }
}

impl Watcher for Progress {
    fn progress(&mut self, progress: &heapsoak_driver::Progress) {
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_length(progress.planned);
                bar.set_position(progress.done);
                bar.set_message(describe(progress));
            }
            Shown::Lines { next } => {
                let now = Instant::now();
                if now >= *next {
                    *next = now + LINE_EVERY;
                    let (done, planned) = (progress.done, progress.planned);
                    anstream::eprintln!(
                        "{}: {done}/{planned} requests, {}",
                        self.scenario,
                        describe(progress)
                    );
                }
            }
            Shown::Nothing => {}
        }
    }

    fn planned_done(&mut self, recording: &Recording) -> u32 {
        cycles_wanted(recording)
    }

    fn recorded(&mut self, snapshot: &Snapshot) {
        if let Some(own_heap) = &mut self.own_heap {
            own_heap.look(snapshot);
        }
    }

    fn profiled(&mut self, file: &Path, result: Result<(), String>) {
        let scenario = &self.scenario;
        let is_bad = result.is_err();
        let line = match result {
            Ok(()) => format!("{scenario}: profile written to {}", file.display()),
            Err(why) => format!("{scenario}: no profile in {}: {why}", file.display()),
        };
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| anstream::eprintln!("{line}")),
            Shown::Lines { .. } => anstream::eprintln!("{line}"),
            Shown::Nothing if is_bad => anstream::eprintln!("{line}"),
            Shown::Nothing => {}
        }
    }
}

/// How many more cycles would decide a run that has done all it planned; none when it is decided.
fn cycles_wanted(recording: &Recording) -> u32 {
    let judgement = judge(&ended_now(recording));
    if judgement.verdict != RunVerdict::Inconclusive {
        return 0;
    }
    let plan = &recording.header.plan;
    let requests = recording.snapshots.last().map_or(0, |snapshot| snapshot.requests);
    let quarter = (requests / plan.requests_per_cycle.max(1)).div_ceil(4);
    let wanted = judgement.wanted_requests.map(|requests| requests.div_ceil(plan.requests_per_cycle.max(1)));
    u32::try_from(wanted.unwrap_or(quarter).max(1)).unwrap_or(u32::MAX)
}

/// The recording as it would be if the run ended here: one without an end counts as cut off.
pub(crate) fn ended_now(recording: &Recording) -> Recording {
    let last = recording.snapshots.last();
    let (elapsed_ms, requests) = last.map_or((0, 0), |snapshot| (snapshot.elapsed_ms, snapshot.requests));
    let mut ended = recording.clone();
    ended.end = Some(End { outcome: Outcome::Completed, elapsed_ms, requests });
    ended
}

/// `cycle 3/20, 2,345/s, eta 12s, sending`
fn describe(progress: &heapsoak_driver::Progress) -> String {
    let eta = remaining(progress).map_or_else(String::new, |left| format!(", eta {}s", left.as_secs()));
    let heapsoak_driver::Progress { cycle, cycles, rate, doing, .. } = progress;
    format!("cycle {cycle}/{cycles}, {rate:.0}/s{eta}, {doing}")
}

/// Time left at the rate so far, pauses for rest included.
fn remaining(progress: &heapsoak_driver::Progress) -> Option<Duration> {
    let left = u32::try_from(progress.planned.saturating_sub(progress.done)).ok()?;
    let done = u32::try_from(progress.done).ok().filter(|done| *done > 0)?;
    Some(progress.elapsed.mul_f64(f64::from(left) / f64::from(done)))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {bar:16} {human_pos}/{human_len} {wide_msg}")
        .expect("the template is constant and valid")
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use heapsoak_driver::Doing;
    use heapsoak_record::{
        Cell, Cohort, ContextHeap, FORMAT_VERSION, Header, Heap, Kind, KindCount, Moment, Plan, Snapshot,
        Target,
    };

    use super::*;

    /// A run under way of so many cycles, in which nothing grows.
    fn recording(cycles: u32) -> Recording {
        let header = Header {
            format_version: FORMAT_VERSION,
            tool_version: String::new(),
            started_unix_ms: 0,
            scenario: "test".to_owned(),
            description: String::new(),
            scenario_source: String::new(),
            seed: 1,
            target: Target {
                name: String::new(),
                command: Vec::new(),
                pid: 1,
                as_found: Vec::new(),
                memory_limit_bytes: None,
            },
            plan: Plan { cycles, max_cycles: 100, requests_per_cycle: 100, concurrency: 1 },
            kinds: vec![Kind { name: "a.b".to_owned(), weight: 1.0 }],
            claims: Vec::new(),
            not_analysed: Vec::new(),
        };
        let mut recording = Recording::new(header);
        recording.snapshots = (0..=cycles).map(snapshot).collect();
        recording
    }

    /// After every cycle the same 1,000 bytes of start-up are alive.
    fn snapshot(cycle: u32) -> Snapshot {
        let requests = u64::from(cycle) * 100;
        let context = ContextHeap {
            path: vec!["a".to_owned()],
            kind: None,
            allocated_bytes: 1_000,
            allocated_blocks: 1,
            survivors: vec![Cell { cohort: Cohort(0), live_bytes: 1_000, live_blocks: 1 }],
            ..ContextHeap::default()
        };
        Snapshot {
            sequence: cycle,
            cycle,
            moment: if cycle == 0 { Moment::Baseline } else { Moment::CycleEnd },
            elapsed_ms: requests,
            clock_ms: requests,
            requests,
            kinds: vec![KindCount { sent: requests, ok: requests, expected_errors: 0, failed: 0 }],
            quiet: true,
            waited_ms: 0,
            heap: Some(Heap {
                cohort: Cohort(cycle),
                contexts: vec![context],
                total_live_bytes: 1_000,
                total_live_blocks: 1,
                ..Heap::default()
            }),
            resources: Vec::new(),
            gauges: Vec::new(),
        }
    }

    #[test]
    fn a_run_too_short_to_judge_is_made_longer_and_a_decided_one_is_not() {
        assert!(cycles_wanted(&recording(4)) >= 1);
        assert_eq!(cycles_wanted(&recording(40)), 0);
    }

    #[test]
    fn progress_is_described_with_cycle_rate_and_time_left() {
        let progress = heapsoak_driver::Progress {
            cycle: 3,
            cycles: 20,
            done: 250,
            planned: 1_000,
            rate: 61.7,
            elapsed: Duration::from_secs(4),
            median_us: 0,
            p99_us: 0,
            doing: Doing::Sending,
        };
        assert_eq!(describe(&progress), "cycle 3/20, 62/s, eta 12s, sending");
    }
}
