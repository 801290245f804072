//! What stands in scenario files, field by field. Everything is optional that an included file may give.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use heapsoak_record::Budgets;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Spanned;

use super::ClockSource;
use super::duration::Millis;
use super::expect::Expect;
use super::flow::Fault;
use super::phase::PhaseFile;
use super::target::TargetFile;
use crate::template::Template;

/// A scenario file, or a file it includes (which has only kinds, stages and includes).
#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ScenarioFile {
    /// Version of the language: 1.
    #[schemars(with = "u32")]
    pub(super) version: Spanned<u32>,
    /// One sentence on what the scenario exercises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// Seed of every random choice; 1 by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
    /// Files whose kinds and stages are taken over, relative to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub(super) include: Vec<Spanned<String>>,
    /// The server under test; the built-in one by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TargetFile>")]
    pub(super) target: Option<Spanned<TargetFile>>,
    /// How much is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<LoadFile>")]
    pub(super) load: Option<Spanned<LoadFile>>,
    /// When the server's clock is advanced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) clock: Option<ClockFile>,
    /// When the server is stopped and started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restart: Option<RestartFile>,
    /// What is done once, before the first cycle, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<PhaseFile>")]
    pub(super) warm_up: Vec<Spanned<PhaseFile>>,
    /// What each cycle consists of, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<PhaseFile>")]
    pub(super) phase: Vec<Spanned<PhaseFile>>,
    /// How often each kind is sent, beside the others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, f64>")]
    pub(super) weights: BTreeMap<Spanned<String>, Spanned<f64>>,
    /// Kinds that need the server in a special state, by the name of the state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, StageFile>")]
    pub(super) stage: BTreeMap<Spanned<String>, StageFile>,
    /// Request kinds by name: component.what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, KindFile>")]
    pub(super) kind: BTreeMap<Spanned<String>, KindFile>,
    /// What somebody said before it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) claim: Vec<ClaimFile>,
    /// What should be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Expect>")]
    pub(super) expect: Option<Spanned<Expect>>,
    /// What the server may cost, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub(super) budget: Option<Spanned<Budgets>>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LoadFile {
    /// Cycles: requests, rest, a look at what the server holds.
    #[schemars(with = "u32")]
    pub(super) cycles: Spanned<u32>,
    /// Up to how many cycles an undecided run goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>")]
    pub(super) max_cycles: Option<Spanned<u32>>,
    /// Requests in a cycle.
    #[schemars(with = "u64")]
    pub(super) requests_per_cycle: Spanned<u64>,
    /// Requests in flight at once; 4 by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>")]
    pub(super) concurrency: Option<Spanned<u32>>,
    /// Whether a connection carries more than one request: it does, unless this is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) keep_alive: Option<bool>,
    /// Requests begun in a second, whether or not those before are answered (an open loop). Without it, the next begins when
    /// one is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub(super) rate: Option<Spanned<f64>>,
    /// How requests that begin at a rate (this one, or that of a phase) are spread over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Spread>")]
    pub(super) arrivals: Option<Spanned<Spread>>,
    /// Connections that the requests in flight share, with HTTP/2: 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>")]
    pub(super) http2_connections: Option<Spanned<u32>>,
}

/// How arrivals are spread over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// The same time between any two.
    #[default]
    Constant,
    /// At random and independent of each other, as from many clients.
    Poisson,
}

#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ClockFile {
    /// By how much the clock is advanced.
    #[schemars(with = "Millis")]
    pub(super) advance: Spanned<Millis>,
    /// At the end of every so many cycles; of each by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>")]
    pub(super) every: Option<Spanned<u32>>,
    /// Who has the server believe in the advance.
    #[serde(default, skip_serializing_if = "ClockSource::is_probe")]
    pub(super) source: ClockSource,
    /// File of libfaketime, where it is not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) library: Option<PathBuf>,
}

/// Stops the server and starts it again, with its data as it is.
#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RestartFile {
    /// At the end of every so many cycles, but for the last.
    #[schemars(with = "u32")]
    pub(super) every: Spanned<u32>,
    /// Whether it is killed, instead of being asked to end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) kill: bool,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StageFile {
    /// Steps before the kinds of the stage are sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<ActionFile>")]
    pub(super) before: Vec<Spanned<ActionFile>>,
    /// Steps after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<ActionFile>")]
    pub(super) after: Vec<Spanned<ActionFile>>,
}

/// A step before or after a stage: a request, or something done to a file of the server's data folder.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ActionFile {
    /// Method of the request; POST by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<Method>,
    /// Path of a request that belongs to no kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<Template>,
    /// Body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
    /// File the body comes from, relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) body_file: Option<Spanned<String>>,
    /// Bytes of the body, as hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body_hex: Option<HexBody>,
    /// Which answers are right; 200, 202 and 204 by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expect: Option<AnswersFile>,
    /// File or folder of the data folder that something is put in the way of, so that it can't be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) obstruct: Option<String>,
    /// File of the data folder where the disk is to be full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fill: Option<String>,
    /// File or folder of the data folder that nobody may write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) forbid: Option<String>,
    /// File or folder of the data folder that is put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restore: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct KindFile {
    /// Stage the kind belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) stage: Option<Spanned<String>>,
    /// Gauge that a success leaves raised until the clock moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) holds: Option<String>,
    /// Kind whose last request is sent once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) replay_of: Option<Spanned<String>>,
    /// Text added to headers of what is sent once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) append: Option<BTreeMap<HeaderName, Template>>,
    /// Values drawn once per flow, by name: {{$name}}.
    #[serde(default, rename = "let", skip_serializing_if = "Option::is_none")]
    pub(super) bind: Option<BTreeMap<String, Template>>,
    /// Requests sent first, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) setup: Option<Vec<StepFile>>,
    /// Method; GET by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<Method>,
    /// Path and query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<Template>,
    /// Headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) headers: Option<BTreeMap<HeaderName, Template>>,
    /// Body: a text, or a table that is sent as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
    /// File the body comes from, relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) body_file: Option<Spanned<String>>,
    /// Bytes of the body, as hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body_hex: Option<HexBody>,
    /// A line, for servers that are spoken to in lines; in place of method and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) send: Option<Template>,
    /// The way of a client that misbehaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Fault>,
    /// Signs the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sign: Option<SignFile>,
    /// Which answers are right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expect: Option<AnswersFile>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StepFile {
    /// Method.
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: Template,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<HeaderName, Template>,
    /// Body: a text, or a table that is sent as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
    /// File the body comes from, relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) body_file: Option<Spanned<String>>,
    /// Bytes of the body, as hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body_hex: Option<HexBody>,
    /// Signs the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sign: Option<SignFile>,
    /// Which answers are right.
    pub(super) expect: AnswersFile,
    /// Name to JSON pointer into the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) remember: BTreeMap<String, String>,
}

/// Signs the body: hex HMAC-SHA256 in a header.
#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SignFile {
    /// Header that the signature is put into.
    pub(super) header: HeaderName,
    /// Secret it is made with; the target's by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
}

/// What a request may be answered with.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AnswersFile {
    /// Status codes of success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ok: Vec<u16>,
    /// Status codes of an error that is expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) error: Vec<u16>,
    /// What the line of a success starts with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) line: Vec<String>,
    /// What the line of an expected error starts with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) error_line: Vec<String>,
    /// Header to what its value contains.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) header: BTreeMap<HeaderName, String>,
    /// JSON pointer to the value found there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) json: BTreeMap<String, serde_json::Value>,
    /// Longest time to the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within: Option<Millis>,
    /// Whether the server may close the connection instead of answering.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) closed: bool,
}

#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ClaimFile {
    /// Component it is about.
    pub(super) component: String,
    /// The claim in words.
    pub(super) says: String,
    /// Growth claimed.
    pub(super) bytes_per_1000_requests: u64,
    /// Whether the growth was claimed to go on for ever.
    pub(super) unbounded: bool,
}

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Name of an HTTP header, checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HeaderName(pub(super) String);

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HeaderName, D::Error> {
        let name = String::deserialize(deserializer)?;
        match http::HeaderName::try_from(&name) {
            Ok(valid) => Ok(HeaderName(valid.as_str().to_owned())),
            Err(_) => {
                Err(serde::de::Error::custom(format_args!("'{name}' can't be the name of an HTTP header")))
            }
        }
    }
}

impl Serialize for HeaderName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Body of a request: a text, or a table that is sent as JSON. Either may hold template parts.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Body(pub(super) Template);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Body, D::Error> {
        struct BodyVisitor;

        impl<'de> Visitor<'de> for BodyVisitor {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a table")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Body, E> {
                text.parse().map(Body).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Body, A::Error> {
                let table = serde_json::Value::deserialize(MapAccessDeserializer::new(map))?;
                self.visit_str(&table.to_string())
            }
        }

        deserializer.deserialize_any(BodyVisitor)
    }
}

/// Bytes of a body, written as hex digits and sent as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HexBody(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for HexBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HexBody, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map(HexBody).map_err(serde::de::Error::custom)
    }
}

impl Serialize for HexBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

/// `"none"`, one name, or a list of names.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Names(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct NamesVisitor;

        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\", \"all\", or a list of defects")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(if name == "none" { Vec::new() } else { vec![name.to_owned()] }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_any(NamesVisitor)
    }
}
