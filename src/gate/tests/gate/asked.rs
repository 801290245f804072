//! Runs with a positive control, and what the gate says of them.

use heapsoak_gate::{Baseline, Check, Figures, Gated, Outcome, Rules, Run, Suppressions, gate};
use heapsoak_record::{Budgets, CONTROL_COMPONENT, Event, Recording};
use heapsoak_verdict::judge;
use jiff::civil::Date;

use crate::server::{Block, Server, Soak, Step};

/// The day the tests are run on.
pub(crate) const TODAY: Date = Date::constant(2026, 11, 25);

/// Bytes of the control's blocks, four of them in a cycle.
const CONTROL_BLOCK: u64 = 128;

/// Runs a soak with the positive control that every gate run has.
pub(crate) fn run(soak: &Soak, mut step: impl FnMut(&mut Server, Step<'_>)) -> Recording {
    let mut kept: Vec<Block> = Vec::new();
    let mut recording = soak.run(|server, now| {
        step(server, now);
        if now == Step::Rest {
            kept.extend((0..4).map(|_| server.alloc(CONTROL_COMPONENT, CONTROL_BLOCK)));
        }
    });
    let planted = |cycle| Event::ControlPlanted { cycle, blocks: 4, bytes: 4 * CONTROL_BLOCK };
    recording.events = (1..=soak.cycles).map(planted).collect();
    recording
}

/// Gates a run by rules, which may be empty.
pub(crate) fn by_rules(recording: &Recording, rules: &str) -> Gated {
    let rules = Rules::parse(&format!("version = 1\n{rules}")).unwrap();
    with(recording, &rules, None, &mut Suppressions::new(&rules.suppressions, TODAY))
}

/// Gates a run by a baseline.
pub(crate) fn by_baseline(recording: &Recording, baseline: &Baseline) -> Gated {
    with(recording, &Rules::default(), Some(baseline), &mut Suppressions::new(&[], TODAY))
}

/// Gates a run by everything.
pub(crate) fn with(
    recording: &Recording,
    rules: &Rules,
    baseline: Option<&Baseline>,
    suppressions: &mut Suppressions,
) -> Gated {
    let judgement = judge(recording);
    let run = Run { recording, judgement: &judgement, unmet: None, budgets: &Budgets::default() };
    gate(&run, rules, baseline, suppressions)
}

/// The baseline of a run, read again from its file.
pub(crate) fn baseline_of(recording: &Recording) -> Baseline {
    let mut baseline = Baseline::default();
    baseline.update(&recording.header.scenario, Figures::of(&judge(recording)));
    Baseline::parse(&baseline.text()).unwrap()
}

/// The check of a name.
pub(crate) fn check<'a>(gated: &'a Gated, name: &str) -> &'a Check {
    gated
        .checks
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("no {name} in {:#?}", gated.checks))
}

/// Fails unless the gate came out so.
pub(crate) fn assert_outcome(gated: &Gated, outcome: Outcome) {
    assert_eq!(gated.outcome, outcome, "{:#?}", gated.checks);
}
