//! What each site held from mark to mark.

use std::collections::HashMap;

use heapsoak_record::{Stack, Stacks, Symbol};

use crate::name::whole;
use crate::rank::{first_mark, site};

/// A site of a component with what it held while the run went on.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The function, without closures in it.
    pub function: String,
    /// The source file as the compiler named it, and the line in it that has most.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// Requests answered and bytes alive at each mark after the first third of the run, in order.
    pub held: Vec<(u64, u64)>,
}

/// Every site of a component, by name; empty where stacks were taken at fewer than two marks.
#[must_use]
pub fn series(stacks: &Stacks, component: &str) -> Vec<Series> {
    let Some(last) = stacks.marks.len().checked_sub(1).filter(|last| *last > 0) else { return Vec::new() };
    let marks = &stacks.marks[first_mark(last)..];
    let mut found: HashMap<&str, (Vec<u64>, HashMap<&Symbol, u64>)> = HashMap::new();
    for stack in stacks.stacks.iter().filter(|stack| stack.component() == component) {
        let Some(symbol) = site(stacks, stack) else { continue };
        let held = held(stacks, stack).skip(first_mark(last));
        let (sum, lines) =
            found.entry(whole(&symbol.function)).or_insert((vec![0; marks.len()], HashMap::new()));
        for (sum, bytes) in sum.iter_mut().zip(held) {
            *sum += bytes;
        }
        *lines.entry(symbol).or_default() += stack.live.bytes;
    }
    let mut all: Vec<Series> = found
        .into_iter()
        .map(|(function, (bytes, lines))| {
            let most =
                lines.into_iter().max_by(|(a, one), (b, other)| one.cmp(other).then(b.line.cmp(&a.line)));
            let place = most.map(|(symbol, _)| (symbol.file.clone(), symbol.line));
            let (file, line) = place.unwrap_or_default();
            let held = marks.iter().map(|mark| mark.requests).zip(bytes).collect();
            Series { function: function.to_owned(), file, line, held }
        })
        .collect();
    all.sort_by(|a, b| a.function.cmp(&b.function));
    all
}

/// Bytes alive of a stack at each mark; what was first seen late has none at the earlier ones.
pub(crate) fn held<'a>(stacks: &Stacks, stack: &'a Stack) -> impl Iterator<Item = u64> + 'a {
    let missing = stacks.marks.len().saturating_sub(stack.marks.len());
    std::iter::repeat_n(0, missing).chain(stack.marks.iter().map(|blocks| blocks.bytes))
}

/// Requests between the first and the last of the marks that [`series`] looks at.
#[must_use]
pub fn counted_requests(stacks: &Stacks) -> u64 {
    let Some(last) = stacks.marks.len().checked_sub(1) else { return 0 };
    stacks.marks[last].requests.saturating_sub(stacks.marks[first_mark(last)].requests)
}

#[cfg(test)]
mod tests {
    use heapsoak_record::{Blocks, Frame, Mark, Origin};

    use super::*;

    #[test]
    fn what_a_function_holds_is_added_up_over_its_stacks_at_each_mark_after_the_first_third() {
        let symbol = |function: &str, line| Symbol {
            function: function.to_owned(),
            line: Some(line),
            origin: Origin::Own,
            ..Symbol::default()
        };
        let stack = |frame, bytes: &[u64]| Stack {
            path: vec!["session".to_owned()],
            frames: vec![frame],
            live: Blocks { bytes: bytes[bytes.len() - 1], blocks: 1 },
            marks: bytes.iter().map(|&bytes| Blocks { bytes, blocks: 1 }).collect(),
            ..Stack::default()
        };
        let stacks = Stacks {
            marks: [10, 20, 30, 40].map(|requests| Mark { cycle: 1, requests }).to_vec(),
            frames: vec![Frame { module: None, address: 0 }; 3],
            symbols: vec![
                vec![symbol("keep", 4)],
                vec![symbol("keep::{{closure}}", 5)],
                vec![symbol("other", 6)],
            ],
            stacks: vec![stack(0, &[9, 100, 200, 300]), stack(1, &[0, 7, 7, 7]), stack(2, &[0, 1, 1, 1])],
            ..Stacks::default()
        };
        let found = series(&stacks, "session");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].function.as_str(), found[0].line), ("keep", Some(4)));
        assert_eq!(found[0].held, [(20, 107), (30, 207), (40, 307)]);
        assert!(series(&stacks, "cache").is_empty());
        assert_eq!(counted_requests(&stacks), 20);
    }
}
