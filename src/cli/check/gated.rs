use heapsoak_driver::Expect;
use heapsoak_gate::{Baseline, Check, Outcome, Rules, Run, Suppressions, gate};
use heapsoak_record::{Budgets, Outcome as Ended, Recording};
use heapsoak_verdict::{Judgement, judge};
use serde::Deserialize;

use crate::exit::Exit;
use crate::expectation;
use crate::failure::Failure;

/// A run that was held against everything asked of it.
pub(super) struct Gated {
    pub(super) recording: Recording,
    pub(super) judgement: Judgement,
    pub(super) outcome: Outcome,
    pub(super) checks: Vec<Check>,
    reported: Vec<heapsoak_report::Check>,
}

/// What a scenario's text asks of its run, which a recording carries along.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    budget: Budgets,
    expect: Option<Expect>,
    #[serde(default)]
    target: TargetAsked,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct TargetAsked {
    #[serde(default)]
    as_found: Names,
}

/// One name or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Default for Names {
    fn default() -> Names {
        Names::Many(Vec::new())
    }
}

impl Names {
    fn list(self) -> Vec<String> {
        let mut names = match self {
            Names::One(name) => vec![name],
            Names::Many(names) => names,
        };
        names.retain(|name| name != "none");
        names
    }
}

impl Gated {
    /// Judges and gates a recording.
    pub(super) fn of(
        recording: Recording,
        rules: &Rules,
        baseline: Option<&Baseline>,
        suppressions: &mut Suppressions,
    ) -> Result<Gated, Failure> {
        let judgement = judge(&recording);
        let header = &recording.header;
        let asked: Asked = toml::from_str(&header.scenario_source).map_err(|error| {
            let why =
                format!("the recording of {} holds a scenario that can't be read: {error}", header.scenario);
            Failure::new(Exit::Usage, why)
        })?;
        // What a scenario expects of its own server says nothing of one with other defects.
        let as_planned = asked.target.as_found.list() == header.target.as_found;
        let unmet = asked.expect.filter(|_| as_planned).map(|expect| expectation::unmet(&expect, &judgement));
        let run = Run {
            recording: &recording,
            judgement: &judgement,
            unmet: unmet.as_deref(),
            budgets: &asked.budget,
        };
        let gated = gate(&run, rules, baseline, suppressions);
        let reported = gated.checks.iter().map(super::reported).collect();
        Ok(Gated { outcome: gated.outcome, checks: gated.checks, reported, recording, judgement })
    }

    /// Name of the scenario.
    pub(super) fn scenario(&self) -> &str {
        &self.recording.header.scenario
    }

    /// For the report, with its checks.
    pub(super) fn run(&self) -> heapsoak_report::Run<'_> {
        heapsoak_report::Run::new(&self.recording, &self.judgement).with_checks(&self.reported)
    }

    /// Has the report tell of checks that concern more than this run.
    pub(super) fn add(&mut self, checks: &[Check]) {
        self.reported.extend(checks.iter().map(super::reported));
    }

    /// The code of this run alone: how it ended, before what it shows.
    pub(super) fn exit(&self) -> Exit {
        match self.recording.end.as_ref().map(|end| &end.outcome) {
            Some(Ended::TargetDied { .. }) => Exit::TargetDied,
            Some(Ended::Failed { .. }) => Exit::Internal,
            Some(Ended::Interrupted) | None => Exit::Invalid,
            Some(Ended::Completed) => super::exit_of(self.outcome),
        }
    }
}
