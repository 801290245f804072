//! What is still alive of each cohort: the evidence that tells a leak from a bounded cache.

use heapsoak_record::Unit;
use heapsoak_verdict::CohortSurvivors;

use super::plot::{Mark, Plot};
use super::theme::Tone;

/// Bars per cohort, the judged ones in the colour of alarm and on a shaded ground.
///
/// Start-up (cohort 0) is left out: what a server sets up once would dwarf everything else.
pub(crate) fn plot(whose: &str, cohorts: &[CohortSurvivors]) -> Plot {
    let mut marks = Vec::new();
    let judged = |cohort: &&CohortSurvivors| cohort.judged;
    let cycles = cohorts.iter().filter(|cohort| cohort.cohort > 0);
    if let (Some(first), Some(last)) = (cycles.clone().find(judged), cycles.clone().rfind(judged)) {
        let (from, to) = (f64::from(first.cohort) - 0.5, f64::from(last.cohort) + 0.5);
        marks.push(Mark::Band { from, to, says: "judged".to_owned() });
    }
    marks.extend(cycles.map(|cohort| Mark::Bar {
        at: f64::from(cohort.cohort),
        height: cohort.live_bytes as f64,
        tone: if cohort.judged { Tone::Alarm } else { Tone::Faint },
    }));
    Plot {
        title: whose.to_owned(),
        shows: "alive at the end, by cohort",
        across: "cycle that allocated it",
        unit: Unit::Bytes,
        marks,
    }
}
