use std::fmt;

use serde::Serialize;

/// What a reviewer says of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Good as it is.
    Approve,
    /// To be done again.
    Reject,
}

impl Verdict {
    /// Reads a reviewer's output: the first word that is not blank decides.
    pub(super) fn read(output: &[u8]) -> Option<Verdict> {
        let first = output.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
        match first {
            b"APPROVE" => Some(Verdict::Approve),
            b"REJECT" => Some(Verdict::Reject),
            _ => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Approve => "APPROVE",
            Verdict::Reject => "REJECT",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides() {
        assert_eq!(Verdict::read(b"\n APPROVE\nwell done, nothing to REJECT"), Some(Verdict::Approve));
        assert_eq!(Verdict::read(b"REJECT"), Some(Verdict::Reject));
    }

    #[test]
    fn anything_else_is_no_verdict() {
        for output in [&b""[..], b"  \n", b"approve", b"APPROVED", b"I would APPROVE", b"\xff\xfe"] {
            assert_eq!(Verdict::read(output), None, "{output:?}");
        }
    }
}
