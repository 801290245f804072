use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A pattern for keys: `*` stands for any number of characters, everything else for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Box<str>);

/// A pattern that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a pattern: use 1 to {} characters, '*' for any number of characters", Pattern::MAX_LEN)]
pub struct UnreadablePattern;

impl Pattern {
    /// Longest pattern, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Whether a key fits as a whole. Takes at most key length × pattern length steps.
    #[must_use]
    pub fn fits(&self, key: &str) -> bool {
        let (pattern, key) = (self.0.as_bytes(), key.as_bytes());
        let (mut at, mut next) = (0, 0);
        // The last star, and where in the key what follows it is tried.
        let mut star: Option<(usize, usize)> = None;
        while next < key.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, next));
                    at += 1;
                }
                Some(byte) if *byte == key[next] => {
                    at += 1;
                    next += 1;
                }
                _ => {
                    let Some((star_at, tried)) = star else { return false };
                    star = Some((star_at, tried + 1));
                    at = star_at + 1;
                    next = tried + 1;
                }
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

impl FromStr for Pattern {
    type Err = UnreadablePattern;

    fn from_str(text: &str) -> Result<Pattern, UnreadablePattern> {
        if text.is_empty() || text.len() > Self::MAX_LEN {
            return Err(UnreadablePattern);
        }
        Ok(Pattern(text.into()))
    }
}

impl TryFrom<String> for Pattern {
    type Error = UnreadablePattern;

    fn try_from(text: String) -> Result<Pattern, UnreadablePattern> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, key: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().fits(key)
    }

    /// The definition, tried out literally.
    fn fits_by_definition(pattern: &[u8], key: &[u8]) -> bool {
        match pattern.split_first() {
            None => key.is_empty(),
            Some((b'*', rest)) => (0..=key.len()).any(|skipped| fits_by_definition(rest, &key[skipped..])),
            Some((byte, rest)) => key
                .split_first()
                .is_some_and(|(first, others)| first == byte && fits_by_definition(rest, others)),
        }
    }

    #[test]
    fn a_star_stands_for_any_number_of_characters() {
        assert!(fits("abc*", "abc") && fits("abc*", "abcdef") && !fits("abc*", "ab"));
        assert!(fits("*", "") && fits("*", "x") && fits("**", "x"));
        assert!(fits("a*c*e", "abcde") && fits("a*c*e", "ace") && !fits("a*c*e", "aec"));
        assert!(fits("exact", "exact") && !fits("exact", "exactly") && !fits("?", "x"));
    }

    #[test]
    fn a_pattern_made_to_backtrack_is_answered_at_once() {
        let pattern = "a*".repeat(60) + "b";
        assert!(!fits(&pattern, &"a".repeat(64)));
    }

    #[test]
    fn empty_and_endless_patterns_are_refused() {
        assert_eq!("".parse::<Pattern>(), Err(UnreadablePattern));
        assert_eq!("*".repeat(129).parse::<Pattern>(), Err(UnreadablePattern));
    }

    proptest! {
        #[test]
        fn it_fits_what_the_definition_says(pattern in "[ab*]{1,8}", key in "[ab]{0,10}") {
            prop_assert_eq!(fits(&pattern, &key), fits_by_definition(pattern.as_bytes(), key.as_bytes()));
        }

        #[test]
        fn a_key_cut_into_pieces_fits_the_pieces_joined_by_stars(key in "[a-z0-9_-]{1,64}", cut in 0usize..64) {
            let cut = cut.min(key.len());
            let pattern = format!("{}*{}", &key[..cut], &key[cut..]);
            prop_assert!(fits(&pattern, &key));
        }
    }
}
