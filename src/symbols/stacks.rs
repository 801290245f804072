use heapsoak_record::{Origin, Stacks, Symbol};

use crate::problem::Problem;
use crate::symbols::Symbols;

/// Share of captured allocations, in percent, from which on short stacks are the build's fault.
const MANY: u64 = 50;

/// Looks up every frame and writes what stands there into the stacks; returns what stood in the way, and leaves it in
/// [`Stacks::problems`] in words.
pub fn resolve_stacks(symbols: &mut Symbols, stacks: &mut Stacks) -> Vec<Problem> {
    let before = symbols.problems().len();
    stacks.symbols = vec![Vec::new(); stacks.frames.len()];
    // Neighbours in the program one after the other: they are of the same unit.
    let mut order: Vec<usize> = (0..stacks.frames.len()).collect();
    order.sort_by_key(|&index| (stacks.frames[index].module, stacks.frames[index].address));
    for index in order {
        let frame = &stacks.frames[index];
        stacks.symbols[index] = match frame.module.and_then(|index| stacks.modules.get(index as usize)) {
            Some(module) => symbols.resolve(module, frame.address),
            None => vec![Symbol { function: format!("{:#x}", frame.address), ..Symbol::default() }],
        };
    }
    let mut problems = symbols.problems()[before..].to_vec();
    problems.extend(find_short_stacks(stacks));
    stacks.problems.extend(problems.iter().map(ToString::to_string));
    problems
}

/// Without frame pointers, stacks end in the allocator or the probe.
fn find_short_stacks(stacks: &Stacks) -> Option<Problem> {
    let is_short = |frames: &[u32]| {
        let beyond = |symbol: &Symbol| !matches!(symbol.origin, Origin::Allocator | Origin::Probe);
        frames.iter().filter(|&&frame| stacks.symbols_of(frame).iter().any(beyond)).count() < 2
    };
    let all: u64 = stacks.stacks.iter().map(|stack| stack.samples).sum();
    let short: u64 =
        stacks.stacks.iter().filter(|stack| is_short(&stack.frames)).map(|stack| stack.samples).sum();
    let percent = (short * 100).checked_div(all)?;
    (percent >= MANY).then_some(Problem::NoFramePointers { percent })
}
