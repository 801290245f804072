use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Outcome, State, Task};
use crate::Id;

/// A line of the queue's file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Record<'a> {
    /// A task, with all that is known of it.
    Task(&'a Task),
    /// What has changed of a task.
    Change {
        id: &'a Id,
        state: State,
        attempts: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<&'a Outcome>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
}

/// [`Record`], as read.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ReadRecord {
    Task(Task),
    Change {
        id: Id,
        state: State,
        attempts: u32,
        #[serde(default)]
        outcome: Option<Outcome>,
        #[serde(default)]
        error: Option<String>,
    },
}

impl Record<'_> {
    pub(super) fn added(task: &Task) -> Record<'_> {
        Record::Task(task)
    }

    pub(super) fn changed(task: &Task) -> Record<'_> {
        Record::Change {
            id: &task.id,
            state: task.state,
            attempts: task.attempts,
            outcome: task.outcome.as_ref(),
            error: task.error.as_deref(),
        }
    }
}

/// Reads the tasks of a queue's file, oldest first, and at most `finished` of those that are finished, the newest. No
/// file means no tasks. A last line that was cut short (the server was killed while it wrote) is left out.
pub(super) fn read(path: &Path, finished: usize) -> io::Result<Vec<Task>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut tasks = BTreeMap::new();
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1_usize.. {
        line.clear();
        lines.read_until(b'\n', &mut line)?;
        let Some(whole) = line.strip_suffix(b"\n") else { break };
        match serde_json::from_slice(whole) {
            Ok(ReadRecord::Task(task)) => {
                tasks.insert(task.id.clone(), task);
            }
            Ok(ReadRecord::Change { id, state, attempts, outcome, error }) => {
                if let Some(task) = tasks.get_mut(&id) {
                    (task.state, task.attempts, task.outcome, task.error) = (state, attempts, outcome, error);
                }
            }
            Err(error) => {
                let why = format!(
                    "line {number} is not a task: {error}; move the file away to start with an empty queue"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
    }
    let done = tasks.values().filter(|task| task.state.is_final()).count();
    let mut surplus = done.saturating_sub(finished);
    let keep = |task: &Task| {
        let dropped = surplus > 0 && task.state.is_final();
        surplus -= usize::from(dropped);
        !dropped
    };
    Ok(tasks.into_values().filter(keep).collect())
}
