use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::ScenarioError;
use super::body_file;
use super::file::{KindFile, ScenarioFile, StageFile};
use super::hint::did_you_mean_in;
use super::problem::Source;

/// Version of the files this driver reads.
const VERSION: u32 = 1;

/// A scenario file with what it includes.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The scenario file itself.
    pub(super) source: Source,
    /// Its content, with the kinds and stages of every included file merged in.
    pub(super) file: ScenarioFile,
    /// Where each kind was first defined.
    pub(super) origins: BTreeMap<String, Source>,
}

/// Reads a scenario file and what it includes.
pub(super) fn read(path: &Path) -> Result<Resolved, ScenarioError> {
    let text = read_text(path)?;
    read_from(Source { path: path.to_owned(), text })
}

/// The same, from a text.
pub(super) fn read_from(source: Source) -> Result<Resolved, ScenarioError> {
    let mut file = parse(&source)?;
    body_file::inline(&source, &mut file)?;
    let mut merged = Merged::default();
    let mut chain = vec![source.path.clone()];
    merged.include_all(&source, &file, &mut chain)?;
    merged.add(&source, &file);
    file.kind = merged.kinds;
    file.stage = merged.stages;
    file.include.clear();
    Ok(Resolved { source, file, origins: merged.origins })
}

#[derive(Default)]
struct Merged {
    kinds: BTreeMap<toml::Spanned<String>, KindFile>,
    stages: BTreeMap<toml::Spanned<String>, StageFile>,
    origins: BTreeMap<String, Source>,
}

impl Merged {
    /// Adds what a file includes, in order. `chain` holds the files being read, to notice a circle.
    fn include_all(
        &mut self,
        source: &Source,
        file: &ScenarioFile,
        chain: &mut Vec<PathBuf>,
    ) -> Result<(), ScenarioError> {
        let folder = source.path.parent().unwrap_or(Path::new(""));
        for include in &file.include {
            let path = folder.join(include.get_ref());
            let text = read_text(&path).map_err(|error| source.problem(include.span(), error))?;
            if chain.iter().any(|open| is_same(open, &path)) {
                let message = format!("'{}' includes itself in a circle", include.get_ref());
                return Err(source.problem(include.span(), message));
            }
            let included = Source { path: path.clone(), text };
            let mut content = parse(&included)?;
            body_file::inline(&included, &mut content)?;
            refuse_more_than_kinds(&included, &content)?;
            chain.push(path);
            self.include_all(&included, &content, chain)?;
            chain.pop();
            self.add(&included, &content);
        }
        Ok(())
    }

    /// Adds the kinds and stages of a file; what it says again replaces what was said before, field by field.
    fn add(&mut self, source: &Source, file: &ScenarioFile) {
        for (name, stage) in &file.stage {
            self.stages.insert(name.clone(), stage.clone());
        }
        for (name, kind) in &file.kind {
            self.origins.entry(name.get_ref().clone()).or_insert_with(|| source.clone());
            self.kinds.entry(name.clone()).or_default().override_with(kind);
        }
    }
}

impl KindFile {
    fn override_with(&mut self, newer: &KindFile) {
        macro_rules! take {
            ($($field:ident)*) => {
                $(if newer.$field.is_some() {
                    self.$field.clone_from(&newer.$field);
                })*
            };
        }
        if newer.body.is_some() || newer.body_hex.is_some() {
            self.body.clone_from(&newer.body);
            self.body_hex.clone_from(&newer.body_hex);
        }
        take!(stage holds replay_of append bind setup method path headers send sign fault expect);
    }
}

fn parse(source: &Source) -> Result<ScenarioFile, ScenarioError> {
    let file: ScenarioFile = toml::from_str(&source.text).map_err(|error| {
        let help = did_you_mean_in(error.message());
        source.problem_with_help(error.span().unwrap_or(0..0), error.message(), help)
    })?;
    if *file.version.get_ref() != VERSION {
        let message =
            format!("version {} is unknown: this heapsoak reads version {VERSION}", file.version.get_ref());
        return Err(source.problem(file.version.span(), message));
    }
    Ok(file)
}

/// Only the scenario itself says what is sent and expected; otherwise one could not tell which file decides.
fn refuse_more_than_kinds(source: &Source, file: &ScenarioFile) -> Result<(), ScenarioError> {
    let spans = [
        file.target.as_ref().map(toml::Spanned::span),
        file.load.as_ref().map(toml::Spanned::span),
        file.clock.as_ref().map(|clock| clock.advance.span()),
        file.restart.as_ref().map(|restart| restart.every.span()),
        file.warm_up.first().map(toml::Spanned::span),
        file.phase.first().map(toml::Spanned::span),
        file.weights.keys().next().map(toml::Spanned::span),
        file.expect.as_ref().map(toml::Spanned::span),
        file.budget.as_ref().map(toml::Spanned::span),
    ];
    match spans.into_iter().flatten().next() {
        Some(span) => {
            Err(source.problem(span, "an included file has only [kind.…], [stage.…] and 'include'"))
        }
        None => Ok(()),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn read_text(path: &Path) -> Result<String, ScenarioError> {
    fs::read_to_string(path).map_err(|source| ScenarioError::Unreadable { path: path.to_owned(), source })
}
