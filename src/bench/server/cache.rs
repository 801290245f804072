//! Projects looked up lately.

use std::hash::{BuildHasherDefault, DefaultHasher};
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use super::model::Project;

/// Projects that are asked for over and over; the others are asked for once.
pub(super) const WARM: u32 = 64;

/// Least recently used goes first. The hash has a fixed key, so that every run is alike.
#[derive(Debug)]
pub(super) struct Cache(LruCache<String, Arc<Project>, BuildHasherDefault<DefaultHasher>>);

impl Cache {
    pub(super) fn filled(entries: u32) -> Cache {
        let room = NonZeroUsize::new(entries.max(2 * WARM) as usize).unwrap_or(NonZeroUsize::MIN);
        let mut cache = Cache(LruCache::with_hasher(room, BuildHasherDefault::default()));
        for number in (0..entries).rev() {
            let key = format!("project-{number}");
            let project = Project::fetched(&key);
            cache.0.put(key, Arc::new(project));
        }
        cache
    }

    /// The project, fetched when it is not known.
    pub(super) fn look_up(&mut self, id: &str) -> Arc<Project> {
        let key = format!("project-{id}");
        if let Some(known) = self.0.get(&key) {
            return Arc::clone(known);
        }
        let project = Arc::new(Project::fetched(&key));
        self.0.put(key, Arc::clone(&project));
        project
    }
}
