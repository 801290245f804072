use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::failure::Failure;

/// Installs handlers for Ctrl-C and SIGTERM and returns a future that ends at the first of them. At the second, the
/// process exits at once; what it started ends by itself, since its pipe to the tool is closed then.
pub(crate) fn listen() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let listen = |kind| {
        signal(kind)
            .map_err(|error| Failure::new(Exit::Internal, format!("can't listen for signals: {error}")))
    };
    let mut interrupts = listen(SignalKind::interrupt())?;
    let mut terminations = listen(SignalKind::terminate())?;
    Ok(async move {
        let mut next = async move || {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
            }
        };
        next().await;
        tokio::spawn(async move {
            next().await;
            std::process::exit(i32::from(Exit::Invalid.code()));
        });
    })
}
