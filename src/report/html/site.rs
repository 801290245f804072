use std::path::Path;

use crate::{Caller, Excerpt, Line, Site};

/// A line that allocates, as the page shows it.
pub(crate) struct SiteView {
    pub(crate) function: String,
    pub(crate) place: String,
    pub(crate) share: String,
    pub(crate) lines: Vec<Line>,
    /// Its callers, the innermost first; the site itself is left out.
    pub(crate) callers: Vec<Caller>,
}

impl SiteView {
    /// The source is quoted when it is where the report is made.
    pub(crate) fn of(site: &Site, root: Option<&Path>) -> SiteView {
        let excerpt = root.and_then(|root| Excerpt::read(site, root));
        let inner = site.callers.iter().position(|caller| caller.function == site.function);
        SiteView {
            function: site.function.clone(),
            place: site.place(),
            share: format!("{:.0} %", (site.share * 100.0).floor()),
            lines: excerpt.map(|excerpt| excerpt.lines).unwrap_or_default(),
            callers: site.callers.iter().skip(inner.map_or(0, |index| index + 1)).cloned().collect(),
        }
    }
}
