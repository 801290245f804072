use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use heapsoak_probe::clock;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::app::App;
use crate::cache::CACHE;
use crate::pipeline::Pipeline;
use crate::queue::{QUEUE, Workers};
use crate::verifier::VERIFIER;
use crate::{Config, ServeError, http};

/// How often expired signatures and cache entries are removed, on the server's clock.
const SWEEP: Duration = Duration::from_secs(60);

/// How long connections may take to close once everything behind them has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A server that listens, and does not serve yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
    config: Config,
    /// Held as long as the server uses its data folder.
    _lock: File,
}

impl Server {
    /// Opens the data folder and listens.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub async fn bind(config: Config) -> Result<Server, ServeError> {
        config.check().map_err(ServeError::Config)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|source| ServeError::Listen { address: config.listen, source })?;
        let lock = lock(&config.data)?;
        let address = listener.local_addr()?;
        let app = Arc::new(App::new(&config)?);
        Ok(Server { listener, address, app, config, _lock: lock })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready; then stops accepting, lets work under way go on for a while, ends sessions,
    /// reviews and their children, and writes what is left to write.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses to go on.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Server { listener, app, config, .. } = self;
        let pipeline = Arc::new(Pipeline(Arc::clone(&app)));
        let workers = QUEUE.scope(|| Workers::start(&app.queue, &pipeline, config.workers.get()));
        let _sweepers = sweepers(&app);
        let (close, closed) = oneshot::channel::<()>();
        let router = http::router(&app, config.body_limit);
        let listener = listener.tap_io(|connection| {
            // Answers are small: without this, some wait for an acknowledgement.
            let _ = connection.set_nodelay(true);
        });
        let serving = axum::serve(listener, router).with_graceful_shutdown(async {
            let _ = closed.await;
        });
        let mut serving = tokio::spawn(serving.into_future());
        tokio::select! {
            () = stop => {}
            ended = &mut serving => return ended.map_err(std::io::Error::other)?.map_err(ServeError::Serve),
        }
        let _ = close.send(());
        let drained = async {
            tokio::join!(workers.stop(config.shutdown_grace), answered(&mut serving, config.shutdown_grace)).1
        };
        let answered_all = drained.await;
        tokio::join!(app.sessions.shut_down(), app.reviews.shut_down());
        if !answered_all && !answered(&mut serving, LAST_ANSWERS).await {
            serving.abort();
        }
        let path = config.data.join(crate::queue::FILE);
        app.queue.flush().map_err(|source| ServeError::Data { path, source })
    }
}

/// Whether every connection has closed in time.
async fn answered<T>(serving: &mut tokio::task::JoinHandle<T>, time: Duration) -> bool {
    tokio::time::timeout(time, serving).await.is_ok()
}

/// Tasks that remove what has expired; they end when the set is dropped.
fn sweepers(app: &Arc<App>) -> JoinSet<()> {
    let mut sweepers = JoinSet::new();
    let (verifier, cache) = (Arc::clone(app), Arc::clone(app));
    sweepers.spawn(VERIFIER.charge(async move {
        loop {
            clock::sleep(SWEEP).await;
            verifier.verifier.sweep();
        }
    }));
    sweepers.spawn(CACHE.charge(async move {
        loop {
            clock::sleep(SWEEP).await;
            cache.cache.sweep();
        }
    }));
    sweepers
}

/// How long a data folder may still be held by a server that has just ended: a child it was starting shares the lock
/// until it runs its own program.
const HAND_OVER: Duration = Duration::from_millis(500);

/// Creates the data folder and takes it for this server.
fn lock(data: &Path) -> Result<File, ServeError> {
    let refused = |source| ServeError::Data { path: data.to_owned(), source };
    fs::create_dir_all(data).map_err(refused)?;
    let file = File::options().create(true).append(true).open(data.join("lock")).map_err(refused)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < HAND_OVER => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(ServeError::DataInUse(data.to_owned())),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
    }
}
