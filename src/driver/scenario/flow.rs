use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::template::Template;

/// What a request kind sends.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    /// Index into the scenario's stages.
    pub(crate) stage: usize,
    /// Values drawn once per flow, by name.
    pub(crate) bind: Vec<(String, Template)>,
    /// Requests in order; the last is the one the kind is about. Empty if the flow is a replay.
    pub(crate) steps: Vec<Step>,
    /// Sends an earlier request of another kind once more.
    pub(crate) replay: Option<Replay>,
    /// Whether another kind replays the last request of this one.
    pub(crate) replayed: bool,
    /// Busy gauge that a flow answered with success is known to leave raised until the clock moves.
    pub(crate) holds: Option<String>,
}

impl Flow {
    /// Every template of it.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let append = self.replay.iter().flat_map(|replay| &replay.append).map(|(_, value)| value);
        let bind = self.bind.iter().map(|(_, value)| value);
        self.steps.iter().flat_map(Step::templates).chain(append).chain(bind)
    }

    /// HTTP requests it sends.
    pub(crate) fn requests(&self) -> u64 {
        self.steps.len().max(1) as u64
    }
}

/// Sends an earlier request of the same cycle once more.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    /// Index of the kind whose request is sent again.
    pub(crate) of: usize,
    /// Text added at the end of headers.
    pub(crate) append: Vec<(HeaderName, Template)>,
    /// What it may be answered with.
    pub(crate) expect: Answers,
}

/// One HTTP request.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) method: Method,
    pub(crate) path: Template,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) body: Option<Payload>,
    pub(crate) sign: Option<Sign>,
    /// The way of a client that misbehaves.
    pub(crate) fault: Option<Fault>,
    pub(crate) expect: Answers,
    /// Name and JSON pointer into the answer.
    pub(crate) remember: Vec<(String, String)>,
}

/// Puts the hex HMAC-SHA256 of the body into a header.
#[derive(Debug, Clone)]
pub(crate) struct Sign {
    pub(crate) header: HeaderName,
    pub(crate) secret: String,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// A text that is filled in anew for each request.
    Text(Template),
    /// Bytes that are sent as they are.
    Bytes(Bytes),
}

impl Payload {
    /// The template, if it is one.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Payload::Text(template) => Some(template),
            Payload::Bytes(_) => None,
        }
    }
}

impl Step {
    /// Every template of it.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let headers = self.headers.iter().map(|(_, value)| value);
        headers.chain([&self.path]).chain(self.body.as_ref().and_then(Payload::template))
    }

    /// Whether the headers of the answer are looked at.
    pub(crate) fn wants_headers(&self) -> bool {
        !self.expect.headers.is_empty()
    }

    /// Whether the body of the answer is looked at.
    pub(crate) fn wants_body(&self) -> bool {
        !self.expect.json.is_empty() || !self.remember.is_empty()
    }

    /// Whether each of its requests is the same.
    pub(crate) fn is_fixed(&self) -> bool {
        self.templates().all(Template::is_fixed)
    }
}

/// The way of a client that misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Closes when half of the body is sent (half of the head where there is no body).
    CloseMidBody,
    /// Sends the whole request and closes a moment later.
    CloseBeforeAnswer,
    /// Sends the request in pieces, with pauses.
    Slow,
    /// Sends half of the request and leaves the connection open until the end of the cycle's stage.
    HalfOpen,
    /// Sends what is no HTTP.
    Nonsense,
}

impl Fault {
    /// The word for it in scenario files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Fault::CloseMidBody => "close-mid-body",
            Fault::CloseBeforeAnswer => "close-before-answer",
            Fault::Slow => "slow",
            Fault::HalfOpen => "half-open",
            Fault::Nonsense => "nonsense",
        }
    }

    /// Whether no answer can come.
    pub(crate) fn has_no_answer(self) -> bool {
        matches!(self, Fault::CloseMidBody | Fault::CloseBeforeAnswer | Fault::HalfOpen)
    }
}

/// What a request may be answered with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answers {
    /// Status codes of success.
    pub(crate) ok: Vec<u16>,
    /// Status codes of an error that is expected.
    pub(crate) error: Vec<u16>,
    /// What a line starts with that means success.
    pub(crate) line: Vec<String>,
    /// What a line starts with that means an error that is expected.
    pub(crate) error_line: Vec<String>,
    /// Header and what its value contains, on success.
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// JSON pointer and the value found there, on success.
    pub(crate) json: Vec<(String, serde_json::Value)>,
    /// Whether the server may close the connection instead of answering.
    pub(crate) closed: bool,
    /// Longest time to the answer.
    pub(crate) within: Option<Duration>,
}

impl Answers {
    /// Whether nothing would be an answer as expected.
    pub(crate) fn allows_nothing(&self) -> bool {
        !self.closed
            && self.ok.is_empty()
            && self.error.is_empty()
            && self.line.is_empty()
            && self.error_line.is_empty()
    }
}

impl std::fmt::Display for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codes = self.ok.iter().chain(&self.error).map(u16::to_string);
        let all: Vec<String> = codes.chain(self.line.iter().chain(&self.error_line).cloned()).collect();
        f.write_str(&all.join(" or "))
    }
}

/// Kinds that need the server in a special state run together in a stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) before: Vec<Action>,
    pub(crate) after: Vec<Action>,
}

/// What is done before or after a stage.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Sends a request that belongs to no kind and is not counted.
    Request(Box<Step>),
    /// Moves a file or folder of the server's data folder aside and puts something in its place that can't be
    /// written to: a folder for a file, a file for a folder.
    Obstruct(String),
    /// Puts something in the place of a file of the data folder that takes no byte: the disk is full there.
    Fill(String),
    /// Puts something in the place of a file or folder of the data folder that nobody may write to.
    Forbid(String),
    /// Puts back what [`Action::Obstruct`], [`Action::Fill`] or [`Action::Forbid`] moved aside.
    Restore(String),
}
