use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// A name that came from outside and is safe in a path or a URL: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(Box<str>);

/// A name that is not an [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: use 1 to 64 letters, digits, '_' or '-'")]
pub struct NotAnId;

impl Id {
    /// Longest id.
    pub const MAX_LEN: usize = 64;

    /// A new id: the time in milliseconds and a counter that never repeats in this process, both in hex.
    #[must_use]
    pub fn unique(prefix: &str) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let started = heapsoak_probe::clock::unix_ms();
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Id(format!("{prefix}-{started:011x}-{next:08x}").into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Id, NotAnId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if text.is_empty() || text.len() > Id::MAX_LEN || !text.bytes().all(allowed) {
            return Err(NotAnId);
        }
        Ok(Id(text.into()))
    }
}

impl TryFrom<String> for Id {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Id, NotAnId> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.0.into()
    }
}

impl Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_leave_a_folder_is_an_id() {
        for text in ["", ".", "..", "../x", "a/b", "a\\b", "a\0b", "a b", "ä", &"x".repeat(65)] {
            assert_eq!(text.parse::<Id>(), Err(NotAnId), "{text:?} was accepted");
        }
    }

    #[test]
    fn letters_digits_dash_and_underscore_make_an_id() {
        for text in ["a", "ABC-123_z", &"x".repeat(64)] {
            assert_eq!(text.parse::<Id>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn unique_ids_differ_and_are_ids() {
        let (one, two) = (Id::unique("task"), Id::unique("task"));
        assert_ne!(one, two);
        assert!(one.parse::<Id>().is_ok());
    }
}
