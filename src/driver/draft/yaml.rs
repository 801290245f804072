//! A document that is JSON or YAML, as JSON.

use std::path::Path;

use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

use super::Mistake;

/// Reads a document by its ending: `.json` is JSON, all else YAML (of which JSON is a part).
pub(super) fn read(text: &str, path: &Path) -> Result<Value, Mistake> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return Ok(serde_json::from_str(text)?);
    }
    let documents = YamlLoader::load_from_str(text).map_err(|error| Mistake {
        place: Some((error.marker().line(), error.marker().col() + 1)),
        message: error.info().to_owned(),
    })?;
    documents.first().map(convert).ok_or_else(|| Mistake::of_all("the document is empty"))
}

fn convert(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Real(number) => number
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| number.clone().into(), Value::Number),
        Yaml::Integer(number) => (*number).into(),
        Yaml::String(text) => text.clone().into(),
        Yaml::Boolean(yes) => (*yes).into(),
        Yaml::Array(items) => items.iter().map(convert).collect(),
        Yaml::Hash(fields) => {
            let fields = fields.iter().map(|(key, value)| (key_of(key), convert(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    }
}

/// Keys of an OpenAPI document are texts, but for status codes, which may be written as numbers.
fn key_of(key: &Yaml) -> String {
    match key {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Boolean(yes) => yes.to_string(),
        _ => String::new(),
    }
}
