use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::{Module, Symbol};

/// The call stacks that allocated, with what they allocated and what of it is alive.
///
/// Taken from the probe at the end of a run, while the server still holds what it holds, and at some quiet points
/// before ([`marks`](Stacks::marks)), so that a stack whose blocks pile up is told from one that holds much and no
/// more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stacks {
    /// The component a second pass over the scenario looked at; none for the soak itself. Counts of a second pass are
    /// of a server of its own, started anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoom: Option<String>,
    /// What was captured, in the order it was asked for.
    pub captured: Vec<Captured>,
    /// Quiet points at which [`Stack::marks`] were taken, in order; the last of them is the end.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Files whose code was on a stack.
    pub modules: Vec<Module>,
    /// Places in the code, each once.
    pub frames: Vec<Frame>,
    /// What stands at each of [`frames`](Stacks::frames), by the same index: functions from the innermost inlined one
    /// outwards, the last one not inlined. Empty until it was looked up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<Vec<Symbol>>,
    /// The stacks, in order of first appearance.
    pub stacks: Vec<Stack>,
    /// Why some frames have no function or line, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Blocks that were to be captured but were not, since the tables were full; they are in no stack.
    #[serde(default)]
    pub lost_blocks: u64,
}

/// A rule of what is captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The component; none for every component without a rule of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// How much of it.
    pub rate: CaptureRate,
}

/// How many of the allocations have their stack captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureRate {
    /// None.
    Off,
    /// Every one: counts are exact.
    Every,
    /// One in so many bytes, on average and at random: counts are unbiased estimates.
    OneIn {
        /// Mean distance in bytes between two samples.
        bytes: u64,
    },
}

impl CaptureRate {
    /// Distance between samples in bytes; none when there is none.
    #[must_use]
    pub fn interval_bytes(self) -> Option<u64> {
        match self {
            CaptureRate::OneIn { bytes } => Some(bytes),
            CaptureRate::Off | CaptureRate::Every => None,
        }
    }
}

/// A quiet point at which live blocks were counted by stack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The cycle it ends; 0 for the baseline.
    pub cycle: u32,
    /// Requests answered until then.
    pub requests: u64,
}

/// A place in the code: one byte of an instruction, of the call itself for a function that called another. Written as
/// `[module, address]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(Option<u32>, u64)", into = "(Option<u32>, u64)")]
pub struct Frame {
    /// Index in [`Stacks::modules`]; none when no known file was mapped there.
    pub module: Option<u32>,
    /// Address as the file names it (its symbols, its line table); without a module, as the process had it.
    pub address: u64,
}

impl From<(Option<u32>, u64)> for Frame {
    fn from((module, address): (Option<u32>, u64)) -> Self {
        Frame { module, address }
    }
}

impl From<Frame> for (Option<u32>, u64) {
    fn from(frame: Frame) -> Self {
        (frame.module, frame.address)
    }
}

/// A call stack in one context, and what it allocated there.
///
/// A block belongs to the stack that first allocated it, also after `realloc`: growth counts as allocated bytes,
/// shrinkage as freed. Sampled stacks say which interval they were sampled with; their bytes and blocks are estimates
/// already weighted (a sampled block of *s* bytes stands for 1 ÷ (1 − e^(−s ÷ interval)) such blocks), to be added up as
/// they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Components from the outermost to the innermost.
    pub path: Vec<String>,
    /// Request kind; none for work no request asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Indices in [`Stacks::frames`], innermost first: the probe and the allocator at the start, `main` or the start of
    /// the thread at the end. Empty when the stack could not be walked.
    pub frames: Vec<u32>,
    /// Whether the stack was deeper: the outermost frames are missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Mean distance in bytes between two samples; none when every allocation was captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_bytes: Option<u64>,
    /// Ever allocated.
    pub allocated: Blocks,
    /// Alive.
    pub live: Blocks,
    /// Allocations that were captured: how many the estimates of a sampled stack rest on.
    pub samples: u64,
    /// Captured blocks that are alive.
    pub live_samples: u64,
    /// Alive at each of [`Stacks::marks`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Blocks>,
}

impl Stack {
    /// The component charged: the innermost of the path.
    #[must_use]
    pub fn component(&self) -> &str {
        self.path.last().map_or(crate::UNSCOPED, String::as_str)
    }

    /// Live bytes gained from one mark to another, by their indices.
    #[must_use]
    pub fn growth_bytes(&self, from: usize, to: usize) -> i64 {
        let at = |mark: usize| self.marks.get(mark).map_or(0, |blocks| blocks.bytes);
        at(to).cast_signed().saturating_sub(at(from).cast_signed())
    }
}

/// Bytes and blocks. Written as `[bytes, blocks]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub struct Blocks {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

impl From<(u64, u64)> for Blocks {
    fn from((bytes, blocks): (u64, u64)) -> Self {
        Blocks { bytes, blocks }
    }
}

impl From<Blocks> for (u64, u64) {
    fn from(blocks: Blocks) -> Self {
        (blocks.bytes, blocks.blocks)
    }
}

/// What makes a stack the same in two takes of one process.
#[derive(PartialEq, Eq, Hash)]
struct Identity<'a> {
    path: &'a [String],
    kind: Option<&'a str>,
    interval_bytes: Option<u64>,
    /// Frames with the paths of their modules, whose indices may differ from take to take.
    frames: Vec<(Option<&'a str>, u64)>,
}

impl Stacks {
    /// The place of a frame of a stack.
    #[must_use]
    pub fn frame(&self, index: u32) -> Option<Frame> {
        self.frames.get(index as usize).copied()
    }

    /// What stands at a frame, innermost inlined function first; empty while it was not looked up.
    #[must_use]
    pub fn symbols_of(&self, index: u32) -> &[Symbol] {
        self.symbols.get(index as usize).map_or(&[], Vec::as_slice)
    }

    /// Puts a take of the same process, later than what is here, in its place, and keeps what was alive at earlier
    /// marks.
    pub fn take_over(&mut self, later: Stacks, mark: Mark) {
        let earlier = std::mem::replace(self, later);
        self.zoom = earlier.zoom.clone().or_else(|| self.zoom.take());
        let none = vec![Blocks::default(); earlier.marks.len()];
        let known: HashMap<Identity<'_>, &Stack> =
            earlier.stacks.iter().map(|stack| (earlier.identity(stack), stack)).collect();
        let marks: Vec<Vec<Blocks>> = self
            .stacks
            .iter()
            .map(|stack| {
                let before = known.get(&self.identity(stack)).map_or(&none, |known| &known.marks);
                before.iter().copied().chain([stack.live]).collect()
            })
            .collect();
        for (stack, marks) in self.stacks.iter_mut().zip(marks) {
            stack.marks = marks;
        }
        self.marks = earlier.marks;
        self.marks.push(mark);
    }

    /// The stacks of one component alone, as what a second pass that looked at it found.
    #[must_use]
    pub fn zoomed(&self, component: &str) -> Stacks {
        let mut stacks: Vec<Stack> =
            self.stacks.iter().filter(|stack| stack.component() == component).cloned().collect();
        let mut kept = BTreeMap::new();
        for frame in stacks.iter_mut().flat_map(|stack| &mut stack.frames) {
            let new = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            *frame = *kept.entry(*frame).or_insert(new);
        }
        let mut old: Vec<(u32, u32)> = kept.into_iter().map(|(old, new)| (new, old)).collect();
        old.sort_unstable();
        Stacks {
            zoom: Some(component.to_owned()),
            frames: old.iter().filter_map(|&(_, old)| self.frame(old)).collect(),
            symbols: match self.symbols.is_empty() {
                true => Vec::new(),
                false => old.iter().map(|&(_, old)| self.symbols_of(old).to_vec()).collect(),
            },
            stacks,
            ..self.clone()
        }
    }

    fn identity<'a>(&'a self, stack: &'a Stack) -> Identity<'a> {
        let place = |&index: &u32| {
            let frame = self.frame(index);
            let module = frame.and_then(|frame| self.modules.get(frame.module? as usize));
            (module.map(|module| module.path.as_str()), frame.map_or(0, |frame| frame.address))
        };
        Identity {
            path: &stack.path,
            kind: stack.kind.as_deref(),
            interval_bytes: stack.interval_bytes,
            frames: stack.frames.iter().map(place).collect(),
        }
    }
}
