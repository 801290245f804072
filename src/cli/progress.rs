use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use heapsoak_driver::Watcher;
use heapsoak_record::Recording;
use heapsoak_verdict::{RunVerdict, judge};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::Exit;

/// On something else than a terminal: a line about a scenario at its start, at its end, and once in so much time.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Shows on stderr how a scenario gets on (a bar on a terminal, a few plain lines elsewhere), and makes an undecided
/// run longer.
#[derive(Debug)]
pub(crate) struct Progress {
    scenario: String,
    shown: Shown,
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
        Progress { scenario, shown }
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
        let judgement = judge(recording);
        if judgement.verdict != RunVerdict::Inconclusive {
            return 0;
        }
        let requests_per_cycle = recording.header.plan.requests_per_cycle.max(1);
        let quarter = u64::from(recording.header.plan.cycles.div_ceil(4));
        let cycles = judgement.wanted_requests.map_or(quarter, |wanted| wanted.div_ceil(requests_per_cycle));
        u32::try_from(cycles).unwrap_or(u32::MAX)
    }
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

    use super::*;

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
