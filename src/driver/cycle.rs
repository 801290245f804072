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

/// The number of the draw a flow's kind comes from; its values come from another, so that neither moves the other.
const KIND_DRAWS: u32 = 1 << 31;

impl CyclePlan {
    /// Draws the flows of a cycle until they send `requests` requests.
    pub(crate) fn draw(scenario: &Scenario, seed: u64, cycle: u32, requests: u64) -> CyclePlan {
        let kinds = &scenario.kinds;
        let total: f64 = kinds.iter().map(|kind| kind.weight).sum();
        let mut plan = CyclePlan { stages: vec![Vec::new(); scenario.stages.len()] };
        // Flows that may be replayed, by kind.
        let mut sent: Vec<Vec<u32>> = vec![Vec::new(); kinds.len()];
        let (mut index, mut planned) = (0, 0);
        while planned < requests {
            let mut draw = Draw::flow(seed, cycle, KIND_DRAWS | index);
            let mut kind = choose(kinds, draw.unit() * total);
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

/// The values for a flow's templates.
pub(crate) fn draw_values(seed: u64, cycle: u32, index: u32, requests_per_cycle: u64) -> Values {
    let counter = u64::from(cycle.saturating_sub(1)) * requests_per_cycle + u64::from(index);
    Values::new(Draw::flow(seed, cycle, index), counter)
}

fn choose(kinds: &[Kind], mut point: f64) -> usize {
    for (index, kind) in kinds.iter().enumerate() {
        if point < kind.weight {
            return index;
        }
        point -= kind.weight;
    }
    kinds.len() - 1
}
