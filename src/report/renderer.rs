use std::path::PathBuf;

use heapsoak_record::Recording;
use heapsoak_verdict::Judgement;

/// What there is to report: what was recorded and what it amounts to.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// Its judgement.
    pub judgement: &'a Judgement,
}

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Where it belongs, relative to the folder of the report.
    pub path: PathBuf,
    /// Its text.
    pub contents: String,
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
}
