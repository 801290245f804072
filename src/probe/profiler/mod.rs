//! dhat, or jemalloc's profiler, beside the probe: chosen when the server starts, without another build.
//!
//! `HEAPSOAK_PROFILER` names the profiler, `HEAPSOAK_PROFILE` the file it writes. [`start`](crate::start()) starts it;
//! the driver asks for the file over the socket when its last snapshot is taken, or the server calls [`write()`].
//!
//! `dhat` needs [`Choosing`] inside the [`Probe`](crate::Probe). `jemalloc` needs jemalloc inside, the feature
//! `jemalloc-profiler`, and its options in the environment from the start: `_RJEM_MALLOC_CONF=prof:true,prof_active:true,lg_prof_sample:19`. Components are
//! counted with either as without.

mod choice;
mod choosing;
mod jemalloc;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::{env, fmt, fs};

use heapsoak_record::wire::{PROFILE_VARIABLE, PROFILER_VARIABLE};

use crate::registry;
pub use choosing::Choosing;

/// A profiler at work.
enum Running {
    Dhat { profiler: dhat::Profiler, file: PathBuf },
    Jemalloc { file: PathBuf },
}

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// Starts the profiler that the environment names. One line on stderr says why, if it can't.
pub(crate) fn start() {
    let Some(name) = env::var_os(PROFILER_VARIABLE) else { return };
    let _own = registry::enter_own();
    let started = match name.to_str() {
        Some("dhat") if choice::is_dhat() => {
            let file = file_or("dhat-heap.json");
            let profiler = dhat::Profiler::builder().file_name(&file).build();
            Ok(Running::Dhat { profiler, file })
        }
        Some("dhat") => Err("the server's global allocator is not heapsoak_probe::profiler::Choosing"),
        Some("jemalloc") if jemalloc::is_profiling() => {
            Ok(Running::Jemalloc { file: file_or("jemalloc.heap") })
        }
        Some("jemalloc") => {
            Err("that needs the probe's feature `jemalloc-profiler`, jemalloc as the allocator, and \
                 _RJEM_MALLOC_CONF=prof:true,prof_active:true,lg_prof_sample:19")
        }
        _ => Err("use dhat or jemalloc"),
    };
    match started {
        Ok(running) => *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(running),
        Err(why) => {
            let name = name.display();
            eprintln!("heapsoak: {PROFILER_VARIABLE} is {name}: {why}; the server runs on without it");
        }
    }
}

fn file_or(usual: &str) -> PathBuf {
    env::var_os(PROFILE_VARIABLE).map_or_else(|| PathBuf::from(usual), PathBuf::from)
}

/// Writes the profile, ends the profiler, and returns the file's name. Every thread that allocates waits meanwhile,
/// with dhat for as long as it takes to look up the names of all functions: seconds.
///
/// # Errors
///
/// Fails if no profiler runs (any more), or if the file can't be written.
pub fn write() -> Result<PathBuf, ProfileError> {
    let _own = registry::enter_own();
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner).take();
    match running.ok_or(ProfileError::NotRunning)? {
        Running::Dhat { profiler, file } => {
            // dhat says on stderr alone whether it could write: a file that is there must be a new one.
            if let Err(error) = fs::remove_file(&file)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(ProfileError::Unwritable { file, why: error.to_string() });
            }
            drop(profiler);
            match fs::metadata(&file) {
                Ok(_) => Ok(file),
                Err(error) => Err(ProfileError::Unwritable { file, why: error.to_string() }),
            }
        }
        Running::Jemalloc { file } => match jemalloc::write(&file) {
            Ok(()) => Ok(file),
            Err(why) => Err(ProfileError::Unwritable { file, why }),
        },
    }
}

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileError {
    /// No profiler was started, or its profile is written already.
    NotRunning,
    /// The file can't be written.
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What went wrong.
        why: String,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileError::NotRunning => f.write_str("no profiler runs in the server"),
            ProfileError::Unwritable { file, why } => {
                write!(f, "can't write the profile to {}: {why}", file.display())
            }
        }
    }
}

impl std::error::Error for ProfileError {}
