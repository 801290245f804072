//! Which of the functions that allocate is the one to change.

use std::collections::HashMap;
use std::path::Path;

use heapsoak_record::{Origin, Recording, Stack, Stacks, Symbol};

use crate::name::whole;
use crate::rate::Rate;
use crate::series::held;
use crate::site::{Caller, Site, below, functions};

/// What surely grew may have fallen, from mark to mark, by one in so many of the bytes it grew by.
const FALLS: u64 = 4;

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

/// What of a line is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// What piled up after the first third of the run; or all that is alive where nothing did, or it was not counted.
    Growth,
    /// What it held on average, of what comes and goes.
    Held,
    /// All it ever allocated.
    Allocated,
}

/// The functions that allocate what is asked about, the one with most of it first; empty where there is nothing of it.
///
/// Of each stack one function answers for what it allocated: the innermost that the program's own people wrote by hand,
/// which leaves out what a derive wrote and every `Clone`; else the innermost of the program's own; else of a crate it
/// depends on. What a function allocates in several lines, and in its closures, is one site, named by the line with most
/// of it. A line that comes and goes counts for nothing as long as another one surely grew.
/// Files are named without `root`.
#[must_use]
pub fn rank(stacks: &Stacks, question: Question<'_>, root: Option<&Path>) -> Vec<Site> {
    let lines = lines(stacks, question);
    let mut weights: Vec<f64> = lines.iter().map(|line| line.weight(stacks, question.measure)).collect();
    if question.measure == Measure::Growth {
        let sure: Vec<bool> = lines.iter().map(|line| line.surely_grew(stacks)).collect();
        if sure.contains(&true) {
            weights.iter_mut().zip(&sure).filter(|(_, sure)| !**sure).for_each(|(weight, _)| *weight = 0.0);
        } else if weights.iter().all(|weight| *weight == 0.0) {
            weights = lines.iter().map(|line| line.live as f64).collect();
        }
    }
    let all: f64 = weights.iter().sum();
    let mut found: HashMap<&str, (f64, f64, &Line<'_>)> = HashMap::new();
    for (line, weight) in lines.iter().zip(weights).filter(|(_, weight)| *weight > 0.0) {
        let (sum, most, shown) = found.entry(whole(&line.symbol.function)).or_insert((0.0, 0.0, line));
        *sum += weight;
        if weight > *most {
            (*most, *shown) = (weight, line);
        }
    }
    let site = |(sum, _, line): (f64, f64, &Line<'_>)| Site {
        function: line.symbol.function.clone(),
        file: line.symbol.file.as_deref().map(|file| below(root, file)),
        line: line.symbol.line,
        share: sum / all,
        callers: Caller::all(stacks, line.stack, root),
    };
    let mut sites: Vec<Site> = found.into_values().map(site).collect();
    sites.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.place().cmp(&b.place())));
    sites
}

/// A line of a function with all that its stacks hold.
struct Line<'a> {
    symbol: &'a Symbol,
    /// Bytes at each mark.
    held: Vec<u64>,
    live: u64,
    allocated: u64,
    /// The stack that has the most of it.
    stack: &'a Stack,
}

/// The lines that a question is about, in order of their functions and lines.
fn lines<'a>(stacks: &'a Stacks, question: Question<'_>) -> Vec<Line<'a>> {
    let mut lines: HashMap<&Symbol, Line<'a>> = HashMap::new();
    for stack in stacks.stacks.iter().filter(|stack| question.concerns(stack)) {
        let Some(symbol) = site(stacks, stack) else { continue };
        let line = lines.entry(symbol).or_insert_with(|| Line {
            symbol,
            held: vec![0; stacks.marks.len()],
            live: 0,
            allocated: 0,
            stack,
        });
        line.held.iter_mut().zip(held(stacks, stack)).for_each(|(sum, bytes)| *sum += bytes);
        line.live += stack.live.bytes;
        line.allocated += stack.allocated.bytes;
        if stack.live.bytes > line.stack.live.bytes {
            line.stack = stack;
        }
    }
    let mut lines: Vec<Line<'a>> = lines.into_values().collect();
    lines.sort_by(|a, b| (&a.symbol.function, a.symbol.line).cmp(&(&b.symbol.function, b.symbol.line)));
    lines
}

impl Line<'_> {
    /// What it has of what is asked for: in bytes, never below zero.
    fn weight(&self, stacks: &Stacks, measure: Measure) -> f64 {
        let counted = stacks.marks.len() > 1;
        match measure {
            Measure::Allocated => self.allocated as f64,
            Measure::Growth if counted => {
                let last = self.held.len() - 1;
                (self.held[last] as f64 - self.held[first_mark(last)] as f64).max(0.0)
            }
            Measure::Held if counted => self.held.iter().sum::<u64>() as f64 / self.held.len() as f64,
            Measure::Growth | Measure::Held => self.live as f64,
        }
    }

    /// Whether it did more than come and go: the interval of its growth is above zero, or, as of few and rare blocks, it
    /// hardly ever fell.
    fn surely_grew(&self, stacks: &Stacks) -> bool {
        let Some(last) = stacks.marks.len().checked_sub(1) else { return false };
        let requests = stacks.marks.iter().map(|mark| mark.requests);
        let held: Vec<(u64, u64)> = requests.zip(self.held.iter().copied()).skip(first_mark(last)).collect();
        let fell: u64 = held.windows(2).map(|pair| pair[0].1.saturating_sub(pair[1].1)).sum();
        let grew = self.held[last].saturating_sub(self.held[first_mark(last)]);
        Rate::of(&held).is_growth() || grew > FALLS * fell
    }
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
