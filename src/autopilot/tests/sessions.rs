//! Agent sessions through real children: what they answer, and what is left of them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod simulated;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use autopilot::session::{
    KEPT, RUNNING, SessionError, SessionOutcome, SessionRequest, SessionState, Sessions, TOOL_IDS,
};
use autopilot::tracker::Client;
use autopilot::{Config, Id};
use heapsoak_probe::clock;
use simulated::{alone, children, command, config, descriptors, eventually, simulators, tracker};
use tempfile::TempDir;

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

/// Sessions with a data folder and a tracker of their own.
struct Rig {
    folder: TempDir,
    config: Config,
    tracker: Client,
    sessions: Arc<Sessions>,
}

impl Rig {
    async fn new(as_found: &str) -> Rig {
        Rig::configured(as_found, |_| {}).await
    }

    async fn configured(as_found: &str, change: impl FnOnce(&mut Config)) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path(), as_found);
        change(&mut config);
        let tracker = tracker().await;
        let sessions = Sessions::new(&config, tracker.clone());
        Rig { folder, config, tracker, sessions }
    }

    /// The same server after a restart.
    fn restart(&mut self) {
        self.sessions = Sessions::new(&self.config, self.tracker.clone());
    }

    async fn run(&self, directive: &str) -> Result<SessionOutcome, SessionError> {
        self.sessions.run(request(directive)).await
    }

    /// Goes on with a session that ended well.
    async fn resume(&self, directive: &str, issue: &str) -> Result<SessionOutcome, SessionError> {
        let session = self.run("tools=1").await.unwrap().id;
        let issue = Some(issue.parse().unwrap());
        self.sessions.run(SessionRequest { resume: Some(session), issue, ..request(directive) }).await
    }

    fn transcript(&self, id: &Id) -> String {
        fs::read_to_string(self.folder.path().join(format!("sessions/{id}.jsonl"))).unwrap()
    }

    async fn state(&self, id: &Id) -> Option<SessionState> {
        self.sessions.get(id).await.map(|summary| summary.state)
    }

    /// Begins a session that never ends, and lets its agent fall silent.
    async fn begin_endless(&self) -> Id {
        let id = self.sessions.start(request("tools=4 end=hang")).unwrap();
        let mut lines = 0;
        eventually("the agent falls silent", || {
            lines = self.transcript(&id).matches("tool_use\"").count();
            lines >= 2
        })
        .await;
        id
    }

    async fn is_at_rest(&self) {
        eventually("the agents are gone", || {
            simulators().is_empty()
                && children() == 0
                && RUNNING.get() == 0
                && self.sessions.count_running() == 0
        })
        .await;
    }
}

fn request(directive: &str) -> SessionRequest {
    let prompt = format!("Mend the roof\nsimulate: {directive}\nIt rains in.");
    SessionRequest { prompt, resume: None, issue: None }
}

#[test]
fn a_session_ends_with_the_agents_result() {
    alone(async {
        let rig = Rig::new("none").await;
        let outcome = rig.run("tools=5 text=400").await.unwrap();
        assert_eq!((outcome.result.as_str(), outcome.tools), ("done with 5 tools", 5));
        let summary = rig.sessions.get(&outcome.id).await.unwrap();
        assert_eq!((summary.state, summary.tools), (SessionState::Succeeded, 5));
        assert_eq!(summary.result.as_deref(), Some("done with 5 tools"));
        rig.is_at_rest().await;
    });
}

#[test]
fn a_transcript_names_the_tool_of_every_result() {
    alone(async {
        for as_found in ["none", "session"] {
            let rig = Rig::new(as_found).await;
            let id = rig.run("tools=6").await.unwrap().id;
            let transcript = rig.transcript(&id);
            let entries: Vec<serde_json::Value> =
                transcript.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let types: Vec<_> = entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
            assert_eq!(types[..3], ["start", "system", "assistant"]);
            assert_eq!(types[types.len() - 2..], ["result", "end"]);
            let results: Vec<_> = entries.iter().filter(|entry| entry["type"] == "tool_result").collect();
            assert_eq!(results.len(), 6);
            assert!(results.iter().all(|entry| entry["tool"].is_string()), "{as_found}: {transcript}");
        }
    });
}

#[test]
fn an_agents_error_is_passed_on() {
    alone(async {
        let rig = Rig::new("none").await;
        let error = rig.run("tools=4 end=error").await.unwrap_err();
        assert_eq!(error.to_string(), "the agent failed: overloaded: the model is overloaded");
        assert_eq!(rig.state(error.id().unwrap()).await, Some(SessionState::Failed));
        rig.is_at_rest().await;
    });
}

#[test]
fn an_agent_that_crashes_is_an_error() {
    alone(async {
        let error = Rig::new("none").await.run("tools=4 end=crash").await.unwrap_err();
        assert_eq!(error.to_string(), "the agent failed: it ended with exit status: 3 and without a result");
    });
}

#[test]
fn an_agent_that_speaks_no_json_is_an_error() {
    alone(async {
        let rig = Rig::configured("none", |config| config.agent_command = command("echo hello")).await;
        let error = rig.run("").await.unwrap_err();
        assert!(error.to_string().contains("a line that is no message"), "{error}");
        rig.is_at_rest().await;
    });
}

#[test]
fn an_agent_that_cannot_be_started_is_an_error() {
    alone(async {
        let rig = Rig::configured("none", |config| config.agent_command = command("/nowhere/agent")).await;
        let error = rig.run("").await.unwrap_err();
        assert!(error.to_string().starts_with("can't start agent '/nowhere/agent'"), "{error}");
        assert_eq!((RUNNING.get(), rig.sessions.count_running()), (0, 0));
    });
}

#[test]
fn a_resumed_session_goes_on_in_its_transcript() {
    alone(async {
        for as_found in ["none", "session"] {
            let rig = Rig::new(as_found).await;
            let outcome = rig.resume("tools=2", "ISSUE-1").await.unwrap();
            let transcript = rig.transcript(&outcome.id);
            assert_eq!(transcript.matches("{\"type\":\"start\"").count(), 2, "{as_found}");
            assert_eq!(transcript.matches("{\"type\":\"end\"").count(), 2, "{as_found}");
        }
    });
}

#[test]
fn a_session_nobody_knows_is_not_resumed() {
    alone(async {
        let rig = Rig::new("none").await;
        let resume = Some("session-unknown".parse().unwrap());
        let error = rig.sessions.run(SessionRequest { resume, ..request("") }).await.unwrap_err();
        assert!(matches!(error, SessionError::Unknown { .. }), "{error}");
        assert_eq!(rig.sessions.get(&"session-unknown".parse().unwrap()).await, None);
    });
}

#[test]
fn a_running_session_is_not_resumed() {
    alone(async {
        let rig = Rig::new("none").await;
        let id = rig.begin_endless().await;
        let error = rig.sessions.run(SessionRequest { resume: Some(id.clone()), ..request("") }).await;
        assert!(matches!(error, Err(SessionError::Busy { .. })), "{error:?}");
        assert!(rig.sessions.cancel(&id));
        rig.is_at_rest().await;
    });
}

#[test]
fn an_expired_session_is_reported_to_its_issue() {
    alone(async {
        let rig = Rig::new("none").await;
        let error = rig.resume("tools=4 end=expired", "ISSUE-1").await.unwrap_err();
        assert!(matches!(error, SessionError::Expired { uncommented: None, .. }), "{error}");
        assert_eq!(rig.state(error.id().unwrap()).await, Some(SessionState::Expired));
        let error = rig.resume("tools=4 end=expired", "FAIL-1").await.unwrap_err();
        assert!(matches!(error, SessionError::Expired { uncommented: Some(_), .. }), "{error}");
        assert!(error.to_string().contains("the tracker answered 500"), "{error}");
        assert_eq!(rig.state(error.id().unwrap()).await, Some(SessionState::Expired));
    });
}

/// Every way a session can end, but the one on which tool ids are left as found.
async fn walk_every_other_path(rig: &Rig) {
    rig.run("tools=5").await.unwrap();
    rig.resume("tools=5", "ISSUE-1").await.unwrap();
    for end in ["error", "crash", "expired"] {
        rig.run(&format!("tools=5 end={end}")).await.unwrap_err();
        rig.resume(&format!("tools=5 end={end}"), "ISSUE-1").await.unwrap_err();
    }
    rig.run("tools=5 end=expired").await.unwrap_err();
    rig.resume("tools=0 end=expired", "FAIL-1").await.unwrap_err();
    rig.resume("tools=5 end=error", "FAIL-1").await.unwrap_err();
    let id = rig.begin_endless().await;
    assert!(TOOL_IDS.get() > 0);
    assert!(rig.sessions.cancel(&id));
    rig.is_at_rest().await;
    rig.begin_endless().await;
    clock::advance(HALF_AN_HOUR);
    rig.is_at_rest().await;
}

#[test]
fn no_path_leaves_tool_ids_behind() {
    alone(async {
        let rig = Rig::new("none").await;
        walk_every_other_path(&rig).await;
        rig.resume("tools=5 end=expired", "FAIL-1").await.unwrap_err();
        assert_eq!(TOOL_IDS.get(), 0);
    });
}

#[test]
fn as_found_exactly_one_path_leaves_tool_ids_behind() {
    alone(async {
        let rig = Rig::new("session.tool-ids").await;
        walk_every_other_path(&rig).await;
        assert_eq!(TOOL_IDS.get(), 0);
        for times in 1..=3 {
            let error = rig.resume("tools=5 end=expired", "FAIL-1").await.unwrap_err();
            assert!(matches!(error, SessionError::Expired { uncommented: Some(_), .. }), "{error}");
            // Half of five tools, rounded up.
            assert_eq!(TOOL_IDS.get(), 3 * times);
        }
        TOOL_IDS.set(0);
    });
}

#[test]
fn a_cancelled_session_leaves_nothing_but_its_transcript() {
    alone(async {
        let rig = Rig::new("none").await;
        rig.run("tools=1").await.unwrap();
        rig.is_at_rest().await;
        let before = descriptors();
        let id = rig.begin_endless().await;
        assert_eq!(rig.state(&id).await, Some(SessionState::Running));
        assert!(rig.sessions.cancel(&id));
        rig.is_at_rest().await;
        assert_eq!(rig.state(&id).await, Some(SessionState::Cancelled));
        assert!(!rig.sessions.cancel(&id), "it is over");
        eventually("its descriptors are closed", || descriptors() == before).await;
    });
}

#[test]
fn a_session_ends_at_its_deadline() {
    alone(async {
        let rig = Rig::new("none").await;
        let id = rig.begin_endless().await;
        clock::advance(HALF_AN_HOUR);
        rig.is_at_rest().await;
        assert_eq!(rig.state(&id).await, Some(SessionState::TimedOut));
    });
}

#[test]
fn as_found_a_session_may_run_for_ever() {
    alone(async {
        let rig = Rig::configured("session.never-ending", |config| config.max_sessions = 1).await;
        let ids = [rig.begin_endless().await, rig.begin_endless().await];
        clock::advance(HALF_AN_HOUR * 100);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!((rig.sessions.count_running(), RUNNING.get(), simulators().len()), (2, 2, 2));
        assert!(ids.iter().all(|id| rig.sessions.cancel(id)));
        rig.is_at_rest().await;
    });
}

#[test]
fn sessions_beyond_the_limit_are_refused() {
    alone(async {
        let rig = Rig::configured("none", |config| config.max_sessions = 1).await;
        let id = rig.begin_endless().await;
        assert!(matches!(rig.run("").await, Err(SessionError::TooMany { limit: 1 })));
        rig.sessions.cancel(&id);
        rig.is_at_rest().await;
        rig.run("").await.unwrap();
    });
}

#[test]
fn a_stop_ends_the_sessions_and_refuses_further_ones() {
    alone(async {
        let rig = Rig::new("none").await;
        let id = rig.begin_endless().await;
        rig.sessions.shut_down().await;
        rig.is_at_rest().await;
        assert_eq!(rig.state(&id).await, Some(SessionState::Cancelled));
        assert!(matches!(rig.run("").await, Err(SessionError::Stopping)));
    });
}

#[test]
fn a_session_goes_on_when_nobody_waits_for_it_any_more() {
    alone(async {
        let rig = Rig::new("none").await;
        let sessions = rig.sessions.clone();
        let waiting = tokio::spawn(async move { sessions.run(request("tools=2 end=hang")).await });
        eventually("the session runs", || rig.sessions.count_running() == 1).await;
        waiting.abort();
        let _ = waiting.await;
        assert_eq!(rig.sessions.count_running(), 1);
        rig.sessions.shut_down().await;
        rig.is_at_rest().await;
    });
}

#[test]
fn a_failing_disk_is_a_clear_error_and_nothing_is_kept() {
    alone(async {
        for as_found in ["none", "session"] {
            let rig = Rig::new(as_found).await;
            let id = rig.run("tools=1").await.unwrap().id;
            let kept = rig.sessions.count_kept();
            let (folder, aside) = (rig.folder.path().join("sessions"), rig.folder.path().join("aside"));
            fs::rename(&folder, &aside).unwrap();
            fs::write(&folder, "in the way").unwrap();
            for resume in [None, Some(id.clone())] {
                let error = rig.sessions.run(SessionRequest { resume, ..request("") }).await.unwrap_err();
                let text = error.to_string();
                assert!(text.starts_with("can't write the transcript") && text.contains(".jsonl"), "{text}");
            }
            assert_eq!((rig.sessions.count_kept(), rig.sessions.count_running()), (kept, 0));
            assert_eq!(simulators().len(), 0);
            fs::remove_file(&folder).unwrap();
            fs::rename(&aside, &folder).unwrap();
            rig.run("tools=1").await.unwrap();
        }
    });
}

#[test]
fn a_bounded_number_of_sessions_stays_in_memory_and_the_rest_on_disk() {
    alone(async {
        let mut rig = Rig::configured("none", |config| config.sessions_kept = 4).await;
        let before = KEPT.get();
        let first = rig.run("tools=1").await.unwrap().id;
        for _ in 0..6 {
            rig.run("tools=0").await.unwrap();
        }
        assert_eq!((rig.sessions.count_kept(), KEPT.get() - before), (4, 4));
        assert_eq!(rig.state(&first).await, Some(SessionState::Succeeded));
        rig.restart();
        assert_eq!(rig.sessions.count_kept(), 0);
        assert_eq!(rig.sessions.get(&first).await.unwrap().tools, 1);
    });
}

#[test]
fn a_session_that_was_cut_off_is_known_as_interrupted() {
    alone(async {
        let rig = Rig::new("none").await;
        let id = rig.run("tools=1").await.unwrap().id;
        let transcript = rig.transcript(&id);
        let cut = &transcript[..transcript.len() / 2];
        fs::write(rig.folder.path().join("sessions/session-cut.jsonl"), cut).unwrap();
        assert_eq!(rig.state(&"session-cut".parse().unwrap()).await, Some(SessionState::Interrupted));
    });
}

#[test]
fn as_found_every_session_stays_in_memory_and_is_loaded_again() {
    alone(async {
        let mut rig = Rig::configured("session.transcripts", |config| config.sessions_kept = 4).await;
        for _ in 0..6 {
            rig.run("tools=0").await.unwrap();
        }
        rig.run("tools=1 end=error").await.unwrap_err();
        assert_eq!(rig.sessions.count_kept(), 7);
        rig.restart();
        assert_eq!(rig.sessions.count_kept(), 7);
    });
}
