use std::fmt;

/// Why a line can't be named, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The file is not there any more, or can't be read.
    Unreadable {
        /// The file.
        path: String,
        /// The system's answer.
        why: String,
    },
    /// The file is not the one that ran.
    Changed {
        /// The file.
        path: String,
    },
    /// The file has no line tables.
    NoDebugInfo {
        /// The file.
        path: String,
    },
    /// Stacks end before they reach code of the program.
    NoFramePointers {
        /// Captured allocations whose stack does, in percent.
        percent: u64,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Unreadable { path, why } => {
                write!(f, "no functions and lines for {path}: it can't be read: {why}")
            }
            Problem::Changed { path } => {
                write!(
                    f,
                    "no functions and lines for {path}: it was built anew since it ran; run the soak again"
                )
            }
            Problem::NoDebugInfo { path } => write!(
                f,
                "no files and lines for {path}: it was built without debug information; set `debug = \"limited\"` in \
                 the profile it is built with"
            ),
            Problem::NoFramePointers { percent } => write!(
                f,
                "{percent} % of the captured allocations have a stack that ends at once: build the server with \
                 RUSTFLAGS=\"-C force-frame-pointers=yes\""
            ),
        }
    }
}
