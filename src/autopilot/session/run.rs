use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heapsoak_probe::clock;
use tokio_util::sync::CancellationToken;

use super::agent::Agent;
use super::entry::Entry;
use super::message::{EXPIRED, Message, Start};
use super::summary::clip;
use super::tool_ids::ToolIds;
use super::transcript::Transcript;
use super::{SessionError, SessionOutcome, SessionRequest, SessionState, SessionSummary, Sessions};
use crate::Id;
use crate::tracker::TrackerError;

/// One run of a session, ready to begin.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: Id,
    pub(super) request: SessionRequest,
    pub(super) started_unix_ms: u64,
    pub(super) cancel: CancellationToken,
    pub(super) recorder: Recorder,
}

/// Writes a run down.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) transcript: Transcript,
    /// The same in memory, when the history wants it.
    pub(super) kept: Option<Vec<Entry>>,
    /// Tool uses so far.
    pub(super) tools: Arc<AtomicUsize>,
}

/// How a run ended.
#[derive(Debug)]
enum Ending {
    Result(String),
    Failed(String),
    Expired,
    Cancelled,
    TimedOut(Duration),
    NotStarted(io::Error),
    Unwritable(io::Error),
}

impl Run {
    /// Runs the agent to its end, whichever that is, and puts everything away.
    pub(super) async fn carry_out(mut self, sessions: &Sessions) -> Result<SessionOutcome, SessionError> {
        let mut ids = ToolIds::of(&self.id, sessions.shared_tool_ids());
        let ending = self.work(sessions, &mut ids).await;
        sessions.panic_if_asked(&self.request);
        let told = ids.conclude(self.farewell(sessions, &ending)).await;
        self.put_away(sessions, ending, told)
    }

    async fn work(&mut self, sessions: &Sessions, ids: &mut ToolIds) -> Ending {
        let start = Entry::Start {
            at_unix_ms: self.started_unix_ms,
            prompt: self.request.prompt.clone(),
            resumed: self.request.resume.is_some(),
            issue: self.request.issue.clone(),
        };
        if let Err(error) = self.recorder.record(start) {
            return Ending::Unwritable(error);
        }
        let mut agent = match Agent::spawn(sessions.command()) {
            Ok(agent) => agent,
            Err(error) => return Ending::NotStarted(error),
        };
        let cancel = self.cancel.clone();
        let ending = tokio::select! {
            biased;
            () = cancel.cancelled() => Ending::Cancelled,
            ending = self.follow(&mut agent, ids) => ending,
            after = pass(sessions.deadline()) => Ending::TimedOut(after),
        };
        agent.end().await;
        ending
    }

    /// Follows the agent to its last word.
    async fn follow(&mut self, agent: &mut Agent, ids: &mut ToolIds) -> Ending {
        let resume = self.request.resume.as_ref();
        let start = Start { prompt: &self.request.prompt, session: &self.id, resume };
        if let Err(error) = agent.instruct(&start).await {
            return Ending::Failed(error.to_string());
        }
        loop {
            let message = match agent.next().await {
                Ok(Some(message)) => message,
                Ok(None) => return Ending::Failed(agent.last_words().await),
                Err(why) => return Ending::Failed(why),
            };
            let (entry, ending) = self.recorder.translate(message, ids);
            if let Some(entry) = entry
                && let Err(error) = self.recorder.record(entry)
            {
                return Ending::Unwritable(error);
            }
            if let Some(ending) = ending {
                agent.finish().await;
                return ending;
            }
        }
    }

    /// Tells the issue when a session that was to go on has expired: somebody has to begin anew.
    async fn farewell(&self, sessions: &Sessions, ending: &Ending) -> Result<(), TrackerError> {
        match (ending, &self.request) {
            (Ending::Expired, SessionRequest { resume: Some(session), issue: Some(issue), .. }) => {
                let text = format!("Session {session} has expired and could not be resumed.");
                sessions.tracker().comment(issue, &text).await
            }
            _ => Ok(()),
        }
    }

    /// Writes the end down, remembers the session, and says what came of it.
    fn put_away(
        mut self,
        sessions: &Sessions,
        ending: Ending,
        told: Result<(), TrackerError>,
    ) -> Result<SessionOutcome, SessionError> {
        let (state, result, error) = match &ending {
            Ending::Result(result) => (SessionState::Succeeded, Some(clip(result)), None),
            Ending::Failed(why) => (SessionState::Failed, None, Some(clip(why))),
            Ending::NotStarted(error) => (SessionState::Failed, None, Some(error.to_string())),
            Ending::Expired => (SessionState::Expired, None, None),
            Ending::Cancelled => (SessionState::Cancelled, None, None),
            Ending::TimedOut(_) => (SessionState::TimedOut, None, None),
            Ending::Unwritable(_) => (SessionState::Failed, None, None),
        };
        let tools = self.recorder.tools.load(Ordering::Relaxed);
        let summary = SessionSummary {
            id: self.id.clone(),
            state,
            issue: self.request.issue.clone(),
            tools,
            result,
            error,
            started_unix_ms: self.started_unix_ms,
        };
        let ending = match ending {
            Ending::Unwritable(error) => Ending::Unwritable(error),
            ending => match self.recorder.record(Entry::End(summary.clone())) {
                Ok(()) => {
                    sessions.history().remember(summary, self.recorder.kept.take().unwrap_or_default());
                    ending
                }
                Err(error) => Ending::Unwritable(error),
            },
        };
        let id = self.id;
        match ending {
            Ending::Result(result) => Ok(SessionOutcome { id, result, tools }),
            Ending::Failed(why) => Err(SessionError::Agent { id, why }),
            Ending::Expired => Err(SessionError::Expired { id, uncommented: told.err() }),
            Ending::Cancelled => Err(SessionError::Cancelled { id }),
            Ending::TimedOut(after) => Err(SessionError::TimedOut { id, after }),
            Ending::NotStarted(source) => {
                let program = sessions.command().program().to_owned();
                Err(SessionError::Start { id, program, source })
            }
            Ending::Unwritable(source) => {
                let path = sessions.path(&id);
                Err(SessionError::Transcript { id, path, source })
            }
        }
    }
}

impl Recorder {
    fn record(&mut self, entry: Entry) -> io::Result<()> {
        self.transcript.append(&entry, self.tools.load(Ordering::Relaxed))?;
        if let Some(kept) = &mut self.kept {
            kept.push(entry);
        }
        Ok(())
    }

    /// What to write down of a message, and the ending it means.
    fn translate(&self, message: Message, ids: &mut ToolIds) -> (Option<Entry>, Option<Ending>) {
        match message {
            Message::System { session_id } => (Some(Entry::System { session_id }), None),
            Message::Assistant { text } => (Some(Entry::Assistant { text }), None),
            Message::ToolUse { id, name } => {
                self.tools.fetch_add(1, Ordering::Relaxed);
                ids.insert(id.clone(), name.clone());
                (Some(Entry::ToolUse { id, name }), None)
            }
            Message::ToolResult { tool_use_id, text } => {
                let tool = ids.name(&tool_use_id);
                (Some(Entry::ToolResult { tool_use_id, tool, text }), None)
            }
            Message::Result { text } => {
                (Some(Entry::Result { text: text.clone() }), Some(Ending::Result(text)))
            }
            Message::Error { code, message } => {
                let ending = if code == EXPIRED {
                    Ending::Expired
                } else {
                    Ending::Failed(format!("{code}: {message}"))
                };
                (Some(Entry::Error { code, message }), Some(ending))
            }
            Message::Other => (None, None),
        }
    }
}

/// Waits for a deadline on the server's clock; for ever when there is none.
async fn pass(deadline: Option<Duration>) -> Duration {
    match deadline {
        Some(deadline) => {
            clock::sleep(deadline).await;
            deadline
        }
        None => std::future::pending().await,
    }
}
