use heapsoak_probe::{CaptureRate, capture_stacks, stacks};
use heapsoak_record::{Origin, Stack, Stacks, Symbol};
use heapsoak_symbols::{Symbols, resolve_stacks};
use heapsoak_verdict::{ComponentVerdict, Finding, Judgement};

use crate::scope::Scope;

/// Where leaking components allocate what they keep, by component.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sites(Vec<(String, String)>);

/// A look at where the leaking components allocate: some iterations more, with every stack of just these captured. Soaks
/// that do not leak never pay for it.
pub(crate) struct Look {
    /// Names for people, and as the probe knows them.
    components: Vec<(String, String)>,
}

impl Look {
    /// Has the stacks captured; none when nothing leaks, or the probe can't.
    pub(crate) fn start(judgement: &Judgement, scope: &Scope, name: &str) -> Option<Look> {
        let leaking =
            judgement.components.iter().filter(|component| component.verdict == ComponentVerdict::Leak);
        let components: Vec<(String, String)> = leaking
            .map(|component| {
                let known = if component.name == name { scope.root() } else { &component.name };
                (component.name.clone(), known.to_owned())
            })
            .filter(|(_, known)| capture_stacks(Some(known), CaptureRate::Every).is_ok())
            .collect();
        (!components.is_empty()).then_some(Look { components })
    }

    /// Ends the capture. Returns for each component the line that allocated most of what lives of it.
    pub(crate) fn end(self, scope: &Scope) -> Sites {
        let mut taken = stacks();
        for (_, known) in &self.components {
            let _ = capture_stacks(Some(known), CaptureRate::Off);
        }
        taken.stacks.retain(|stack| stack.path.first().is_some_and(|first| first == scope.root()));
        resolve_stacks(&mut Symbols::new(), &mut taken);
        let site = |(name, known): &(String, String)| {
            let own = taken.stacks.iter().filter(|stack| stack.component() == known);
            let most = own.max_by_key(|stack| stack.live.bytes).filter(|stack| stack.live.bytes > 0)?;
            Some((name.clone(), place(&taken, most)?))
        };
        Sites(self.components.iter().filter_map(site).collect())
    }
}

/// The innermost function of a stack that is the program's own, with its line; else the innermost of a crate it uses.
fn place(stacks: &Stacks, stack: &Stack) -> Option<String> {
    let symbols: Vec<&Symbol> = stack
        .frames
        .iter()
        .flat_map(|&frame| stacks.symbols_of(frame))
        .filter(|symbol| !is_here(symbol))
        .collect();
    let of = |origin| symbols.iter().find(move |symbol| symbol.origin == origin && symbol.file.is_some());
    let symbol = of(Origin::Own).or_else(|| of(Origin::Dependency))?;
    let file = symbol.file.as_deref()?;
    let line = symbol.line.map_or_else(String::new, |line| format!(":{line}"));
    Some(format!("{file}{line} in {}", symbol.function))
}

/// Whether a function is of this crate, which runs the iterations.
fn is_here(symbol: &Symbol) -> bool {
    symbol.function.starts_with("heapsoak_testing::")
}

impl Sites {
    /// Where a finding allocates, if it is known.
    pub(crate) fn of(&self, finding: &Finding) -> Option<&str> {
        self.0.iter().find(|(component, _)| *component == finding.component).map(|(_, site)| site.as_str())
    }
}
