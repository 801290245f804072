use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::TOOL_IDS;
use crate::Id;
use crate::tracker::TrackerError;

/// The tool ids of all sessions, in one map that nobody in particular owns.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Shared(Arc<Mutex<HashMap<Id, HashMap<String, String>>>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, HashMap<String, String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's way to the shared map.
#[derive(Debug)]
pub(crate) struct ToolIds {
    all: Shared,
    session: Id,
}

impl ToolIds {
    pub(super) fn new(all: &Shared, session: &Id) -> ToolIds {
        ToolIds { all: all.clone(), session: session.clone() }
    }

    pub(super) fn insert(&mut self, id: String, name: String) {
        let mut all = self.all.lock();
        if all.entry(self.session.clone()).or_default().insert(id, name).is_none() {
            TOOL_IDS.add(1);
        }
    }

    pub(super) fn name(&self, id: &str) -> Option<String> {
        self.all.lock().get(&self.session)?.get(id).cloned()
    }

    pub(super) async fn conclude(
        self,
        farewell: impl Future<Output = Result<(), TrackerError>>,
    ) -> Result<(), TrackerError> {
        // As found: the tracker is told before the block that cleans up is entered. When that fails, the early return
        // skips the block, and the session's entry stays for ever.
        farewell.await?;

        let ids = self.all.lock().remove(&self.session);
        TOOL_IDS.add(-i64::try_from(ids.map_or(0, |ids| ids.len())).unwrap_or(i64::MAX));
        Ok(())
    }
}
