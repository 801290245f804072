use std::io::{self, Read, Write};
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::{Config, ServeError, Server};

/// Runs the server until SIGTERM or SIGINT comes, or, when configured so, stdin closes.
///
/// Prints one line on stdout once it listens: `listening on ADDRESS`.
///
/// # Errors
///
/// See [`ServeError`].
pub async fn serve(config: Config) -> Result<(), ServeError> {
    let with_stdin = config.exit_with_stdin;
    // Before anything is started: a signal that comes early must not be lost.
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let server = Server::bind(config).await?;
    announce(&server)?;
    server
        .run(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
                () = stdin_closed(), if with_stdin => {}
            }
        })
        .await
}

fn announce(server: &Server) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {}", server.address())?;
    stdout.flush()
}

/// Ready when stdin has ended. Reads it in a thread of its own: the runtime would wait for one of its blocking
/// threads at the end.
async fn stdin_closed() {
    let (ended, end) = oneshot::channel();
    let reader = thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut ignored = [0; 256];
        loop {
            match stdin.read(&mut ignored) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = ended.send(());
    });
    match reader {
        Ok(_) => {
            let _ = end.await;
        }
        // Without the thread there is no way to notice: the signals remain.
        Err(_) => std::future::pending().await,
    }
}
