use heapsoak_record::{Blocks, Recording, Stack, Stacks, Symbol};
use heapsoak_symbols::functions;

/// The stacks of a run as samples.
#[derive(Debug)]
pub(crate) struct Profile<'a> {
    pub(crate) samples: Vec<Sample<'a>>,
}

/// A stack with what it holds.
#[derive(Debug)]
pub(crate) struct Sample<'a> {
    stack: &'a Stack,
    /// Functions, outermost first; inlined ones are frames of their own.
    pub(crate) frames: Vec<&'a Symbol>,
    /// Alive at the end.
    pub(crate) live: Blocks,
    /// Ever allocated.
    pub(crate) allocated: Blocks,
}

impl<'a> Profile<'a> {
    /// The stacks of the soak itself, else those of the second passes; none when none were captured. Frames of std, the
    /// allocator and the probe are left out unless `all` is asked for.
    pub(crate) fn of(recording: &'a Recording, all: bool) -> Option<Profile<'a>> {
        let full = |pass: &&Stacks| !pass.stacks.is_empty();
        let soak: Vec<&Stacks> =
            recording.stacks.iter().filter(|pass| pass.zoom.is_none()).filter(full).collect();
        let passes = if soak.is_empty() { recording.stacks.iter().filter(full).collect() } else { soak };
        let samples: Vec<Sample<'a>> =
            passes.into_iter().flat_map(|pass| Profile::of_pass(pass, all).samples).collect();
        (!samples.is_empty()).then_some(Profile { samples })
    }

    /// The stacks of one pass.
    pub(crate) fn of_pass(pass: &'a Stacks, all: bool) -> Profile<'a> {
        Profile { samples: pass.stacks.iter().map(|stack| Sample::of(pass, stack, all)).collect() }
    }
}

impl<'a> Sample<'a> {
    fn of(stacks: &'a Stacks, stack: &'a Stack, all: bool) -> Sample<'a> {
        let mut frames: Vec<&Symbol> = functions(stacks, stack, all).collect();
        frames.reverse();
        Sample { stack, frames, live: stack.live, allocated: stack.allocated }
    }

    /// The component charged.
    pub(crate) fn component(&self) -> &'a str {
        self.stack.component()
    }

    /// The component charged; none where nobody was.
    pub(crate) fn charged(&self) -> Option<&'a str> {
        (!self.stack.path.is_empty()).then(|| self.stack.component())
    }

    /// The request kind; none for work no request asked for.
    pub(crate) fn kind(&self) -> Option<&'a str> {
        self.stack.kind.as_deref()
    }

    /// Names from the component and the kind down to the innermost function.
    pub(crate) fn names(&self) -> Vec<String> {
        let context = [self.component(), self.kind().unwrap_or("(background)")];
        let functions = self.frames.iter().map(|symbol| symbol.function.as_str());
        let mut names: Vec<String> = context.into_iter().chain(functions).map(str::to_owned).collect();
        if self.frames.is_empty() {
            names.push("(no stack)".to_owned());
        }
        names
    }
}
