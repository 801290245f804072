//! Runs in which the server was restarted: each process counts for itself, so the longest stretch is judged, and beside it
//! what the server holds again after each restart.

use heapsoak_record::{Part, Recording, Stretch};

use crate::judge::judge_stretch;
use crate::judgement::Judgement;
use crate::loaded_again::loaded_again;
use crate::policy::Policy;
use crate::quality::requests;
use crate::words::{list, plural};

/// Stretches that are named at most.
const MOST_NAMED: usize = 8;

/// Judges the longest stretch of a run that has several; of two as long, the later one, which has seen more.
pub(crate) fn judge_longest(whole: &Recording, policy: &Policy) -> Option<Judgement> {
    let judged = &whole.longest_part()?;
    let mut judgement = judge_stretch(&judged.recording, &requests(whole), policy);
    judgement.not_analysed.insert(
        0,
        format!(
            "growth in {}: the server was restarted {}, and each process counts for itself; judged is the longest stretch, {}",
            others(&whole.stretches(), judged),
            plural(whole.restarts() as usize, "time"),
            words(judged.cycles_before, judged.recording.header.plan.cycles),
        ),
    );
    place(&mut judgement, judged);
    for again in loaded_again(whole, policy) {
        again.tell(&mut judgement);
    }
    Some(judgement)
}

/// The stretches that are not judged.
fn others(stretches: &[Stretch], judged: &Part) -> String {
    if stretches.len() > MOST_NAMED {
        return "all cycles but those of one process".to_owned();
    }
    let others = stretches.iter().filter(|stretch| stretch.cycles_before != judged.cycles_before);
    list(&others.map(|stretch| words(stretch.cycles_before, stretch.cycles)).collect::<Vec<_>>())
}

/// `cycles 1 to 12`.
fn words(before: u32, cycles: u32) -> String {
    match cycles {
        0 => format!("no cycle after cycle {before}"),
        1 => format!("cycle {}", before + 1),
        _ => format!("cycles {} to {}", before + 1, before + cycles),
    }
}

/// Moves what is shown over the requests of the stretch to its place in the whole run.
fn place(judgement: &mut Judgement, part: &Part) {
    let by = part.requests_before;
    let points = judgement.components.iter_mut().flat_map(|component| &mut component.series);
    points.for_each(|point| point.requests += by);
    let points = judgement.resources.iter_mut().flat_map(|resource| &mut resource.series);
    points.for_each(|point| point.requests += by);
}
