use std::fmt::Write as _;

use heapsoak_record::Recording;
use heapsoak_verdict::{Explanation, explain as evidence};

use crate::arguments::Explain;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::print;

/// Prints every piece of evidence about a component, or all of them, and how it weighed.
pub(crate) fn explain(arguments: &Explain) -> Result<Exit, Failure> {
    let file = recording_in(&arguments.recording);
    let recording = Recording::read(&file)?;
    let explanations = evidence(&recording, arguments.component.as_deref());
    if let Some(component) = arguments.component.as_deref().filter(|_| explanations.is_empty()) {
        let mut known: Vec<String> =
            evidence(&recording, None).into_iter().map(|one| one.component).collect();
        known.dedup();
        let why = format!("{} has no component '{component}': it has {}", file.display(), known.join(", "));
        return Err(Failure::new(Exit::Usage, why));
    }
    if arguments.json {
        let json = serde_json::to_vec_pretty(&explanations)
            .map_err(|error| Failure::new(Exit::Internal, format!("can't write the evidence: {error}")))?;
        return print::data([json, vec![b'\n']].concat());
    }
    print::data(text(&explanations).as_bytes())
}

fn text(explanations: &[Explanation]) -> String {
    let mut text = String::new();
    for one in explanations {
        let growth = one.growth_bytes_per_1000_requests;
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{}: {}, {:.0} bytes per 1,000 requests ({:.0} to {:.0})",
            one.about,
            one.verdict.word(),
            growth.estimate,
            growth.low,
            growth.high
        );
        for piece in &one.pieces {
            let _ = writeln!(text, "  {:22} {:11} {}", piece.rule, piece.weighs.word(), piece.found);
        }
        text.push('\n');
    }
    text
}
