use std::collections::HashMap;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use prost::Message;

use super::{Profile, no_stacks};
use crate::{RenderError, Rendered, Renderer, Run};

/// Survivors, and all that was ever allocated, in the format of pprof: gzipped protobuf, as `go tool pprof` opens it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pprof {
    /// Whether frames of std, the allocator and the probe are shown.
    pub all_frames: bool,
}

impl Renderer for Pprof {
    fn name(&self) -> &'static str {
        "pprof"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        let profile = Profile::of(run.recording, self.all_frames).ok_or_else(|| no_stacks(self.name()))?;
        let encoded = encode(&profile, run).encode_to_vec();
        // No name and no time in the header: the same run gives the same bytes.
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
        let packed = gzip.write_all(&encoded).and_then(|()| gzip.finish());
        let contents =
            packed.map_err(|error| RenderError::Format { format: "pprof", why: error.to_string() })?;
        Ok(vec![Rendered::new("heap.pb.gz", contents)])
    }
}

/// The values of a sample, in the order of Go's own heap profiles: what is in use is shown when nothing is asked for.
const VALUES: [(&str, &str); 4] = [
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
];

fn encode(profile: &Profile<'_>, run: &Run<'_>) -> File {
    let mut table = Table::default();
    let value_types = VALUES.map(|(kind, unit)| ValueType { kind: table.text(kind), unit: table.text(unit) });
    let samples = profile.samples.iter().map(|sample| {
        let labels = [("component", Some(sample.component())), ("kind", sample.kind())];
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        SampleMessage {
            location_ids: sample
                .frames
                .iter()
                .rev()
                .map(|symbol| table.location(&symbol.function, symbol.file.as_deref(), symbol.line))
                .collect(),
            values: vec![
                number(sample.allocated.blocks),
                number(sample.allocated.bytes),
                number(sample.live.blocks),
                number(sample.live.bytes),
            ],
            labels: labels
                .into_iter()
                .filter_map(|(key, value)| Some(Label { key: table.text(key), text: table.text(value?) }))
                .collect(),
        }
    });
    let samples = samples.collect();
    let header = &run.recording.header;
    let elapsed = run.recording.end.as_ref().map_or(0, |end| end.elapsed_ms);
    let comments = vec![
        table.text(&format!("heapsoak {}: {}", header.tool_version, header.scenario)),
        table.text(&crate::phrases::reproduce(run)),
    ];
    let default_kind = table.text("inuse_space");
    let nanoseconds = |ms: u64| i64::try_from(ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
    File {
        value_types: value_types.to_vec(),
        samples,
        locations: table.locations,
        functions: table.functions,
        strings: table.strings,
        time_nanos: nanoseconds(header.started_unix_ms),
        duration_nanos: nanoseconds(elapsed),
        comments,
        default_kind,
    }
}

/// Strings, functions and locations, each once. Number 0 means none, so the first string is empty.
struct Table {
    strings: Vec<String>,
    texts: HashMap<String, i64>,
    functions: Vec<Function>,
    known: HashMap<(String, Option<String>), u64>,
    locations: Vec<Location>,
    places: HashMap<(u64, i64), u64>,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            strings: vec![String::new()],
            texts: HashMap::from([(String::new(), 0)]),
            functions: Vec::new(),
            known: HashMap::new(),
            locations: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl Table {
    fn text(&mut self, text: &str) -> i64 {
        if let Some(index) = self.texts.get(text) {
            return *index;
        }
        let index = self.strings.len() as i64;
        self.strings.push(text.to_owned());
        self.texts.insert(text.to_owned(), index);
        index
    }

    /// An inlined function is a location of its own: it was folded out of its caller before.
    fn location(&mut self, function: &str, file: Option<&str>, line: Option<u32>) -> u64 {
        let key = (function.to_owned(), file.map(str::to_owned));
        let function_id = if let Some(id) = self.known.get(&key) {
            *id
        } else {
            let id = self.functions.len() as u64 + 1;
            let (name, file) = (self.text(function), self.text(file.unwrap_or_default()));
            // Without a mangled name, pprof takes the name as it is: it would read `<T as Trait>` as a C++ template.
            self.functions.push(Function { id, name, system_name: 0, file });
            self.known.insert(key, id);
            id
        };
        let line = line.map_or(0, i64::from);
        let next = self.locations.len() as u64 + 1;
        *self.places.entry((function_id, line)).or_insert_with(|| {
            self.locations.push(Location { id: next, lines: vec![Line { function_id, line }] });
            next
        })
    }
}

// The messages of pprof's profile.proto, as far as they are written here; the tags are those of the format.

#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(message, repeated, tag = "1")]
    value_types: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<SampleMessage>,
    #[prost(message, repeated, tag = "4")]
    locations: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    functions: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    strings: Vec<String>,
    #[prost(int64, tag = "9")]
    time_nanos: i64,
    #[prost(int64, tag = "10")]
    duration_nanos: i64,
    #[prost(int64, repeated, tag = "13")]
    comments: Vec<i64>,
    #[prost(int64, tag = "14")]
    default_kind: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, Message)]
struct SampleMessage {
    #[prost(uint64, repeated, tag = "1")]
    location_ids: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    values: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    labels: Vec<Label>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "2")]
    text: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    lines: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
    #[prost(int64, tag = "4")]
    file: i64,
}
