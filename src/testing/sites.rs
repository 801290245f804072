use heapsoak_probe::{CaptureRate, capture_stacks, stacks};
use heapsoak_symbols::{Measure, Question, Symbols, rank, resolve_stacks};
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
            let question = Question { component: known, kinds: &[], measure: Measure::Growth };
            let first = rank(&taken, question, None).into_iter().find(|site| site.file.is_some())?;
            Some((name.clone(), format!("{} in {}", first.place(), first.function)))
        };
        Sites(self.components.iter().filter_map(site).collect())
    }
}

impl Sites {
    /// Where a finding allocates, if it is known.
    pub(crate) fn of(&self, finding: &Finding) -> Option<&str> {
        self.0.iter().find(|(component, _)| *component == finding.component).map(|(_, site)| site.as_str())
    }
}
