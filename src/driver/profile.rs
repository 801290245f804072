use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use heapsoak_record::wire::{PROFILE_VARIABLE, PROFILER_VARIABLE};

/// Environment variable that jemalloc, as Rust servers link it, takes its options from.
const JEMALLOC_OPTIONS: &str = "_RJEM_MALLOC_CONF";

/// One sample per 512 KiB allocated: finer sampling makes jemalloc many times slower.
const SAMPLING: &str = "prof:true,prof_active:true,lg_prof_sample:19";

/// A profiler that runs in the server beside the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profiler {
    /// dhat: every allocation by its stack, exactly, at a high price.
    Dhat,
    /// jemalloc's own: a sample of the allocations by their stacks, almost for nothing.
    Jemalloc,
}

impl Profiler {
    /// Its name, as the probe knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profiler::Dhat => "dhat",
            Profiler::Jemalloc => "jemalloc",
        }
    }

    /// What its file is usually called.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Profiler::Dhat => "dhat-heap.json",
            Profiler::Jemalloc => "jemalloc.heap",
        }
    }
}

/// A profile that a run is to bring along.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Who makes it.
    pub profiler: Profiler,
    /// The file to write it to.
    pub file: PathBuf,
}

impl Profile {
    /// Tells a server what to do, through its environment.
    pub(crate) fn configure(&self, command: &mut Command) {
        command.env(PROFILER_VARIABLE, self.profiler.name()).env(PROFILE_VARIABLE, &self.file);
        if self.profiler == Profiler::Jemalloc {
            command.env(JEMALLOC_OPTIONS, with_sampling(env::var_os(JEMALLOC_OPTIONS)));
        }
    }
}

/// The user's options for jemalloc stay, another interval of sampling among them: where two contradict each other, jemalloc
/// goes by the last.
fn with_sampling(options: Option<OsString>) -> OsString {
    let mut all = OsString::from(SAMPLING);
    if let Some(options) = options.filter(|options| !options.is_empty()) {
        all.push(",");
        all.push(options);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_a_user_has_for_jemalloc_stay() {
        assert_eq!(with_sampling(None), SAMPLING);
        assert_eq!(with_sampling(Some("".into())), SAMPLING);
        let both = with_sampling(Some("narenas:2".into()));
        assert_eq!(both.to_str().unwrap(), format!("{SAMPLING},narenas:2"));
    }
}
