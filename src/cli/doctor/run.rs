use std::path::Path;

use heapsoak_record::{Origin, Recording};
use heapsoak_verdict::{RunVerdict, judge};

use super::Advice;
use crate::failure::Failure;

/// What kept a run from saying more.
pub(super) fn examine(file: &Path) -> Result<Vec<Advice>, Failure> {
    let recording = Recording::read(file)?;
    let mut advice = vec![heap(&recording), limit(&recording)];
    advice.extend(stacks(&recording));
    let judgement = judge(&recording);
    advice.push(match judgement.verdict {
        RunVerdict::Invalid => Advice::bad(
            format!("the run can't carry a verdict: {}", judgement.quality.failures.join("; ")),
            "repair what it names, and soak again",
        ),
        RunVerdict::Inconclusive => Advice::worse(
            "the run was too short or too noisy to decide",
            match judgement.wanted_requests {
                Some(more) => format!("soak longer: about {more} more requests would probably decide it"),
                None => "soak longer: --requests with at least twice as many".to_owned(),
            },
        ),
        RunVerdict::Leak | RunVerdict::Clean => Advice::good("the run carries a verdict"),
    });
    Ok(advice)
}

fn heap(recording: &Recording) -> Advice {
    if recording.snapshots.iter().any(|snapshot| snapshot.heap.is_some()) {
        return Advice::good("the heap was counted, by component");
    }
    Advice::worse(
        "the heap was not counted: the server does not carry the probe",
        "link heapsoak-probe and make it the global allocator (four lines, see the README)",
    )
}

fn limit(recording: &Recording) -> Advice {
    if recording.header.target.memory_limit_bytes.is_some() {
        return Advice::good("the memory limit of the server is known");
    }
    Advice::worse(
        "the memory limit of the server is unknown: the time to out-of-memory is against an assumed one",
        "run the server in a cgroup with the limit of production, e.g. systemd-run --user -p MemoryMax=512M",
    )
}

fn stacks(recording: &Recording) -> Vec<Advice> {
    let passes: Vec<_> = recording.stacks.iter().filter(|pass| !pass.stacks.is_empty()).collect();
    if passes.is_empty() {
        return vec![Advice::worse(
            "the run has no call stacks: no line can be named",
            "soak again with this heapsoak, and a server built with its probe",
        )];
    }
    let mut problems: Vec<String> = passes.iter().flat_map(|pass| pass.problems.clone()).collect();
    problems.sort();
    problems.dedup();
    let mut advice: Vec<Advice> = problems
        .into_iter()
        .map(|problem| match problem.rsplit_once("; ").or_else(|| problem.rsplit_once(": build")) {
            Some((found, _)) => {
                let remedy = problem[found.len()..].trim_start_matches([';', ':', ' ']).to_owned();
                Advice::worse(found.to_owned(), remedy)
            }
            None => Advice::worse(problem.clone(), "soak again while the program is where it was built"),
        })
        .collect();
    if advice.is_empty() {
        let own = passes
            .iter()
            .flat_map(|pass| pass.symbols.iter().flatten())
            .any(|symbol| symbol.origin == Origin::Own && symbol.line.is_some());
        advice.push(if own {
            Advice::good("the lines that allocate can be named")
        } else {
            Advice::worse(
                "no stack reaches a line of the program's own",
                "build it with `debug = \"limited\"` and RUSTFLAGS=\"-C force-frame-pointers=yes\"",
            )
        });
    }
    advice
}
