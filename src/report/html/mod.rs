//! The report as one self-contained page.

mod page;
mod rows;
mod site;
mod story;

use askama::Template as _;

use crate::charts::Album;
use crate::{RenderError, Rendered, Renderer, Run};
use page::Page;

pub(crate) use rows::{ClaimRow, Word};

/// The report as a page: no script, nothing loaded from elsewhere, light or dark as the reader's system is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Html;

impl Renderer for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        let album = Album::draw(run)?;
        let mut contents = Page::of(run, &album).render()?;
        contents.retain(|c| c == '\n' || !c.is_control());
        Ok(vec![Rendered::new("report.html", contents)])
    }
}
