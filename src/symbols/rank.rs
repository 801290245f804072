//! Which of the functions that allocate is the one to change.

use std::collections::HashMap;
use std::path::Path;

use heapsoak_record::{Origin, Recording, Stack, Stacks, Symbol};

use crate::site::{Caller, Site, below, functions};

/// What sites are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The component.
    pub component: &'a str,
    /// The request kinds; all, and work no request asked for, when empty.
    pub kinds: &'a [String],
    /// What to add up.
    pub measure: Measure,
}

/// What of a stack is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// What piled up after the first third of the run, or all that is alive where that was not counted.
    Growth,
    /// All it ever allocated.
    Allocated,
}

/// The functions that allocate what is asked about, the one with most of it first; empty where nothing of it grew.
///
/// Of each stack one function answers for what it allocated: the innermost that the program's own people wrote by hand,
/// which leaves out what a derive wrote and every `Clone`; else the innermost of the program's own; else of a crate it
/// depends on. What a function allocates in several lines, and in its closures, is one site, named by the line with most
/// of it. Files are named without `root`.
#[must_use]
pub fn rank(stacks: &Stacks, question: Question<'_>, root: Option<&Path>) -> Vec<Site> {
    let mut found: HashMap<&str, Ranked<'_>> = HashMap::new();
    for stack in stacks.stacks.iter().filter(|stack| question.concerns(stack)) {
        let bytes = question.measure.of(stacks, stack);
        let Some(symbol) = site(stacks, stack).filter(|_| bytes != 0) else { continue };
        let ranked = found.entry(whole(&symbol.function)).or_default();
        ranked.bytes += bytes;
        let line = ranked.lines.entry(symbol).or_insert(Line { bytes: 0, most: 0, stack });
        line.bytes += bytes;
        if bytes > line.most {
            (line.most, line.stack) = (bytes, stack);
        }
    }
    found.retain(|_, ranked| ranked.bytes > 0);
    let all: i64 = found.values().map(|ranked| ranked.bytes).sum();
    let mut sites: Vec<Site> = found
        .into_values()
        .filter_map(|ranked| {
            let (symbol, line) = ranked.lines.into_iter().max_by(|(a, one), (b, other)| {
                one.bytes.cmp(&other.bytes).then_with(|| b.line.cmp(&a.line))
            })?;
            Some(Site {
                function: symbol.function.clone(),
                file: symbol.file.as_deref().map(|file| below(root, file)),
                line: symbol.line,
                share: ranked.bytes as f64 / all as f64,
                callers: Caller::all(stacks, line.stack, root),
            })
        })
        .collect();
    sites.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.place().cmp(&b.place())));
    sites
}

/// A function while it is added up.
#[derive(Default)]
struct Ranked<'a> {
    bytes: i64,
    lines: HashMap<&'a Symbol, Line<'a>>,
}

/// A line of it, with the stack that has the most of it.
struct Line<'a> {
    bytes: i64,
    most: i64,
    stack: &'a Stack,
}

/// The pass that knows most of a component: a second one that captured every stack of it if there is one, else the soak
/// itself.
#[must_use]
pub fn pass<'a>(recording: &'a Recording, component: &str) -> Option<&'a Stacks> {
    let passes = || recording.stacks.iter().filter(|pass| !pass.stacks.is_empty());
    passes()
        .find(|pass| pass.zoom.as_deref() == Some(component))
        .or_else(|| passes().find(|pass| pass.zoom.is_none()))
}

impl Question<'_> {
    /// Whether a stack allocated for what is asked about.
    fn concerns(&self, stack: &Stack) -> bool {
        let asked = match (&stack.kind, self.kinds) {
            (_, []) => true,
            (Some(kind), kinds) => kinds.contains(kind),
            (None, _) => false,
        };
        asked && stack.component() == self.component
    }
}

impl Measure {
    fn of(self, stacks: &Stacks, stack: &Stack) -> i64 {
        let last = stacks.marks.len().saturating_sub(1);
        match self {
            Measure::Allocated => stack.allocated.bytes.cast_signed(),
            Measure::Growth if stack.marks.len() == stacks.marks.len() && last > 0 => {
                stack.growth_bytes(first_mark(last), last)
            }
            Measure::Growth => stack.live.bytes.cast_signed(),
        }
    }
}

/// The mark from which on growth counts, of marks up to `last`: what came before was warming up.
pub(crate) fn first_mark(last: usize) -> usize {
    (last / 3).min(last.saturating_sub(1))
}

/// The function a person would change.
#[must_use]
pub fn site<'a>(stacks: &'a Stacks, stack: &'a Stack) -> Option<&'a Symbol> {
    let all = || functions(stacks, stack, false);
    let of = |origin| all().find(move |symbol| symbol.origin == origin);
    all()
        .find(|symbol| symbol.origin == Origin::Own && !is_made_for_it(&symbol.function))
        .or_else(|| of(Origin::Own))
        .or_else(|| of(Origin::Dependency))
        .or_else(|| all().next())
}

/// Whether a function does no more than it was called for, so that its caller is the one to look at: what serde derives,
/// which stands in a nameless constant (`queue::task::_::<impl …>`) and points at the line of the derive, where nobody
/// allocates; and copies, derived or not.
fn is_made_for_it(function: &str) -> bool {
    function.contains("::_::<impl ") || function.ends_with(" as core::clone::Clone>::clone")
}

/// The function a closure or an async block stands in; any other function itself.
pub(crate) fn whole(function: &str) -> &str {
    function.trim_end_matches("::{{closure}}")
}
