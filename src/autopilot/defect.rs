use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A defect of the server as it was found. Each has its as-found code beside the fixed code in its component's
/// folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// Signatures are kept with no expiry, trimmed to the newest 5,000 once past 10,000.
    VerifierNoExpiry,
    /// The hex signature is decoded leniently: stops at the first bad digit, ignores case; stored at full length.
    VerifierLenientHex,
    /// The access order of the cache is an array rebuilt on every hit.
    CacheOrderArray,
    /// Asking for an unknown namespace creates it, for ever.
    CacheNamespaces,
    /// The tool-id map survives one error path.
    SessionToolIds,
    /// Every finished session stays in memory with its transcript, and is reloaded after a restart.
    SessionTranscripts,
    /// A session whose agent never ends is never ended.
    SessionNeverEnding,
    /// The transcript is rewritten on every message while the tool count is a multiple of five.
    SessionTranscriptRewrite,
    /// A review's time-out is never cancelled and holds child, pipes and output.
    ProcessTimers,
    /// A child that outlives SIGTERM, or whose grandchild keeps the pipes, is never released.
    ProcessOrphans,
    /// A child that exits before reading its stdin kills the server.
    ProcessBrokenPipe,
    /// With the data file unwritable, tasks stay active for ever and are never run.
    QueueFailsOpen,
    /// The duplicate check looks up by the wrong id.
    QueueDuplicateCheck,
    /// Every change rewrites the whole data file.
    QueueRewriteFile,
}

impl Defect {
    /// Every defect.
    pub const ALL: [Defect; 14] = [
        Defect::VerifierNoExpiry,
        Defect::VerifierLenientHex,
        Defect::CacheOrderArray,
        Defect::CacheNamespaces,
        Defect::SessionToolIds,
        Defect::SessionTranscripts,
        Defect::SessionNeverEnding,
        Defect::SessionTranscriptRewrite,
        Defect::ProcessTimers,
        Defect::ProcessOrphans,
        Defect::ProcessBrokenPipe,
        Defect::QueueFailsOpen,
        Defect::QueueDuplicateCheck,
        Defect::QueueRewriteFile,
    ];

    /// Its name, `component.defect`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Defect::VerifierNoExpiry => "verifier.no-expiry",
            Defect::VerifierLenientHex => "verifier.lenient-hex",
            Defect::CacheOrderArray => "cache.order-array",
            Defect::CacheNamespaces => "cache.namespaces",
            Defect::SessionToolIds => "session.tool-ids",
            Defect::SessionTranscripts => "session.transcripts",
            Defect::SessionNeverEnding => "session.never-ending",
            Defect::SessionTranscriptRewrite => "session.transcript-rewrite",
            Defect::ProcessTimers => "process.timers",
            Defect::ProcessOrphans => "process.orphans",
            Defect::ProcessBrokenPipe => "process.broken-pipe",
            Defect::QueueFailsOpen => "queue.fails-open",
            Defect::QueueDuplicateCheck => "queue.duplicate-check",
            Defect::QueueRewriteFile => "queue.rewrite-file",
        }
    }

    /// The component it sits in.
    #[must_use]
    pub fn component(self) -> &'static str {
        self.name().split_once('.').map_or("", |(component, _)| component)
    }
}

/// The defects switched on. None by default: the server is healthy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defects(BTreeSet<Defect>);

impl Defects {
    /// Whether a defect is switched on.
    #[must_use]
    pub fn has(&self, defect: Defect) -> bool {
        self.0.contains(&defect)
    }

    /// The defects switched on, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Defect> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Self {
        Defects(defects.into_iter().collect())
    }
}

/// A name in `--as-found` that is neither a defect, nor a component, nor `all` or `none`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown defect '{name}': use all, none, a component ({components}), or one of: {defects}")]
pub struct UnknownDefect {
    name: String,
    components: String,
    defects: String,
}

impl FromStr for Defects {
    type Err = UnknownDefect;

    /// Reads a comma-separated list of defects (`session.tool-ids`), components (`session`), `all` or `none`.
    fn from_str(list: &str) -> Result<Self, UnknownDefect> {
        let mut chosen = BTreeSet::new();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none") {
            let mut known = false;
            for defect in Defect::ALL {
                if name == "all" || name == defect.name() || name == defect.component() {
                    known = true;
                    chosen.insert(defect);
                }
            }
            if !known {
                let components: BTreeSet<_> = Defect::ALL.into_iter().map(Defect::component).collect();
                return Err(UnknownDefect {
                    name: name.to_owned(),
                    components: components.into_iter().collect::<Vec<_>>().join(", "),
                    defects: Defect::ALL.map(Defect::name).join(", "),
                });
            }
        }
        Ok(Defects(chosen))
    }
}

impl fmt::Display for Defects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, defect) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(defect.name())?;
        }
        Ok(())
    }
}
