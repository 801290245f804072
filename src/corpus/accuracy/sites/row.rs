use serde::{Deserialize, Serialize};

use crate::measures::Share;

/// A site as a report names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NamedSite {
    pub(crate) function: String,
    /// `file:line`.
    pub(crate) place: String,
    pub(crate) share: f64,
}

/// What one report named.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// What was run.
    pub(crate) of: String,
    /// The sites, first to last; the first few of them.
    pub(crate) sites: Vec<NamedSite>,
    /// Position of the first that is right, from 1; none when none is.
    pub(crate) right_at: Option<usize>,
}

/// A case with everything that was named.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// The lines that are right, as `file:line`.
    pub(crate) truth: Vec<String>,
    pub(crate) named: Vec<Named>,
    /// Runs in which no leak was found, so that nothing was named.
    pub(crate) missed: usize,
}

impl Row {
    pub(crate) fn new(name: &str, truth: Vec<String>) -> Row {
        Row { name: name.to_owned(), truth, named: Vec::new(), missed: 0 }
    }

    /// Adds a run; none when it found no leak.
    pub(crate) fn add(&mut self, of: String, sites: Option<Vec<NamedSite>>) {
        let Some(sites) = sites else {
            self.missed += 1;
            return;
        };
        let is_right = |site: &NamedSite| self.truth.contains(&site.place);
        self.named.push(Named::of(of, sites, is_right));
    }
}

impl Named {
    pub(crate) fn of(of: String, sites: Vec<NamedSite>, is_right: impl Fn(&NamedSite) -> bool) -> Named {
        let right_at = sites.iter().position(is_right).map(|index| index + 1);
        Named { of, sites, right_at }
    }

    /// How many are right within the first few.
    pub(crate) fn within<'a>(named: impl Iterator<Item = &'a Named>, first: usize) -> Share {
        Share::count(named.map(|one| one.right_at.is_some_and(|at| at <= first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_right_when_it_is_a_marked_line_and_counts_by_its_position() {
        let mut row = Row::new("case", vec!["a.rs:4".to_owned()]);
        let site = |place: &str| NamedSite { function: "f".to_owned(), place: place.to_owned(), share: 0.5 };
        row.add("8 B".to_owned(), Some(vec![site("a.rs:4"), site("a.rs:5")]));
        row.add("64 B".to_owned(), Some(vec![site("a.rs:5"), site("a.rs:4")]));
        row.add("1 B".to_owned(), Some(vec![]));
        row.add("2 B".to_owned(), None);
        let within = |first| Named::within(row.named.iter(), first);
        assert_eq!((within(1).of, within(3).of, within(1).all, row.missed), (1, 2, 3, 1));
    }
}
