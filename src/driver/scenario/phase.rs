//! Phases: how the requests of a cycle, or those before the first, are spread over time and connections.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::ScenarioError;
use super::duration::Millis;
use super::problem::Source;

/// Most connections a phase may have.
const MOST_CONNECTIONS: u32 = 1024;

/// Highest pace in requests a second.
const HIGHEST_RATE: f64 = 1e6;

/// Where a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before the first cycle: it counts its requests itself.
    WarmUp,
    /// In every cycle: it has a share of the cycle's requests.
    Cycle,
}

/// A phase as a file has it.
#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PhaseFile {
    /// Name, for the recording and the report.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// How long nothing is sent, for a phase that sends nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) idle: Option<Millis>,
    /// Requests to send; before the cycles only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) requests: Option<u64>,
    /// Share of the cycle's requests, relative to the other phases; in cycles only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) share: Option<f64>,
    /// Requests in flight at once, in place of the load's concurrency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) connections: Option<u32>,
    /// Requests begun in a second, at most: a number, or `[from, to]` for a ramp; as fast as they are answered without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<RateFile>,
}

/// A pace as a file has it.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema, Serialize)]
#[serde(untagged, expecting = "requests a second: a number, or [from, to]")]
pub(super) enum RateFile {
    Even(f64),
    Ramp([f64; 2]),
}

/// A phase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) work: Work,
}

/// What is done in a phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Work {
    /// Nothing.
    Idle(Duration),
    /// Requests are sent.
    Send {
        /// So many, before the cycles; a share of the cycle's in them.
        amount: f64,
        /// Requests in flight at once, if not as many as otherwise.
        connections: Option<u32>,
        rate: Option<Rate>,
    },
}

/// Requests begun in a second, from the first request of a phase to its last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Rate {
    /// When the request behind `begun` others of `all` is to begin. The rate changes evenly with time.
    ///
    /// With more than `all` begun: at an even rate it goes on, at the end of a ramp nothing is later.
    pub(crate) fn due_after(self, begun: f64, all: f64) -> Duration {
        #[expect(clippy::float_cmp, reason = "the same number was written twice")]
        if self.from == self.to {
            return Duration::from_secs_f64(begun / self.from);
        }
        let all = all.max(1.0);
        let lasts = 2.0 * all / (self.from + self.to);
        let change = (self.to - self.from) / lasts;
        // begun = from t + change t^2 / 2, solved for t in the way that no change does not divide by zero.
        let root = (self.from * self.from + 2.0 * change * begun).max(0.0).sqrt();
        Duration::from_secs_f64((2.0 * begun / (self.from + root)).min(lasts))
    }
}

/// Checks the phases of a file.
pub(super) fn compile_phases(
    phases: &[Spanned<PhaseFile>],
    when: When,
    source: &Source,
) -> Result<Vec<Phase>, ScenarioError> {
    let compile = |phase: &Spanned<PhaseFile>| {
        let work = compile_work(phase.get_ref(), when).map_err(|message| {
            let name = &phase.get_ref().name;
            source.problem(name.span(), format!("phase '{}': {message}", name.get_ref()))
        })?;
        Ok(Phase { name: phase.get_ref().name.get_ref().clone(), work })
    };
    let compiled = phases.iter().map(compile).collect::<Result<Vec<_>, ScenarioError>>()?;
    let sends = |phase: &Phase| matches!(phase.work, Work::Send { .. });
    if let (When::Cycle, Some(first), false) = (when, phases.first(), compiled.iter().any(sends)) {
        let message = "none of the phases sends anything: give one of them a share";
        return Err(source.problem(first.get_ref().name.span(), message));
    }
    Ok(compiled)
}

fn compile_work(phase: &PhaseFile, when: When) -> Result<Work, String> {
    if let Some(idle) = phase.idle {
        if phase.requests.is_some()
            || phase.share.is_some()
            || phase.connections.is_some()
            || phase.rate.is_some()
        {
            return Err("an idle phase sends nothing: it has 'idle' alone".to_owned());
        }
        return Ok(Work::Idle(Duration::from_millis(idle.0)));
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
    let amount = match (when, phase.requests, phase.share) {
        (When::WarmUp, Some(requests), None) => requests as f64,
        (When::WarmUp, _, _) => return Err("before the cycles a phase has 'requests' or 'idle'".to_owned()),
        (When::Cycle, None, Some(share)) => share,
        (When::Cycle, _, _) => return Err("in a cycle a phase has a 'share' or 'idle'".to_owned()),
    };
    if !amount.is_finite() || amount <= 0.0 {
        return Err("it sends nothing: write a number above zero, or 'idle'".to_owned());
    }
    if phase.connections.is_some_and(|connections| !(1..=MOST_CONNECTIONS).contains(&connections)) {
        return Err(format!("connections is a number from 1 to {MOST_CONNECTIONS}"));
    }
    let rate = phase.rate.map(|rate| match rate {
        RateFile::Even(rate) => Rate { from: rate, to: rate },
        RateFile::Ramp([from, to]) => Rate { from, to },
    });
    let may_be = |rate: f64| rate.is_finite() && (0.0..=HIGHEST_RATE).contains(&rate);
    if rate.is_some_and(|rate| !may_be(rate.from) || !may_be(rate.to) || rate.from + rate.to <= 0.0) {
        return Err("rate is in requests a second, above zero, or [from, to]".to_owned());
    }
    Ok(Work::Send { amount, connections: phase.connections, rate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_of_an_even_rate_begin_at_even_distances() {
        let rate = Rate { from: 50.0, to: 50.0 };
        for (begun, millis) in [(0, 0), (1, 20), (100, 2_000), (400, 8_000)] {
            assert_eq!(rate.due_after(f64::from(begun), 400.0).as_millis(), millis);
        }
    }

    #[test]
    fn a_ramp_takes_the_time_of_its_mean_rate_and_begins_slowly() {
        let ramp = Rate { from: 0.0, to: 100.0 };
        assert_eq!(ramp.due_after(100.0, 100.0).as_millis(), 2_000);
        // A quarter of the requests begins in the first half of the time.
        assert_eq!(ramp.due_after(25.0, 100.0).as_millis(), 1_000);
        let down = Rate { from: 100.0, to: 0.0 };
        assert_eq!(down.due_after(75.0, 100.0).as_millis(), 1_000);
    }

    proptest! {
        #[test]
        fn no_request_of_a_ramp_begins_before_the_one_before_it(
            from in 0.0_f64..1000.0, to in 0.1_f64..1000.0, all in 1_u32..500,
        ) {
            let rate = Rate { from, to };
            let due: Vec<Duration> = (0..=all).map(|begun| rate.due_after(f64::from(begun), f64::from(all))).collect();
            prop_assert!(due.is_sorted());
        }
    }
}
