//! Caches what is looked up in the tracker's catalogue, by namespace.

mod as_found;
mod entries;
mod fixed;
mod namespace;
mod statistics;
mod wildcard;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heapsoak_probe::{Component, Gauge, clock};
use serde_json::Value;

use self::entries::Entry;
use self::namespace::Namespace;
pub use self::statistics::Statistics;
pub use self::wildcard::{Pattern, UnreadablePattern};
use crate::{Config, Defect, Id};

/// Component that the cache's memory is charged to.
pub static CACHE: Component = Component::new("cache");

static ENTRIES: Gauge = Gauge::new("cache.entries");
static NAMESPACES: Gauge = Gauge::new("cache.namespaces");

/// Why a look-up has no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookUpError<E> {
    /// There is no such namespace.
    #[error("there is no namespace '{0}'")]
    UnknownNamespace(Id),
    /// It was not in the cache and could not be loaded.
    #[error(transparent)]
    Load(E),
}

/// What an invalidation removed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Invalidation {
    /// The namespace.
    pub namespace: Id,
    /// The pattern asked for.
    pub pattern: Pattern,
    /// Entries removed.
    pub removed: usize,
}

type Hook = Box<dyn Fn(&Invalidation) + Send + Sync>;

/// A cache of look-ups: least recently used entries make room, every entry has a time to live.
pub struct Cache {
    namespaces: Mutex<BTreeMap<Id, Box<Namespace>>>,
    hooks: Mutex<Vec<Hook>>,
    ttl: Duration,
    capacity: NonZeroUsize,
    order_array: bool,
    /// As found (`cache.namespaces`): whoever asks for a namespace creates it. Fixed: they come from the configuration.
    created_by_readers: bool,
}

impl Cache {
    /// A cache with the configured namespaces, capacity, time to live and defects.
    #[must_use]
    pub fn new(config: &Config) -> Cache {
        let order_array = config.as_found.has(Defect::CacheOrderArray);
        let known = config.cache_namespaces.iter().filter_map(|name| name.parse().ok());
        let namespaces: BTreeMap<Id, Box<Namespace>> = known
            .map(|name: Id| (name, Box::new(Namespace::with_room(config.cache_capacity, order_array))))
            .collect();
        NAMESPACES.set(count(namespaces.len()));
        Cache {
            namespaces: Mutex::new(namespaces),
            hooks: Mutex::default(),
            ttl: config.cache_ttl,
            capacity: config.cache_capacity,
            order_array,
            created_by_readers: config.as_found.has(Defect::CacheNamespaces),
        }
    }

    /// The value from the cache; or else from `load`, which is called only then, and whose value is kept.
    ///
    /// The future of `load` is boxed, so that a hit does not carry the room for a load along.
    ///
    /// # Errors
    ///
    /// Fails if the namespace is unknown or the value can't be loaded.
    pub async fn look_up<E, F: Future<Output = Result<Option<Value>, E>>>(
        &self,
        namespace: &Id,
        key: &Id,
        load: impl FnOnce() -> F,
    ) -> Result<Option<Arc<Value>>, LookUpError<E>> {
        let generation = match self.get(namespace, key) {
            Found::Value(value) => return Ok(Some(value)),
            Found::Missing { generation } => generation,
            Found::NoNamespace => return Err(LookUpError::UnknownNamespace(namespace.clone())),
        };
        let Some(value) = Box::pin(load()).await.map_err(LookUpError::Load)?.map(Arc::new) else {
            return Ok(None);
        };
        let mut namespaces = self.locked();
        if let Some(entries) = namespaces.get_mut(namespace) {
            let expires = clock::monotonic().saturating_add(self.ttl);
            let entry = Entry { value: Arc::clone(&value), expires };
            counted(entries, |entries| entries.put(key, entry, generation));
        }
        Ok(Some(value))
    }

    /// Removes the entries of a namespace whose keys fit a pattern, and tells the hooks; none if there is no such
    /// namespace.
    pub fn invalidate(&self, namespace: &Id, pattern: Pattern) -> Option<usize> {
        let removed = counted(self.locked().get_mut(namespace)?, |entries| entries.invalidate(&pattern));
        let done = Invalidation { namespace: namespace.clone(), pattern, removed };
        for hook in self.hooks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            hook(&done);
        }
        Some(removed)
    }

    /// Has `hook` called after every invalidation.
    pub fn on_invalidation(&self, hook: impl Fn(&Invalidation) + Send + Sync + 'static) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(hook));
    }

    /// Removes what has expired.
    pub fn sweep(&self) {
        let now = clock::monotonic();
        for namespace in self.locked().values_mut() {
            counted(namespace, |entries| entries.expire(now));
        }
    }

    /// What happened since the start, over all namespaces.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let namespaces = self.locked();
        let mut total = Statistics { namespaces: namespaces.len(), ..Statistics::default() };
        for namespace in namespaces.values() {
            total.add(&namespace.statistics());
        }
        total
    }

    fn get(&self, namespace: &Id, key: &Id) -> Found {
        let mut namespaces = self.locked();
        let Some(entries) = namespaces.get_mut(namespace) else {
            if self.created_by_readers {
                let created = Namespace::empty(self.capacity, self.order_array);
                namespaces.insert(namespace.clone(), Box::new(created));
                NAMESPACES.set(count(namespaces.len()));
            }
            return Found::NoNamespace;
        };
        if entries.created_by_reader() {
            return Found::NoNamespace;
        }
        match counted(entries, |entries| entries.get(key, clock::monotonic())) {
            Some(value) => Found::Value(value),
            None => Found::Missing { generation: entries.generation() },
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Id, Box<Namespace>>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Found {
    Value(Arc<Value>),
    Missing { generation: u64 },
    NoNamespace,
}

/// Changes a namespace, and the gauge by as many entries as came or went.
fn counted<R>(namespace: &mut Namespace, change: impl FnOnce(&mut Namespace) -> R) -> R {
    let before = count(namespace.len());
    let result = change(namespace);
    ENTRIES.add(count(namespace.len()) - before);
    result
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
