use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::duration::parse_duration;
use crate::{CommandLine, Defects};

/// Configuration of the server, by flags and environment.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, env = "AUTOPILOT_LISTEN", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Folder for the queue and the transcripts; created if missing, used by one server at a time
    #[arg(long, env = "AUTOPILOT_DATA", default_value = "autopilot-data")]
    pub data: PathBuf,

    /// Secret shared with the issue tracker; prefer the environment, since flags can be seen by other users
    #[arg(long, env = "AUTOPILOT_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: String,

    /// Base URL of the issue tracker's API, e.g. http://127.0.0.1:8080
    #[arg(long, env = "AUTOPILOT_TRACKER_URL")]
    pub tracker_url: String,

    /// Program that runs an agent session, with its arguments: words, or a JSON array of strings
    #[arg(long, env = "AUTOPILOT_AGENT_COMMAND")]
    pub agent_command: CommandLine,

    /// Program that reviews, with its arguments; the model is added as the last one
    #[arg(long, env = "AUTOPILOT_REVIEWER_COMMAND")]
    pub reviewer_command: CommandLine,

    /// Models asked for a review when the request names none
    #[arg(long, env = "AUTOPILOT_REVIEWER_MODELS", value_delimiter = ',', default_value = "alpha,beta")]
    pub reviewer_models: Vec<String>,

    /// Defects to switch on: names, components, all or none, separated by commas
    #[arg(long, env = "AUTOPILOT_AS_FOUND", default_value = "none")]
    pub as_found: Defects,

    /// Let a session's prompt ask for a panic in the middle of its run (a line `fault: panic`)
    #[arg(long, env = "AUTOPILOT_FAULT_HOOKS", hide = true)]
    pub fault_hooks: bool,

    /// Largest request body, in bytes
    #[arg(long, env = "AUTOPILOT_BODY_LIMIT", default_value_t = 1_048_576)]
    pub body_limit: usize,

    /// How far in the past the timestamp of a webhook may lie, and how long its signature is remembered
    #[arg(long, env = "AUTOPILOT_VERIFIER_WINDOW", default_value = "5m", value_parser = parse_duration)]
    pub verifier_window: Duration,

    /// Signatures remembered at most; webhooks beyond that are refused until older ones expire
    #[arg(long, env = "AUTOPILOT_VERIFIER_CAPACITY", default_value_t = 100_000)]
    pub verifier_capacity: usize,

    /// Namespaces of the catalogue
    #[arg(
        long,
        env = "AUTOPILOT_CACHE_NAMESPACES",
        value_delimiter = ',',
        default_value = "projects,users,labels"
    )]
    pub cache_namespaces: Vec<String>,

    /// Entries kept per namespace
    #[arg(long, env = "AUTOPILOT_CACHE_CAPACITY", default_value = "1000")]
    pub cache_capacity: NonZeroUsize,

    /// How long an entry of the cache is valid
    #[arg(long, env = "AUTOPILOT_CACHE_TTL", default_value = "5m", value_parser = parse_duration)]
    pub cache_ttl: Duration,

    /// Tasks waiting at most; further ones are refused
    #[arg(long, env = "AUTOPILOT_QUEUE_CAPACITY", default_value_t = 1_000)]
    pub queue_capacity: usize,

    /// Tasks run at once
    #[arg(long, env = "AUTOPILOT_WORKERS", default_value = "2")]
    pub workers: NonZeroUsize,

    /// How often a failed task is tried again
    #[arg(long, env = "AUTOPILOT_RETRIES", default_value_t = 2)]
    pub retries: u32,

    /// Pause before the first retry; doubled before each further one
    #[arg(long, env = "AUTOPILOT_RETRY_BACKOFF", default_value = "1s", value_parser = parse_duration)]
    pub retry_backoff: Duration,

    /// Finished tasks that can still be looked up
    #[arg(long, env = "AUTOPILOT_FINISHED_TASKS", default_value_t = 200)]
    pub finished_tasks: usize,

    /// Finished sessions whose summary stays in memory
    #[arg(long, env = "AUTOPILOT_SESSIONS_KEPT", default_value_t = 32)]
    pub sessions_kept: usize,

    /// Sessions running at once; further ones are refused
    #[arg(long, env = "AUTOPILOT_MAX_SESSIONS", default_value_t = 64)]
    pub max_sessions: usize,

    /// After how long a session is ended
    #[arg(long, env = "AUTOPILOT_SESSION_DEADLINE", default_value = "30m", value_parser = parse_duration)]
    pub session_deadline: Duration,

    /// After how long a review is ended
    #[arg(long, env = "AUTOPILOT_REVIEW_TIMEOUT", default_value = "5m", value_parser = parse_duration)]
    pub review_timeout: Duration,

    /// How long work under way may go on once the server is told to stop
    #[arg(long, env = "AUTOPILOT_SHUTDOWN_GRACE", default_value = "2s", value_parser = parse_duration)]
    pub shutdown_grace: Duration,

    /// Stop when stdin closes, so that nothing is left behind when the parent dies
    #[arg(long, env = "AUTOPILOT_EXIT_WITH_STDIN")]
    pub exit_with_stdin: bool,
}

impl Config {
    /// What is wrong with the configuration beyond what the flags' types refuse.
    ///
    /// # Errors
    ///
    /// Names the first setting that can't be used, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.webhook_secret.is_empty() {
            return Err("the webhook secret is empty: set AUTOPILOT_WEBHOOK_SECRET".to_owned());
        }
        if self.verifier_window.is_zero() {
            return Err("--verifier-window is 0: every webhook would be refused".to_owned());
        }
        if self.reviewer_models.iter().any(String::is_empty) {
            return Err("--reviewer-models has an empty name".to_owned());
        }
        for namespace in &self.cache_namespaces {
            if let Err(error) = namespace.parse::<crate::Id>() {
                return Err(format!("--cache-namespaces: {error}"));
            }
        }
        let uri: http::Uri = self
            .tracker_url
            .parse()
            .map_err(|error| format!("--tracker-url '{}' can't be read: {error}", self.tracker_url))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(format!("--tracker-url '{}' is not an http URL with a host", self.tracker_url));
        }
        Ok(())
    }
}
