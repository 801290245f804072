use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heapsoak_probe::clock;

use crate::cache::{CACHE, Cache, Invalidation};
use crate::process::Reviews;
use crate::queue::{QUEUE, Queue};
use crate::session::Sessions;
use crate::tracker::Client;
use crate::verifier::{VERIFIER, Verifier};
use crate::{Config, Defects, ServeError};

/// The components of the server, as the routes and the workers see them.
pub(crate) struct App {
    pub(crate) verifier: Verifier,
    pub(crate) cache: Cache,
    pub(crate) tracker: Client,
    pub(crate) queue: Arc<Queue>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) reviews: Arc<Reviews>,
    pub(crate) as_found: Defects,
    pub(crate) started: Duration,
    last_invalidation: Arc<Mutex<Option<Invalidation>>>,
}

impl App {
    /// Puts the components together. The data folder exists already.
    pub(crate) fn new(config: &Config) -> Result<App, ServeError> {
        let tracker =
            Client::new(&config.tracker_url).map_err(|error| ServeError::Config(error.to_string()))?;
        let queue = QUEUE
            .scope(|| Queue::open(config))
            .map_err(|source| ServeError::Data { path: config.data.join(crate::queue::FILE), source })?;
        let last_invalidation = Arc::new(Mutex::new(None));
        let cache = CACHE.scope(|| {
            let cache = Cache::new(config);
            let last = Arc::clone(&last_invalidation);
            cache.on_invalidation(move |done| {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(done.clone());
            });
            cache
        });
        Ok(App {
            verifier: VERIFIER.scope(|| Verifier::new(config)),
            cache,
            sessions: Sessions::new(config, tracker.clone()),
            reviews: Reviews::new(config),
            tracker,
            queue: Arc::new(queue),
            as_found: config.as_found.clone(),
            started: clock::monotonic(),
            last_invalidation,
        })
    }

    /// The invalidation of the cache that was asked for last.
    pub(crate) fn last_invalidation(&self) -> Option<Invalidation> {
        self.last_invalidation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
