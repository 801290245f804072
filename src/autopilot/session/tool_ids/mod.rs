//! Which tool a tool use was of: an agent names the tool once and then refers to the use by its id.

pub(super) mod as_found;
mod fixed;

use crate::Id;
use crate::tracker::TrackerError;

/// The tool ids of one session.
#[derive(Debug)]
pub(super) enum ToolIds {
    Fixed(fixed::ToolIds),
    AsFound(as_found::ToolIds),
}

impl ToolIds {
    /// For a session of the healthy server, or for one that shares the map as found.
    pub(super) fn of(session: &Id, shared: Option<&as_found::Shared>) -> ToolIds {
        match shared {
            None => ToolIds::Fixed(fixed::ToolIds::default()),
            Some(shared) => ToolIds::AsFound(as_found::ToolIds::new(shared, session)),
        }
    }

    /// Remembers a tool's name.
    pub(super) fn insert(&mut self, id: String, name: String) {
        match self {
            ToolIds::Fixed(ids) => ids.insert(id, name),
            ToolIds::AsFound(ids) => ids.insert(id, name),
        }
    }

    /// The tool's name.
    pub(super) fn name(&self, id: &str) -> Option<String> {
        match self {
            ToolIds::Fixed(ids) => ids.name(id),
            ToolIds::AsFound(ids) => ids.name(id),
        }
    }

    /// Ends the session: says farewell to the tracker, and forgets the ids.
    ///
    /// # Errors
    ///
    /// Passes the farewell's error on.
    pub(super) async fn conclude(
        self,
        farewell: impl Future<Output = Result<(), TrackerError>>,
    ) -> Result<(), TrackerError> {
        match self {
            ToolIds::Fixed(ids) => ids.conclude(farewell).await,
            ToolIds::AsFound(ids) => ids.conclude(farewell).await,
        }
    }
}
