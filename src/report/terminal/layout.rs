//! Tables and paragraphs of eighty columns.

use std::ops::Range;

use crate::phrases::glued;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table};

pub(crate) const COLUMNS: u16 = 80;

/// A table without lines but the one below its head; columns of `numbers` are aligned to the right.
///
/// Columns stand two blanks apart, or one when the table would not fit; then cells are broken.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>], numbers: Range<usize>) -> String {
    let text = spaced(head, rows, numbers.clone(), 2);
    let head_and_rows = rows.len() + 2;
    if text.lines().count() > head_and_rows { spaced(head, rows, numbers, 1) } else { text }
}

fn spaced(head: &[&str], rows: &[Vec<String>], numbers: Range<usize>, gap: u16) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING.header_separator(LineStyle::none().fill('─')));
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(COLUMNS);
    table.set_header(head.to_vec());
    table.add_rows(rows.iter().map(Clone::clone));
    let last = head.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { gap }));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

/// A paragraph broken between words, with its lines indented.
pub(crate) fn paragraph(text: &str, first_indent: &str, indent: &str) -> String {
    let width = usize::from(COLUMNS);
    let mut lines = vec![first_indent.to_owned()];
    let mut used = columns(first_indent);
    let mut empty = true;
    for word in glued(text).split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        let wide = columns(word);
        if !empty && used + 1 + wide > width {
            lines.push(indent.to_owned());
            (used, empty) = (columns(indent), true);
        }
        let line = lines.last_mut().expect("there is always a line");
        if !empty {
            line.push(' ');
            used += 1;
        }
        line.push_str(&word.replace('\u{A0}', " "));
        used += wide;
        empty = false;
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Columns a text takes; marks of emphasis take none.
fn columns(text: &str) -> usize {
    text.chars().filter(|c| !('\u{206A}'..='\u{206F}').contains(c)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_keeps_to_its_columns() {
        let text = paragraph(&"word ".repeat(60), "1. ", "   ");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("   word")), "{text}");
    }

    #[test]
    fn a_word_longer_than_a_line_is_not_broken() {
        let long = "x".repeat(100);
        assert_eq!(paragraph(&long, "", "  "), format!("{long}\n"));
    }
}
