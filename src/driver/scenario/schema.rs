//! The JSON Schema of scenario files, made from the very types that read them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::duration::Millis;
use super::expect::{OneOf, Vocabulary};
use super::file::{Body, HeaderName, HexBody, Names, ScenarioFile};
use super::target::Words;
use crate::template::Template;

/// The JSON Schema of scenario files, for editors and for programs that write them.
#[must_use]
pub fn scenario_schema() -> String {
    let mut schema = schemars::schema_for!(ScenarioFile);
    schema.insert("title".to_owned(), "A scenario of heapsoak".into());
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema can be written as JSON");
    text.push('\n');
    text
}

/// Types that are written otherwise than they are kept.
macro_rules! written_as {
    ($($of:ty, $name:literal, $schema:tt;)*) => {
        $(impl JsonSchema for $of {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })*
    };
}

written_as! {
    Template, "Template", {
        "type": "string",
        "description": "A text with parts that are filled in anew for each request: {{counter}}, {{uuid}}, {{hex:N}}, \
            {{text:A..B}}, {{text:log-normal:MEDIAN:SIGMA}}, {{text:exponential:MEAN}}, {{range:A..B}}, {{zipf:N}}, \
            {{zipf:N:EXPONENT}}, {{choice:a|b}}, {{now-ms}}, {{now-s}}, {{now-iso}}, {{env:NAME}}, {{$name}}."
    };
    HeaderName, "HeaderName", { "type": "string", "description": "Name of an HTTP header." };
    Millis, "Duration", {
        "type": "string",
        "pattern": "^[0-9]+(ms|s|m|h)$",
        "description": "A length of time: a whole number and ms, s, m or h."
    };
    Names, "Names", {
        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        "description": "Defects of the built-in server: \"none\", one name, or a list."
    };
    Words, "Command", {
        "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
        "description": "Program and arguments: a list, or a text as a shell would split it."
    };
    HexBody, "HexBody", {
        "type": "string",
        "pattern": "^([0-9a-fA-F]{2})*$",
        "description": "Bytes of a body, as hex digits: sent as they are."
    };
    Body, "Body", {
        "anyOf": [{ "type": "string" }, { "type": "object" }],
        "description": "A text, or a table that is sent as JSON. Either may hold template parts."
    };
}

impl<V: Vocabulary> JsonSchema for OneOf<V> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOf_{}", V::WORDS.join("_")).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let word = json_schema!({ "enum": V::WORDS });
        json_schema!({ "anyOf": [word, { "type": "array", "items": word }] })
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn validator() -> jsonschema::Validator {
        let schema = serde_json::from_str(&scenario_schema()).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    }

    fn read(text: &str) -> serde_json::Value {
        serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap()
    }

    /// Scenario files below a folder.
    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        let own =
            files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
        own.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
    }

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// To accept what it is now: `HEAPSOAK_ACCEPT=1 cargo test -p heapsoak-driver schema`.
    #[test]
    fn the_schema_beside_the_scenarios_that_ship_is_the_one_of_this_version() {
        let file = repository().join("leak-scenarios/scenario.schema.json");
        if std::env::var_os("HEAPSOAK_ACCEPT").is_some() {
            std::fs::write(&file, scenario_schema()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), scenario_schema());
    }

    #[test]
    fn every_file_that_ships_with_the_tool_satisfies_the_schema_and_tells_editors_where_it_is() {
        let validator = validator();
        let mut files = files(&repository().join("leak-scenarios"));
        assert!(files.len() > 12, "{files:?}");
        files.extend(self::files(&repository().join("examples")));
        files.retain(|file| !file.ends_with("Cargo.toml"));
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let schema =
                text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).unwrap_or_default();
            let schema = file.parent().unwrap().join(schema);
            assert!(schema.ends_with("scenario.schema.json") && schema.is_file(), "{}", file.display());
            let scenario = read(&text);
            let problems: Vec<_> = validator.iter_errors(&scenario).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{}: {problems:?}", file.display());
        }
    }

    /// What editors show beside a key.
    #[test]
    fn every_key_of_the_schema_is_described() {
        fn collect(schema: &serde_json::Value, bare: &mut Vec<String>) {
            let Some(fields) = schema.as_object() else { return };
            for (name, property) in
                fields.get("properties").and_then(|all| all.as_object()).into_iter().flatten()
            {
                if property.get("description").is_none() {
                    bare.push(name.clone());
                }
            }
            fields.values().for_each(|value| collect(value, bare));
        }
        let mut bare = Vec::new();
        collect(&serde_json::from_str(&scenario_schema()).unwrap(), &mut bare);
        assert!(bare.is_empty(), "{bare:?}");
    }

    #[test]
    fn what_no_file_may_say_breaks_the_schema() {
        let validator = validator();
        let good = "version = 1\n[load]\ncycles = 8\nrequests-per-cycle = 20\n[weights]\n\"a.b\" = 1\n[kind.\"a.b\"]\npath = \"/\"\nexpect = { ok = [200] }\n";
        assert!(validator.is_valid(&read(good)));
        let more = "[target]\nurl = \"https://localhost\"\nhttp = \"2\"\nca = \"a.pem\"\n[load]\nrate = 0.5\narrivals = \"poisson\"\nkeep-alive = false\nhttp2-connections = 3";
        assert!(validator.is_valid(&read(&good.replace("[load]", more))));
        for (from, to) in [
            ("version = 1", "vresion = 1"),
            ("cycles = 8", "cycles = \"many\""),
            ("path = \"/\"", "path = \"/\"\nmethod = \"FETCH\""),
            ("cycles = 8", "cycles = 8\nrate = \"fast\""),
            ("cycles = 8", "cycles = 8\narrivals = \"bursts\""),
            ("cycles = 8", "cycles = 8\nkeep-alive = 1"),
            ("[load]", "[target]\nhttp = \"3\"\n[load]"),
            ("path = \"/\"", "path = \"/\"\nfault = \"sulk\""),
            ("ok = [200]", "good = [200]"),
            ("[weights]", "[clock]\nadvance = \"soon\"\n[weights]"),
        ] {
            assert!(!validator.is_valid(&read(&good.replace(from, to))), "{to}");
        }
    }
}
