use std::fs;
use std::path::Path;

use super::Site;

/// Lines shown above and below the site.
const AROUND: usize = 3;

/// Longer source files are not read: no one wrote them by hand.
const LARGEST: u64 = 4 << 20;

/// The lines of source around a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The lines, in order.
    pub lines: Vec<Line>,
}

/// A line of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its text, without what it is indented by in common with the others.
    pub text: String,
    /// Whether it is the site.
    pub is_site: bool,
}

impl Excerpt {
    /// Reads the lines around a site; none when its file is not there, as on a machine without the source.
    #[must_use]
    pub fn read(site: &Site, root: &Path) -> Option<Excerpt> {
        let path = root.join(site.file.as_deref()?);
        let line = site.line? as usize;
        let is_small = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST);
        let text = is_small.then(|| fs::read_to_string(&path).ok()).flatten()?;
        Excerpt::cut(&text, line)
    }

    fn cut(text: &str, site: usize) -> Option<Excerpt> {
        let lines: Vec<&str> = text.lines().collect();
        if site == 0 || site > lines.len() {
            return None;
        }
        let from = site.saturating_sub(1 + AROUND);
        let shown = &lines[from..lines.len().min(site + AROUND)];
        let indent = |line: &&&str| line.len() - line.trim_start().len();
        let common =
            shown.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(&line)).min().unwrap_or(0);
        let lines = shown.iter().enumerate().map(|(index, line)| Line {
            number: from + index + 1,
            text: line.get(common..).unwrap_or_default().trim_end().to_owned(),
            is_site: from + index + 1 == site,
        });
        Some(Excerpt { lines: lines.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_the_lines_around_the_site_moved_to_the_left() {
        let text = "fn a() {\n    one();\n\n    two();\n    three();\n}\n";
        let excerpt = Excerpt::cut(text, 4).unwrap();
        let numbers: Vec<usize> = excerpt.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        assert_eq!(excerpt.lines[3], Line { number: 4, text: "    two();".to_owned(), is_site: true });
        assert_eq!(Excerpt::cut("  x\n  y\n", 2).unwrap().lines[1].text, "y");
        assert!(Excerpt::cut(text, 7).is_none() && Excerpt::cut(text, 0).is_none());
    }
}
