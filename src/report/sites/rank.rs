use std::collections::HashMap;
use std::path::Path;

use heapsoak_record::{Origin, Recording, Stack, Stacks, Symbol};
use heapsoak_verdict::{Finding, Pattern};

use super::{Caller, Site, below, functions, place};

/// Callers that are shown at most.
const CALLERS: usize = 12;

/// The sites of a finding, the one that allocated most of it first; empty where no stacks were captured.
pub(crate) fn rank(recording: &Recording, finding: &Finding, root: Option<&Path>) -> Vec<Site> {
    let Some(stacks) = pass(recording, &finding.component) else { return Vec::new() };
    let mut sites: HashMap<(String, Option<String>, Option<u32>), Ranked<'_>> = HashMap::new();
    for stack in stacks.stacks.iter().filter(|stack| concerns(stack, finding)) {
        let bytes = bytes(stacks, stack, finding);
        let Some(symbol) = site(stacks, stack).filter(|_| bytes > 0.0) else { continue };
        let key = (symbol.function.clone(), symbol.file.clone(), symbol.line);
        let ranked = sites.entry(key).or_insert(Ranked { bytes: 0.0, most: 0.0, stack });
        ranked.bytes += bytes;
        if bytes > ranked.most {
            (ranked.most, ranked.stack) = (bytes, stack);
        }
    }
    let all: f64 = sites.values().map(|ranked| ranked.bytes).sum();
    let mut ranked: Vec<Site> = sites
        .into_iter()
        .map(|((function, file, line), ranked)| Site {
            function,
            file: file.map(|file| below(root, &file)),
            line,
            share: ranked.bytes / all,
            callers: callers(stacks, ranked.stack, root),
        })
        .collect();
    ranked.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.place().cmp(&b.place())));
    ranked
}

/// A site while it is added up, with the stack that has the most of it.
struct Ranked<'a> {
    bytes: f64,
    most: f64,
    stack: &'a Stack,
}

/// The pass to look at: a second one that captured every stack of the component if there is one, else the soak itself.
fn pass<'a>(recording: &'a Recording, component: &str) -> Option<&'a Stacks> {
    let passes = || recording.stacks.iter().filter(|pass| !pass.stacks.is_empty());
    passes()
        .find(|pass| pass.zoom.as_deref() == Some(component))
        .or_else(|| passes().find(|pass| pass.zoom.is_none()))
}

/// Whether a stack allocated for what the finding is about.
fn concerns(stack: &Stack, finding: &Finding) -> bool {
    let triggered = match (&stack.kind, finding.triggered_by.as_slice()) {
        (_, []) => true,
        (Some(kind), triggers) => triggers.contains(kind),
        (None, _) => false,
    };
    stack.component() == finding.component && triggered
}

/// What a stack has of it: for churn what it allocated; else what piled up after the first third of the run, or all
/// that is alive where that was not counted.
fn bytes(stacks: &Stacks, stack: &Stack, finding: &Finding) -> f64 {
    if finding.pattern == Pattern::Churn {
        return stack.allocated.bytes as f64;
    }
    let last = stacks.marks.len().saturating_sub(1);
    if stack.marks.len() == stacks.marks.len() && last > 0 {
        return stack.growth_bytes((last / 3).min(last - 1), last).max(0) as f64;
    }
    stack.live.bytes as f64
}

/// The function a person would change: the innermost of the program's own that was written by hand; else of the
/// program's own; else of a crate it depends on; else of anything but std, the allocator and the probe.
fn site<'a>(stacks: &'a Stacks, stack: &'a Stack) -> Option<&'a Symbol> {
    let all = || functions(stacks, stack, false);
    let of = |origin| all().find(move |symbol| symbol.origin == origin);
    all()
        .find(|symbol| symbol.origin == Origin::Own && !is_derived(&symbol.function))
        .or_else(|| of(Origin::Own))
        .or_else(|| of(Origin::Dependency))
        .or_else(|| all().next())
}

/// Whether a derive wrote the function: serde's stand in a nameless constant (`queue::task::_::<impl …>`), and point at
/// the line of the derive, where nobody allocates.
fn is_derived(function: &str) -> bool {
    function.contains("::_::<impl ")
}

fn callers(stacks: &Stacks, stack: &Stack, root: Option<&Path>) -> Vec<Caller> {
    functions(stacks, stack, false)
        .take(CALLERS)
        .map(|symbol| {
            let file = symbol.file.as_deref().map(|file| below(root, file));
            Caller {
                function: symbol.function.clone(),
                place: place(file.as_deref(), symbol.line),
                inlined: symbol.inlined,
            }
        })
        .collect()
}
