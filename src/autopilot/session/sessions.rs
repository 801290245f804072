use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::history::History;
use super::run::{Recorder, Run};
use super::running::Running;
use super::tool_ids::as_found::Shared;
use super::transcript::{Transcript, last_summary};
use super::{RUNNING, SESSION, SessionError, SessionOutcome, SessionRequest, SessionSummary};
use crate::process::Tally;
use crate::tracker::Client;
use crate::{CommandLine, Config, Defect, Id};

/// Runs agent sessions.
#[derive(Debug)]
pub struct Sessions {
    folder: PathBuf,
    command: CommandLine,
    tracker: Client,
    /// None when sessions may run for ever.
    deadline: Option<Duration>,
    running: Arc<Running>,
    history: History,
    /// The tool ids of all sessions, as found.
    shared_tool_ids: Option<Shared>,
    rewrite_transcripts: bool,
    fault_hooks: bool,
    stop: CancellationToken,
    under_way: Tally,
}

/// A session that was begun, and the task that runs it.
type Begun = (Id, JoinHandle<Result<SessionOutcome, SessionError>>);

impl Sessions {
    /// Sessions as configured, healthy or as found.
    #[must_use]
    pub fn new(config: &Config, tracker: Client) -> Arc<Sessions> {
        SESSION.scope(|| {
            let found = |defect| config.as_found.has(defect);
            let folder = config.data.join("sessions");
            // As found: nothing ends a session but its agent, and nothing limits how many there are.
            let endless = found(Defect::SessionNeverEnding);
            Arc::new(Sessions {
                command: config.agent_command.clone(),
                tracker,
                deadline: (!endless).then_some(config.session_deadline),
                running: Running::new((!endless).then_some(config.max_sessions)),
                history: if found(Defect::SessionTranscripts) {
                    History::unbounded(&folder)
                } else {
                    History::bounded(config.sessions_kept)
                },
                shared_tool_ids: found(Defect::SessionToolIds).then(Shared::default),
                rewrite_transcripts: found(Defect::SessionTranscriptRewrite),
                fault_hooks: config.fault_hooks,
                folder,
                stop: CancellationToken::new(),
                under_way: Tally::new(),
            })
        })
    }

    /// Panics where a prompt asks for it, if the server was started with fault hooks.
    pub(super) fn panic_if_asked(&self, request: &SessionRequest) {
        let asked = || request.prompt.lines().any(|line| line.trim() == "fault: panic");
        assert!(!(self.fault_hooks && asked()), "the prompt asks for a panic");
    }

    /// Runs a session to its end. The session goes on when the future is dropped.
    ///
    /// # Errors
    ///
    /// See [`SessionError`].
    pub async fn run(self: &Arc<Self>, request: SessionRequest) -> Result<SessionOutcome, SessionError> {
        let (_, session) = self.begin(request)?;
        session.await.unwrap_or_else(|lost| match lost.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the runtime's own end cancels the task.
            Err(_) => Err(SessionError::Stopping),
        })
    }

    /// Begins a session and doesn't wait for its end.
    ///
    /// # Errors
    ///
    /// Those of a session that can't be begun, see [`SessionError`].
    pub fn start(self: &Arc<Self>, request: SessionRequest) -> Result<Id, SessionError> {
        self.begin(request).map(|(id, _)| id)
    }

    /// What is known of a session: a running one, one in memory, or one on disk.
    pub async fn get(&self, id: &Id) -> Option<SessionSummary> {
        if let Some(summary) = self.running.get(id).or_else(|| self.history.get(id)) {
            return Some(summary);
        }
        let path = self.path(id);
        let read = SESSION.scope(|| heapsoak_probe::spawn_blocking(move || last_summary(&path)));
        match read.await {
            Ok(Ok(Some(summary))) => Some(summary),
            // There is a transcript, and the server that wrote it was killed before its end.
            Ok(Ok(None)) => Some(SessionSummary::interrupted(id)),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Cancels a running session; false when there is none of this id. Its end follows soon.
    pub fn cancel(&self, id: &Id) -> bool {
        self.running.cancel(id)
    }

    /// Sessions running.
    #[must_use]
    pub fn count_running(&self) -> usize {
        self.running.len()
    }

    /// Finished sessions in memory.
    #[must_use]
    pub fn count_kept(&self) -> usize {
        self.history.len()
    }

    /// Cancels every session and waits for their ends. No further one is begun.
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.under_way.empty().await;
    }

    fn begin(self: &Arc<Self>, request: SessionRequest) -> Result<Begun, SessionError> {
        SESSION.scope(|| {
            let id = self.name(&request)?;
            let present = self.under_way.enter();
            let place = self.running.take_place(&id, &request, &self.stop)?;
            let transcript = Transcript::open(&self.path(&id), self.rewrite_transcripts)
                .map_err(|error| self.unwritable(&id, error))?;
            let run = Run {
                id: id.clone(),
                request,
                started_unix_ms: place.status.started_unix_ms,
                cancel: place.status.cancel.clone(),
                recorder: Recorder {
                    transcript,
                    kept: self.history.wants_transcripts().then(Vec::new),
                    tools: place.status.tools.clone(),
                },
            };
            let sessions = self.clone();
            let session = heapsoak_probe::spawn(async move {
                let _guards = (RUNNING.hold(), present, place);
                run.carry_out(&sessions).await
            });
            Ok((id, session))
        })
    }

    /// The id of the session a request is about: a new one, or that of a session there is.
    fn name(&self, request: &SessionRequest) -> Result<Id, SessionError> {
        let Some(id) = &request.resume else { return Ok(Id::unique("session")) };
        match std::fs::metadata(self.path(id)) {
            Ok(_) => Ok(id.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SessionError::Unknown { id: id.clone() })
            }
            Err(error) => Err(self.unwritable(id, error)),
        }
    }

    fn unwritable(&self, id: &Id, source: io::Error) -> SessionError {
        SessionError::Transcript { id: id.clone(), path: self.path(id), source }
    }

    pub(super) fn path(&self, id: &Id) -> PathBuf {
        self.folder.join(format!("{id}.jsonl"))
    }

    pub(super) fn command(&self) -> &CommandLine {
        &self.command
    }

    pub(super) fn tracker(&self) -> &Client {
        &self.tracker
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    pub(super) fn shared_tool_ids(&self) -> Option<&Shared> {
        self.shared_tool_ids.as_ref()
    }
}
