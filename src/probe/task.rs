//! Tasks of tokio.

use std::sync::OnceLock;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::{Context, mode, registry};

/// Runtimes whose tasks are counted: the first that was seen.
static RUNTIME: OnceLock<Handle> = OnceLock::new();

/// `tokio::spawn`, with the task charged to the context of the spawner.
///
/// # Panics
///
/// Outside a tokio runtime, as `tokio::spawn` does.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    watch_runtime();
    tokio::spawn(Context::current().charge(future))
}

/// `tokio::task::spawn_blocking`, with the closure charged to the context of the caller.
///
/// # Panics
///
/// Outside a tokio runtime, as `tokio::task::spawn_blocking` does.
pub fn spawn_blocking<F, R>(run: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let context = Context::current();
    tokio::task::spawn_blocking(move || {
        let _scope = context.enter();
        run()
    })
}

/// Counts the tasks of the runtime the caller is in from now on.
pub(crate) fn watch_runtime() {
    if mode::is_counting() && RUNTIME.get().is_none() {
        let _own = registry::enter_own();
        if let Ok(handle) = Handle::try_current() {
            // If two threads come at once, either handle is of a runtime of this process.
            let _ = RUNTIME.set(handle);
        }
    }
}

/// Tasks alive in the runtime; none when no runtime was seen.
pub(crate) fn alive() -> Option<u64> {
    let handle = RUNTIME.get()?;
    u64::try_from(handle.metrics().num_alive_tasks()).ok()
}
