use tokio::task::JoinHandle;
/// `tokio::spawn`, with the task charged to the spawner's context.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(crate::Context::current().charge(future))
}
/// `tokio::task::spawn_blocking`, charged to the caller's context.
pub fn spawn_blocking<F, R>(run: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(run)
}
