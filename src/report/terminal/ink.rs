//! Colour for a text whose layout must not notice it.
//!
//! Styled words are enclosed in invisible characters that are no columns wide; when the text is laid out, they
//! are replaced by the terminal's codes, or dropped.

use anstyle::{AnsiColor, Reset, Style};
use heapsoak_verdict::{ComponentVerdict, RunVerdict, Severity};

/// A way to emphasise a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Bad,
    Doubtful,
    Good,
    Strong,
    Quiet,
}

const END: char = '\u{206F}';

impl Ink {
    const ALL: [Ink; 5] = [Ink::Bad, Ink::Doubtful, Ink::Good, Ink::Strong, Ink::Quiet];

    const fn mark(self) -> char {
        match self {
            Ink::Bad => '\u{206A}',
            Ink::Doubtful => '\u{206B}',
            Ink::Good => '\u{206C}',
            Ink::Strong => '\u{206D}',
            Ink::Quiet => '\u{206E}',
        }
    }

    fn style(self) -> Style {
        match self {
            Ink::Bad => AnsiColor::Red.on_default().bold(),
            Ink::Doubtful => AnsiColor::Yellow.on_default(),
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Strong => Style::new().bold(),
            Ink::Quiet => Style::new().dimmed(),
        }
    }

    /// The text, emphasised.
    pub(crate) fn on(self, text: &str) -> String {
        format!("{}{text}{END}", self.mark())
    }
}

impl From<RunVerdict> for Ink {
    fn from(verdict: RunVerdict) -> Ink {
        match verdict {
            RunVerdict::Leak | RunVerdict::Invalid => Ink::Bad,
            RunVerdict::Inconclusive => Ink::Doubtful,
            RunVerdict::Clean => Ink::Good,
        }
    }
}

impl From<ComponentVerdict> for Ink {
    fn from(verdict: ComponentVerdict) -> Ink {
        match verdict {
            ComponentVerdict::Leak => Ink::Bad,
            ComponentVerdict::Inconclusive => Ink::Doubtful,
            ComponentVerdict::Bounded | ComponentVerdict::Stable => Ink::Good,
        }
    }
}

impl From<Severity> for Ink {
    fn from(severity: Severity) -> Ink {
        match severity {
            Severity::Critical | Severity::High => Ink::Bad,
            Severity::Medium => Ink::Doubtful,
            Severity::Low => Ink::Quiet,
        }
    }
}

/// Replaces the marks by the terminal's codes, or drops them.
pub(crate) fn finish(text: &str, colour: bool) -> String {
    let mut finished = String::with_capacity(text.len());
    for c in text.chars() {
        let ink = Ink::ALL.into_iter().find(|ink| ink.mark() == c);
        match ink {
            Some(ink) if colour => finished.push_str(&ink.style().render().to_string()),
            None if c == END && colour => finished.push_str(&Reset.render().to_string()),
            None if c != END => finished.push(c),
            _ => {}
        }
    }
    finished
}

/// A text from outside without what a terminal would obey, and without our marks.
pub(crate) fn tame(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !('\u{2028}'..='\u{206F}').contains(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_has_no_codes_and_a_coloured_one_ends_them() {
        let text = format!("a {} c", Ink::Bad.on("b"));
        assert_eq!(finish(&text, false), "a b c");
        assert_eq!(finish(&text, true), "a \u{1b}[1m\u{1b}[31mb\u{1b}[0m c");
    }

    #[test]
    fn a_name_cannot_send_codes_to_the_terminal() {
        assert_eq!(tame("x\u{1b}[31my\r\n\u{206A}z"), "x[31myz");
    }
}
