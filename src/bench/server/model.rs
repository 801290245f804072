//! What goes in, what is held, what goes out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A task as it comes in.
#[derive(Debug, Deserialize)]
pub(super) struct NewTask {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) priority: String,
    pub(super) labels: Vec<String>,
    pub(super) watchers: Vec<Person>,
    pub(super) fields: BTreeMap<String, String>,
}

/// Someone who is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) address: String,
}

/// A project as it is held.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) members: Vec<Person>,
    /// The page as it was fetched: most of what a cache holds.
    pub(super) page: Box<[u8]>,
}

impl Project {
    /// A project as the other server would send it: its size follows from its name.
    pub(super) fn fetched(key: &str) -> Project {
        let draw = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3) // FNV-1a
        });
        // 128 B to 8 KiB, every doubling as likely.
        let doubling = 128_usize << (draw % 6);
        let size = doubling + usize::try_from((draw >> 8) % 1_024).unwrap_or(0) * doubling / 1_024;
        let members = (0..1 + (draw >> 32) % 4).map(|number| Person {
            name: format!("member {number} of {key}"),
            address: format!("{number}.{key}@example.org"),
        });
        Project {
            name: key.to_owned(),
            members: members.collect(),
            page: vec![b'.'; size].into_boxed_slice(),
        }
    }
}

/// A label with what the interface shows.
#[derive(Debug, Serialize)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) colour: String,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Created {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) page_bytes: usize,
    pub(super) title: String,
    pub(super) priority: String,
    pub(super) assignee: Option<Person>,
    pub(super) labels: Vec<Label>,
    pub(super) watchers: Vec<String>,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) links: Vec<String>,
}
