//! The reference of the language says all there is, and its examples are right.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use heapsoak_driver::{Scenario, scenario_schema};
use serde_json::Value;

/// What a fragment of a scenario is completed with.
const REST: &str = r#"
version = 1
[load]
cycles = 20
requests-per-cycle = 100
[weights]
"orders.place" = 1
[kind."orders.place"]
path = "/orders"
expect = { ok = [200] }
"#;

fn reference() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenarios.md")).unwrap()
}

#[test]
fn every_example_of_the_reference_is_a_scenario_or_a_part_of_one() {
    let text = reference();
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 9, "{}", examples.len());
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("kinds")).unwrap();
    fs::create_dir(folder.path().join("bodies")).unwrap();
    fs::write(folder.path().join("kinds/orders.toml"), "version = 1\n").unwrap();
    fs::write(folder.path().join("bodies/order.json"), "{}").unwrap();
    for example in examples {
        let mut scenario: toml::Table = REST.parse().unwrap();
        let own: toml::Table = example.parse().unwrap_or_else(|error| panic!("{error}\n{example}"));
        for (key, value) in own {
            match (scenario.get_mut(&key), value) {
                // Kinds and weights are added to those there are.
                (Some(toml::Value::Table(known)), toml::Value::Table(more)) => known.extend(more),
                (_, value) => {
                    scenario.insert(key, value);
                }
            }
        }
        let path = folder.path().join("example.toml");
        fs::write(&path, scenario.to_string()).unwrap();
        Scenario::load(&path).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}

#[test]
fn every_key_and_word_of_the_schema_stands_in_the_reference() {
    let (text, schema) = (reference(), serde_json::from_str(&scenario_schema()).unwrap());
    let mut words = BTreeSet::new();
    collect(&schema, &mut words);
    assert!(words.len() > 60, "{words:?}");
    let missing: Vec<_> = words
        .iter()
        .filter(|word| !text.contains(&format!("`{word}`")) && !text.contains(&format!("`\"{word}\"`")))
        .collect();
    assert!(missing.is_empty(), "docs/scenarios.md does not explain {missing:?}");
}

/// Names of properties, and words of a vocabulary.
fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("properties", Value::Object(properties)) => words.extend(properties.keys().cloned()),
                    ("enum", Value::Array(all)) => {
                        words.extend(all.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    ("const", Value::String(word)) => {
                        words.insert(word.clone());
                    }
                    _ => {}
                }
                collect(value, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        _ => {}
    }
}

#[test]
fn every_template_part_stands_in_the_reference() {
    let text = reference();
    let refusal = "{{nothing-such}}".parse::<heapsoak_driver::Template>().unwrap_err().to_string();
    let known = refusal.split(": use ").nth(1).unwrap();
    let parts: Vec<&str> = known.split(", ").collect();
    assert!(parts.len() > 10, "{parts:?}");
    for part in parts {
        let name = part.split(':').next().unwrap();
        assert!(text.contains(&format!("`{{{{{name}")), "docs/scenarios.md does not explain {part}");
    }
}
