use crate::draw::Draw;
use crate::scenario::{Kind, Scenario};
use crate::template::Values;

/// The flows of one cycle, drawn from the seed: which kind at which place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CyclePlan {
    /// One list per stage of the scenario.
    pub(crate) stages: Vec<Vec<PlannedFlow>>,
}

/// A flow at its place in a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedFlow {
    /// Number within the cycle, from 0.
    pub(crate) index: u32,
    /// Index into the scenario's kinds.
    pub(crate) kind: usize,
    /// The earlier flow of this cycle whose last request is sent once more.
    pub(crate) replays: Option<u32>,
}

impl PlannedFlow {
    /// HTTP requests it sends.
    pub(crate) fn requests(&self, scenario: &Scenario) -> u64 {
        scenario.kinds[self.kind].flow.requests()
    }
}

/// The number of the draw a cycle's mixture comes from.
const MIXTURE_DRAW: u32 = u32::MAX - 1;

/// The number of the draw a flow's kind comes from; its values come from another, so that neither moves the other.
const KIND_DRAWS: u32 = 1 << 31;

impl CyclePlan {
    /// Draws the flows of a cycle until they send `requests` requests. In each cycle the weights are up to the share
    /// `vary` higher or lower than the scenario's: by how the memory follows, a kind that leaks can be told from others
    /// where nothing else tells them apart.
    pub(crate) fn draw(scenario: &Scenario, seed: u64, cycle: u32, requests: u64, vary: f64) -> CyclePlan {
        let kinds = &scenario.kinds;
        let mut mixture = Draw::flow(seed, cycle, MIXTURE_DRAW);
        let weights: Vec<f64> = kinds
            .iter()
            .map(|kind| {
                kind.weight * if vary > 0.0 { 1.0 + vary * (2.0 * mixture.unit() - 1.0) } else { 1.0 }
            })
            .collect();
        CyclePlan::draw_weighted(scenario, seed, cycle, requests, &weights)
    }

    /// Draws the flows before the first cycle, in order: kinds of the main stage only, since the others need the server in
    /// a state that the cycles bring about.
    pub(crate) fn draw_warm_up(scenario: &Scenario, seed: u64, requests: u64) -> Vec<PlannedFlow> {
        let main = |kind: &Kind| if kind.flow.stage == 0 { kind.weight } else { 0.0 };
        let weights: Vec<f64> = scenario.kinds.iter().map(main).collect();
        CyclePlan::draw_weighted(scenario, seed, 0, requests, &weights).stages.swap_remove(0)
    }

    fn draw_weighted(
        scenario: &Scenario,
        seed: u64,
        cycle: u32,
        requests: u64,
        weights: &[f64],
    ) -> CyclePlan {
        let kinds = &scenario.kinds;
        let total: f64 = weights.iter().sum();
        let mut plan = CyclePlan { stages: vec![Vec::new(); scenario.stages.len()] };
        // Flows that may be replayed, by kind.
        let mut sent: Vec<Vec<u32>> = vec![Vec::new(); kinds.len()];
        let (mut index, mut planned) = (0, 0);
        while planned < requests {
            let mut draw = Draw::flow(seed, cycle, KIND_DRAWS | index);
            let mut kind = choose(weights, draw.unit() * total);
            let mut replays = None;
            if let Some(replay) = &kinds[kind].flow.replay {
                match sent[replay.of].len() as u64 {
                    // A replay drawn before there is anything to replay becomes the first original.
                    0 => kind = replay.of,
                    count => {
                        let pick = usize::try_from(draw.between(0, count - 1)).unwrap_or(0);
                        replays = Some(sent[replay.of][pick]);
                    }
                }
            }
            let flow = &kinds[kind].flow;
            if flow.replayed {
                sent[kind].push(index);
            }
            planned += flow.requests();
            plan.stages[flow.stage].push(PlannedFlow { index, kind, replays });
            index += 1;
        }
        plan
    }
}

/// Where the values of a run's templates come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbering {
    pub(crate) seed: u64,
    pub(crate) requests_per_cycle: u64,
    /// Requests before the first cycle.
    pub(crate) warm_up: u64,
}

impl Numbering {
    /// The values for a flow's templates. Cycle 0 is what comes before the first.
    pub(crate) fn values(self, cycle: u32, index: u32) -> Values {
        let before = match cycle {
            0 => 0,
            cycle => self.warm_up + u64::from(cycle - 1) * self.requests_per_cycle,
        };
        Values::new(Draw::flow(self.seed, cycle, index), before + u64::from(index))
    }
}

fn choose(weights: &[f64], mut point: f64) -> usize {
    for (index, weight) in weights.iter().enumerate() {
        if point < *weight {
            return index;
        }
        point -= weight;
    }
    // Rounding may leave nothing of the weights; what has none is never chosen.
    weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scenario(weights: [f64; 3]) -> Scenario {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        let [one, two, replay] = weights;
        let text = format!(
            r#"
version = 1
[load]
cycles = 1
requests-per-cycle = 1
[weights]
"a.one" = {one:?}
"a.replay" = {replay:?}
"a.two" = {two:?}
[kind."a.one"]
path = "/one"
expect = {{ ok = [200] }}
[kind."a.two"]
setup = [{{ method = "GET", path = "/setup", expect = {{ ok = [200] }} }}]
path = "/two"
expect = {{ ok = [200] }}
[kind."a.replay"]
replay-of = "a.one"
expect = {{ ok = [200] }}
"#
        );
        std::fs::write(&path, text).unwrap();
        Scenario::load(&path).unwrap()
    }

    #[test]
    fn kinds_are_drawn_by_their_weights() {
        let scenario = scenario([6.0, 3.0, 1.0]);
        let plan = CyclePlan::draw(&scenario, 3, 1, 30_000, 0.0);
        let flows = &plan.stages[0];
        let share = |kind: usize| {
            let count = flows.iter().filter(|flow| flow.kind == kind).count();
            f64::from(u32::try_from(count).unwrap()) / f64::from(u32::try_from(flows.len()).unwrap())
        };
        for (kind, weight) in [(0, 0.6), (1, 0.1), (2, 0.3)] {
            assert!((share(kind) - weight).abs() < 0.01, "{kind}: {}", share(kind));
        }
    }

    #[test]
    fn a_mixture_that_varies_is_the_scenarios_on_average_and_differs_between_cycles() {
        let scenario = scenario([1.0, 1.0, 0.0]);
        let count = |cycle| {
            let plan = CyclePlan::draw(&scenario, 3, cycle, 500, 0.8);
            let flows = &plan.stages[0];
            100 * flows.iter().filter(|flow| flow.kind == 0).count() / flows.len()
        };
        let counts: Vec<usize> = (1..=60).map(count).collect();
        let mean = counts.iter().sum::<usize>() / counts.len();
        assert!((42..58).contains(&mean), "{mean}");
        assert!(counts.iter().min().unwrap() + 30 < *counts.iter().max().unwrap(), "{counts:?}");
    }

    #[test]
    fn cycles_differ_and_each_is_the_same_every_time() {
        let scenario = scenario([6.0, 3.0, 1.0]);
        let draw = |seed, cycle| CyclePlan::draw(&scenario, seed, cycle, 200, 0.0);
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    proptest! {
        #[test]
        fn a_replay_comes_after_its_original(seed: u64, cycle in 1_u32..50, requests in 1_u64..300) {
            let scenario = scenario([1.0, 1.0, 3.0]);
            let plan = CyclePlan::draw(&scenario, seed, cycle, requests, 0.5);
            let flows = &plan.stages[0];
            for (place, flow) in flows.iter().enumerate() {
                prop_assert_eq!(flow.kind == 1, flow.replays.is_some());
                if let Some(original) = flow.replays {
                    prop_assert!(flows[..place].iter().any(|earlier| earlier.index == original && earlier.kind == 0));
                }
            }
        }

        #[test]
        fn a_cycle_sends_what_was_asked_for_and_at_most_a_flow_more(seed: u64, requests in 1_u64..300) {
            let scenario = scenario([1.0, 1.0, 1.0]);
            let plan = CyclePlan::draw(&scenario, seed, 1, requests, 0.0);
            let sent: u64 = plan.stages[0].iter().map(|flow| flow.requests(&scenario)).sum();
            prop_assert!((requests..requests + 2).contains(&sent));
        }
    }
}
