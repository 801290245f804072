//! The draft as the text of a scenario file.

use std::fmt::Write as _;

use toml::Value;

use super::{Draft, DraftKind, DraftStep};

/// Where a server is looked for that the source says nothing of.
const ANYWHERE: &str = "http://127.0.0.1:8080";

/// Requests each kind gets in a cycle, on average.
const EACH: u64 = 40;

impl Draft {
    /// Writes it. `source` is the name of the file it was drafted from.
    pub(super) fn write(&self, source: &str) -> String {
        let mut text = String::new();
        let mut line = |words: &str| {
            text.push_str(words);
            text.push('\n');
        };
        line("#:schema scenario.schema.json");
        line(&format!(
            "# Drafted from {}. The schema: heapsoak schema scenario > scenario.schema.json",
            one_line(source)
        ));
        line("# A draft: look through what is sent, and narrow what it may be answered with.");
        for note in &self.notes {
            line(&format!("# {}", one_line(note)));
        }
        line("version = 1");
        line(&format!("description = {}", quote(&one_line(&self.title))));
        line("seed = 1");
        line("");
        line("# The server: whoever listens at the address. With the probe in it, have it started instead:");
        line("# command = \"target/release/my-server --port {port}\"");
        line("[target]");
        line(&format!("url = {}", quote(self.url.as_deref().unwrap_or(ANYWHERE))));
        line("");
        line(
            "# A cycle ends with a look at what the server still holds; a verdict wants twenty of them or more.",
        );
        line("[load]");
        line("cycles = 20");
        line("max-cycles = 40");
        line(&format!("requests-per-cycle = {}", (EACH * self.kinds.len() as u64).clamp(100, 1000)));
        line("concurrency = 4");
        line("");
        line("# How often each kind of request is sent, beside the others.");
        line("[weights]");
        for kind in &self.kinds {
            line(&format!("{} = {}", quote(&kind.name), kind.weight));
        }
        for kind in &self.kinds {
            kind.write(&mut text);
        }
        text
    }
}

impl DraftKind {
    fn write(&self, text: &mut String) {
        text.push('\n');
        for comment in &self.comments {
            put(text, format_args!("# {}", one_line(comment)));
        }
        put(text, format_args!("[kind.{}]", quote(&self.name)));
        if let Some(setup) = &self.setup {
            put(text, format_args!("setup = [\n    {{ {} }},\n]", setup.fields(true).join(", ")));
        }
        for field in self.step.fields(false) {
            put(text, format_args!("{field}"));
        }
    }
}

impl DraftStep {
    /// Its keys and values, as they stand in a table.
    fn fields(&self, is_setup: bool) -> Vec<String> {
        let mut fields = Vec::new();
        if is_setup || self.method != "GET" {
            fields.push(format!("method = {}", quote(&self.method)));
        }
        fields.push(format!("path = {}", quote(&self.path)));
        if !self.headers.is_empty() {
            let headers: Vec<String> = self
                .headers
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), quote(value)))
                .collect();
            fields.push(format!("headers = {{ {} }}", headers.join(", ")));
        }
        fields.extend(self.body.as_ref().map(|body| format!("body = {}", quote(body))));
        let mut expect = Vec::new();
        for (name, codes) in [("ok", &self.ok), ("error", &self.error)] {
            if !codes.is_empty() {
                let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
                expect.push(format!("{name} = [{}]", codes.join(", ")));
            }
        }
        fields.push(format!("expect = {{ {} }}", expect.join(", ")));
        if let Some((name, pointer)) = &self.remember {
            fields.push(format!("remember = {{ {} = {} }}", quote(name), quote(pointer)));
        }
        fields
    }
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string can be written to");
}

fn quote(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    // Within an inline table, and for people: a text of several lines in one.
    if quoted.contains('\n') { serde_json::Value::from(text).to_string() } else { quoted }
}

fn key(name: &str) -> String {
    let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_bare { name.to_owned() } else { quote(name) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
