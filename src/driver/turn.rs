//! Whose turn it is: which of a stage's flows each of its phases sends.

use std::ops::Range;
use std::time::Duration;

use crate::cycle::PlannedFlow;
use crate::scenario::{Phase, Rate, Scenario, Work};

/// A phase with its part of the flows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn<'a> {
    /// Name of the phase; none for a stage without phases.
    pub(crate) name: Option<&'a str>,
    pub(crate) work: TurnWork,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TurnWork {
    Idle(Duration),
    Send {
        /// Which of the stage's flows.
        flows: Range<usize>,
        connections: Option<u32>,
        rate: Option<Rate>,
    },
}

/// Splits flows over phases: each gets its share of the requests, to the nearest flow. All flows in one turn if there are
/// no phases.
pub(crate) fn take_turns<'a>(
    phases: &'a [Phase],
    flows: &[PlannedFlow],
    scenario: &Scenario,
) -> Vec<Turn<'a>> {
    if phases.is_empty() {
        let all = TurnWork::Send { flows: 0..flows.len(), connections: None, rate: None };
        return vec![Turn { name: None, work: all }];
    }
    let whole: f64 = phases.iter().map(amount).sum();
    let requests = count_requests(flows, scenario);
    let (mut asked, mut sent, mut next) = (0.0, 0_u64, 0);
    let turns = phases.iter().map(|phase| {
        let work = match phase.work {
            Work::Idle(lasts) => TurnWork::Idle(lasts),
            Work::Send { amount, connections, rate } => {
                asked += amount;
                #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
                let end = requests as f64 * asked / whole;
                let first = next;
                #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
                while let Some(flow) = flows.get(next)
                    && (sent as f64 + flow.requests(scenario) as f64 / 2.0) < end
                {
                    sent += flow.requests(scenario);
                    next += 1;
                }
                TurnWork::Send { flows: first..next, connections, rate }
            }
        };
        Turn { name: Some(phase.name.as_str()), work }
    });
    let mut turns: Vec<Turn<'a>> = turns.collect();
    // What rounding may have left over.
    let last = turns.iter_mut().rev().find_map(|turn| match &mut turn.work {
        TurnWork::Send { flows, .. } => Some(flows),
        TurnWork::Idle(_) => None,
    });
    if let Some(last) = last {
        last.end = flows.len();
    }
    turns
}

/// HTTP requests of flows.
fn count_requests(flows: &[PlannedFlow], scenario: &Scenario) -> u64 {
    flows.iter().map(|flow| flow.requests(scenario)).sum()
}

fn amount(phase: &Phase) -> f64 {
    match phase.work {
        Work::Idle(_) => 0.0,
        Work::Send { amount, .. } => amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycle::CyclePlan;

    fn scenario(phases: &str) -> Scenario {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        let text = format!(
            r#"
version = 1
[load]
cycles = 1
requests-per-cycle = 1
[weights]
"a.one" = 2
"a.two" = 1
[kind."a.one"]
path = "/one"
expect = {{ ok = [200] }}
[kind."a.two"]
setup = [{{ method = "GET", path = "/setup", expect = {{ ok = [200] }} }}]
path = "/two"
expect = {{ ok = [200] }}
{phases}
"#
        );
        std::fs::write(&path, text).unwrap();
        Scenario::load(&path).unwrap()
    }

    #[test]
    fn every_flow_is_sent_once_and_each_phase_has_its_share_of_the_requests() {
        let scenario = scenario(
            "[[phase]]\nname = \"a\"\nshare = 3\n[[phase]]\nname = \"rest\"\nidle = \"1s\"\n[[phase]]\nname = \"b\"\nshare = 1\n",
        );
        let flows = CyclePlan::draw(&scenario, 1, 1, 400, 0.0).stages.swap_remove(0);
        let turns = take_turns(&scenario.phases, &flows, &scenario);
        let names: Vec<_> = turns.iter().map(|turn| turn.name.unwrap()).collect();
        assert_eq!(names, ["a", "rest", "b"]);
        let (TurnWork::Send { flows: a, .. }, TurnWork::Send { flows: b, .. }) =
            (&turns[0].work, &turns[2].work)
        else {
            panic!("{turns:?}");
        };
        assert_eq!((a.start, a.end, b.end), (0, b.start, flows.len()));
        let sent = count_requests(&flows[a.clone()], &scenario);
        assert!((299..=301).contains(&sent), "{sent}");
        assert_eq!(turns[1].work, TurnWork::Idle(Duration::from_secs(1)));
    }

    #[test]
    fn without_phases_there_is_one_turn() {
        let scenario = scenario("");
        let flows = CyclePlan::draw(&scenario, 1, 1, 40, 0.0).stages.swap_remove(0);
        let turns = take_turns(&scenario.phases, &flows, &scenario);
        let all = TurnWork::Send { flows: 0..flows.len(), connections: None, rate: None };
        assert_eq!(turns, [Turn { name: None, work: all }]);
    }
}
