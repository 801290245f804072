use std::collections::HashMap;

use super::super::TOOL_IDS;
use crate::tracker::TrackerError;

/// The tool ids of one session, owned by it: they go when it goes, on every path.
#[derive(Debug, Default)]
pub(crate) struct ToolIds {
    names: HashMap<String, String>,
}

impl ToolIds {
    pub(super) fn insert(&mut self, id: String, name: String) {
        if self.names.insert(id, name).is_none() {
            TOOL_IDS.add(1);
        }
    }

    pub(super) fn name(&self, id: &str) -> Option<String> {
        self.names.get(id).cloned()
    }

    pub(super) async fn conclude(
        self,
        farewell: impl Future<Output = Result<(), TrackerError>>,
    ) -> Result<(), TrackerError> {
        farewell.await
    }
}

impl Drop for ToolIds {
    fn drop(&mut self) {
        TOOL_IDS.add(-i64::try_from(self.names.len()).unwrap_or(i64::MAX));
    }
}
