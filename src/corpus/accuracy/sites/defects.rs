//! The built-in server's defects: which sites its reports name, and which are right.

use std::path::{Path, PathBuf};

use heapsoak_record::Recording;
use heapsoak_report::Run;
use heapsoak_symbols::bare_path;
use heapsoak_verdict::{Finding, Judgement, Pattern, judge};
use serde::Deserialize;

use crate::error::AccuracyError;
use crate::sites::row::{Named, NamedSite};

/// The truth, kept beside the defects.
const SITES: &str = include_str!("../../../autopilot/sites.toml");

/// Sites that are looked at.
const MOST: usize = 5;

#[derive(Debug, Deserialize)]
struct Truth {
    defect: Vec<Defect>,
}

/// A defect with where its memory is allocated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Defect {
    pub(crate) name: String,
    #[serde(default)]
    scenario: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    churn: bool,
    #[serde(default)]
    pub(crate) functions: Vec<String>,
    /// Why it has no site.
    pub(crate) none: Option<String>,
}

/// What a report named of a defect.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) defect: Defect,
    /// None when nothing was found of it, or it has no site.
    pub(crate) named: Option<Named>,
}

/// Recordings of the server as it was found, with their judgements.
pub(crate) struct Server(Vec<(Recording, Judgement)>);

impl Server {
    pub(crate) fn read(files: &[PathBuf]) -> Result<Server, AccuracyError> {
        let read = |file: &PathBuf| -> Result<(Recording, Judgement), AccuracyError> {
            let recording = Recording::read(file)?;
            let judgement = judge(&recording);
            Ok((recording, judgement))
        };
        Ok(Server(files.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// Holds the reports against the truth.
    pub(crate) fn judge(&self) -> Result<Vec<Judged>, AccuracyError> {
        let truth: Truth = toml::from_str(SITES).map_err(AccuracyError::Truth)?;
        Ok(truth.defect.into_iter().map(|defect| self.judge_one(defect)).collect())
    }

    fn judge_one(&self, defect: Defect) -> Judged {
        let run = self.0.iter().find(|(recording, _)| recording.header.scenario == defect.scenario);
        let named = run.and_then(|(recording, judgement)| {
            let finding = judgement.findings.iter().find(|finding| defect.is_of(finding))?;
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
            let run = Run { root, ..Run::new(recording, judgement) };
            let sites = NamedSite::all(&run, finding, MOST);
            Some(Named::of(defect.scenario.clone(), sites, |site| defect.names(&site.function)))
        });
        Judged { defect, named }
    }
}

impl Defect {
    /// Whether a finding is of this defect.
    fn is_of(&self, finding: &Finding) -> bool {
        self.name.split_once('.').is_some_and(|(component, _)| component == finding.component)
            && finding.triggered_by.contains(&self.kind)
            && self.churn == (finding.pattern == Pattern::Churn)
    }

    fn names(&self, function: &str) -> bool {
        self.functions.contains(&bare_path(function))
    }
}

impl NamedSite {
    /// The first few sites of a finding.
    pub(crate) fn all(run: &Run<'_>, finding: &Finding, most: usize) -> Vec<NamedSite> {
        let sites = run.sites(finding).into_iter().take(most);
        sites
            .map(|site| NamedSite { place: site.place(), function: site.function, share: site.share })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_has_functions_and_a_run_to_be_seen_in_or_a_reason_why_not() {
        let truth: Truth = toml::from_str(SITES).expect("it is TOML");
        let list = include_str!("../../../autopilot/defect.rs");
        for defect in &truth.defect {
            assert!(list.contains(&format!("\"{}\"", defect.name)), "{} is no defect", defect.name);
            assert_eq!(defect.functions.is_empty(), defect.none.is_some(), "{}", defect.name);
            assert_eq!(
                defect.scenario.is_empty() || defect.kind.is_empty(),
                defect.none.is_some(),
                "{}",
                defect.name
            );
        }
        let all =
            list.lines().filter(|line| line.trim_start().starts_with("Defect::") && line.contains("=> \""));
        assert_eq!(all.count(), truth.defect.len(), "every defect has an entry");
    }
}
