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
        let contents = pack(&profile, &About::of(run))?;
        Ok(vec![Rendered::new("heap.pb.gz", contents)])
    }
}

/// What a profile says of itself.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) comments: Vec<String>,
    pub(super) started_unix_ms: u64,
    pub(super) elapsed_ms: u64,
}

impl About {
    fn of(run: &Run<'_>) -> About {
        let header = &run.recording.header;
        About {
            comments: vec![
                format!("heapsoak {}: {}", header.tool_version, header.scenario),
                crate::phrases::reproduce(run),
            ],
            started_unix_ms: header.started_unix_ms,
            elapsed_ms: run.recording.end.as_ref().map_or(0, |end| end.elapsed_ms),
        }
    }
}

/// Encodes a profile. No name and no time in the header of gzip: the same profile gives the same bytes.
pub(super) fn pack(profile: &Profile<'_>, about: &About) -> Result<Vec<u8>, RenderError> {
    let encoded = encode(profile, about).encode_to_vec();
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    let packed = gzip.write_all(&encoded).and_then(|()| gzip.finish());
    packed.map_err(|error| RenderError::Format { format: "pprof", why: error.to_string() })
}

/// The values of a sample, in the order of Go's own heap profiles: what is in use is shown when nothing is asked for.
const VALUES: [(&str, &str); 4] = [
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
];

fn encode(profile: &Profile<'_>, about: &About) -> File {
    let mut table = Table::default();
    // A profile that did not count what was ever allocated does not say that it was nothing.
    let first = if profile.samples.iter().any(|sample| sample.allocated.blocks > 0) { 0 } else { 2 };
    let value_types = VALUES[first..]
        .iter()
        .map(|(kind, unit)| ValueType { kind: table.text(kind), unit: table.text(unit) })
        .collect();
    let samples = profile.samples.iter().map(|sample| {
        let labels = [("component", sample.charged()), ("kind", sample.kind())];
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        SampleMessage {
            location_ids: sample
                .frames
                .iter()
                .rev()
                .map(|symbol| table.location(&symbol.function, symbol.file.as_deref(), symbol.line))
                .collect(),
            values: [
                number(sample.allocated.blocks),
                number(sample.allocated.bytes),
                number(sample.live.blocks),
                number(sample.live.bytes),
            ][first..]
                .to_vec(),
            labels: labels
                .into_iter()
                .filter_map(|(key, value)| Some(Label { key: table.text(key), text: table.text(value?) }))
                .collect(),
        }
    });
    let samples = samples.collect();
    let comments = about.comments.iter().map(|comment| table.text(comment)).collect();
    let default_kind = table.text("inuse_space");
    let nanoseconds = |ms: u64| i64::try_from(ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
    File {
        value_types,
        samples,
        locations: table.locations,
        functions: table.functions,
        strings: table.strings,
        time_nanos: nanoseconds(about.started_unix_ms),
        duration_nanos: nanoseconds(about.elapsed_ms),
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::convert_jemalloc;
    use super::*;

    #[inline(never)]
    fn kept_here() -> u64 {
        kept_here as *const () as u64
    }

    #[test]
    fn a_profile_of_jemalloc_says_the_same_when_it_is_decoded() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let here = kept_here() + 1;
        let text = format!(
            "heap_v2/524288\n  t*: 3: 33554440 [0: 0]\n  t0: 3: 33554440 [0: 0]\n@ {here:#x} 0x2\n  t*: 2: 33554432 [0: 0]\n\
             \x20 t0: 2: 33554432 [0: 0]\n@ 0x2\n  t*: 1: 8 [0: 0]\n\nMAPPED_LIBRARIES:\n{maps}"
        );
        let packed = convert_jemalloc(&text, true).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        let file = File::decode(bytes.as_slice()).unwrap();
        let text = |index: i64| file.strings[usize::try_from(index).unwrap()].as_str();
        let kinds: Vec<&str> = file.value_types.iter().map(|value| text(value.kind)).collect();
        assert_eq!(kinds, ["inuse_objects", "inuse_space"], "what was ever allocated is not in it");
        assert_eq!(file.samples.len(), 2);
        assert_eq!(file.samples[0].values, [2, 33_554_432]);
        assert!(file.samples[1].values[1] > 500_000, "a small one stands for many: {:?}", file.samples[1]);
        let innermost = &file.locations[usize::try_from(file.samples[0].location_ids[0]).unwrap() - 1];
        let function = &file.functions[usize::try_from(innermost.lines[0].function_id).unwrap() - 1];
        assert!(text(function.name).ends_with("pprof::tests::kept_here"), "{}", text(function.name));
        assert!(text(function.file).ends_with("src/report/profile/pprof.rs") && innermost.lines[0].line > 0);
        assert!(file.samples[0].labels.is_empty(), "jemalloc knows of no component");
    }
}
