use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use heapsoak_record::wire::SOCKET_VARIABLE;

use crate::{mode, registry, service, stacks};

/// Opens the private socket that `HEAPSOAK_SOCKET` names, and counts. Does nothing when the variable is not set, or
/// when called again. Call it first in `main`.
///
/// The socket has mode 0600 and is served by a thread of its own named `heapsoak`, whose memory is charged to the
/// component `heapsoak`. When another process serves the socket already (a server that starts copies of itself hands
/// its environment on), this one stays silent. When it can't be opened, one line on stderr says why, and the server
/// goes on without it.
pub fn start() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    #[cfg(feature = "profiler")]
    crate::profiler::start();
    let Some(path) = env::var_os(SOCKET_VARIABLE) else { return };
    if !mode::is_counting() {
        mode::count();
    }
    let _own = registry::enter_own();
    stacks::begin_as_asked();
    let path = PathBuf::from(path);
    if let Err(error) = service::listen(&path) {
        complain(&path, &error);
    }
}

fn complain(path: &Path, error: &std::io::Error) {
    eprintln!("heapsoak: can't listen on {}: {error}; the server runs on unobserved", path.display());
}
