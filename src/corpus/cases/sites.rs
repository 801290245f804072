//! Where the memory of the leaking cases is allocated: the lines that the sources of the cases mark.
//!
//! `// stays: CASE` marks the line of code below it. Every line is marked that allocates what the fault of the case keeps,
//! and no other.

/// The sources of the cases.
const SOURCES: [(&str, &str); 8] = [
    ("src/corpus/cases/buffers.rs", include_str!("buffers.rs")),
    ("src/corpus/cases/caches.rs", include_str!("caches.rs")),
    ("src/corpus/cases/channels.rs", include_str!("channels.rs")),
    ("src/corpus/cases/cycles.rs", include_str!("cycles.rs")),
    ("src/corpus/cases/labels.rs", include_str!("labels.rs")),
    ("src/corpus/cases/maps.rs", include_str!("maps.rs")),
    ("src/corpus/cases/shapes.rs", include_str!("shapes.rs")),
    ("src/corpus/cases/tasks.rs", include_str!("tasks.rs")),
];

/// What a mark begins with.
const MARK: &str = "// stays: ";

/// A line of a case's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedLine {
    /// The file, as seen from the root of the repository.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

/// The lines that allocate what a case keeps by its fault; none for a case that keeps no memory.
#[must_use]
pub fn marked_lines(case: &str) -> Vec<MarkedLine> {
    SOURCES.into_iter().flat_map(|(file, text)| marked_in(file, text, case)).collect()
}

fn marked_in(file: &'static str, text: &str, case: &str) -> Vec<MarkedLine> {
    let mut lines = Vec::new();
    let mut is_marked = false;
    for (number, line) in (1..).zip(text.lines()) {
        match line.trim().strip_prefix(MARK) {
            Some(name) => is_marked |= name == case,
            None if is_marked => {
                lines.push(MarkedLine { file, line: number });
                is_marked = false;
            }
            None => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Growth, cases};

    #[test]
    fn every_case_that_keeps_memory_marks_where_and_no_mark_is_of_a_case_that_is_none() {
        let cases = cases();
        for case in &cases {
            let keeps =
                matches!(case.leaks, Some(Growth::Steady(_) | Growth::SteadyOf(..) | Growth::Changing));
            assert_eq!(!marked_lines(case.name).is_empty(), keeps, "{}", case.name);
        }
        for (file, text) in SOURCES {
            for name in text.lines().filter_map(|line| line.trim().strip_prefix(MARK)) {
                assert!(cases.iter().any(|case| case.name == name), "{file} marks {name}");
            }
        }
    }

    #[test]
    fn a_mark_is_of_the_next_line_of_code() {
        let text = "a();\n    // stays: one\n    // stays: other\n    b();\nc();\n";
        assert_eq!(marked_in("x.rs", text, "other"), [MarkedLine { file: "x.rs", line: 4 }]);
        assert!(marked_in("x.rs", text, "another").is_empty());
    }
}
