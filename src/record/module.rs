use serde::{Deserialize, Serialize};

/// A file that is mapped into a process with its code: the program itself or a shared library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// The file. Without a path (code a program made itself, the kernel's own page) its name in brackets.
    pub path: String,
    /// Build id of the file in hexadecimal; none when it has none. Tells whether the file at `path` is still the one
    /// that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// Size of the file in bytes, to tell the same for files without a build id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// Where its code starts in the process.
    pub start: u64,
    /// Where its code ends in the process (the first address behind it).
    pub end: u64,
    /// What the loader added to the addresses the file names: `address in the process - bias = address in the file`.
    pub bias: u64,
    /// Offset in the file of the code mapped at `start`.
    pub file_offset: u64,
}

impl Module {
    /// Its file's name without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}
