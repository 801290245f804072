use std::path::{Path, PathBuf};

use heapsoak_record::Recording;
use heapsoak_verdict::{Finding, Judgement};

use crate::sites::question;
use crate::{Check, Site};

/// What there is to report: what was recorded, what it amounts to, and what is known beyond that.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// Its judgement.
    pub judgement: &'a Judgement,
    /// What a gate asked of the run, beside the verdict; empty when nothing was.
    pub checks: &'a [Check],
    /// The folder of the server's source: file names are shown relative to it, and lines are quoted from it.
    pub root: Option<&'a Path>,
}

impl<'a> Run<'a> {
    /// A run that no gate asked anything of.
    #[must_use]
    pub fn new(recording: &'a Recording, judgement: &'a Judgement) -> Run<'a> {
        Run { recording, judgement, checks: &[], root: None }
    }

    /// The same run, with what a gate asked of it.
    #[must_use]
    pub fn with_checks(self, checks: &'a [Check]) -> Run<'a> {
        Run { checks, ..self }
    }

    /// The same run, with the folder of the server's source.
    #[must_use]
    pub fn with_root(self, root: &'a Path) -> Run<'a> {
        Run { root: Some(root), ..self }
    }

    /// The lines that allocate what a finding is about, the one that allocates most of it first; empty where no stacks
    /// were captured.
    #[must_use]
    pub fn sites(&self, finding: &Finding) -> Vec<Site> {
        let stacks = heapsoak_symbols::pass(self.recording, &finding.component);
        stacks.map_or_else(Vec::new, |stacks| heapsoak_symbols::rank(stacks, question(finding), self.root))
    }

    /// The findings, each with its number in the report.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (usize, &'a Finding)> {
        self.judgement.findings.iter().enumerate().map(|(index, finding)| (index + 1, finding))
    }
}

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Where it belongs, relative to the folder of the report.
    pub path: PathBuf,
    /// What is in it.
    pub contents: Vec<u8>,
}

impl Rendered {
    /// A file of that name in the folder of the report.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, contents: impl Into<Vec<u8>>) -> Rendered {
        Rendered { path: path.into(), contents: contents.into() }
    }

    /// What is in it, as text; empty for what is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.contents).unwrap_or_default()
    }
}

/// An output format.
pub trait Renderer {
    /// Its name, as asked for on the command line.
    fn name(&self) -> &'static str;

    /// Renders a run.
    ///
    /// # Errors
    ///
    /// See [`RenderError`].
    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError>;

    /// Renders several runs into the files of one: one after the other, unless the format has a way of its own.
    ///
    /// # Errors
    ///
    /// See [`RenderError`].
    fn render_all(&self, runs: &[Run<'_>]) -> Result<Vec<Rendered>, RenderError> {
        let mut files: Vec<Rendered> = Vec::new();
        for run in runs {
            for file in self.render(run)? {
                match files.iter_mut().find(|earlier| earlier.path == file.path) {
                    Some(earlier) => earlier.contents.extend(file.contents),
                    None => files.push(file),
                }
            }
        }
        Ok(files)
    }
}

/// Why a run could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A chart could not be drawn.
    #[error("can't draw chart '{chart}': {why}")]
    Chart {
        /// Its name.
        chart: String,
        /// What the drawing library says.
        why: String,
    },
    /// The page could not be filled in.
    #[error("can't fill in the page: {0}")]
    Page(#[from] askama::Error),
    /// The document could not be written as JSON.
    #[error("can't write the report as json: {0}")]
    Json(#[from] serde_json::Error),
    /// The document could not be written in a format.
    #[error("can't write the report as {format}: {why}")]
    Format {
        /// Name of the format.
        format: &'static str,
        /// What went wrong.
        why: String,
    },
}
