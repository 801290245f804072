//! Values that fit a schema, as templates.

use serde_json::Value;

use super::words::{literal, may_be_chosen, percent_encode};

/// How deep a schema is followed; below, only what is required is filled in, and at twice the depth nothing.
const DEPTH: usize = 4;

/// Most items of an array.
const ITEMS: u64 = 3;

/// An OpenAPI document whose references can be followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a>(pub(super) &'a Value);

impl<'a> Document<'a> {
    /// What a reference (`{"$ref": "#/components/…"}`) points at; the value itself if it is none.
    pub(super) fn resolve(self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..16 {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
            let Some(found) = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer)) else {
                return &Value::Null;
            };
            value = found;
        }
        &Value::Null
    }

    /// A value for a body: JSON with template parts.
    pub(super) fn json(self, schema: &'a Value) -> String {
        self.json_at(schema, 0)
    }

    /// A value for a path, a query or a header: a text with template parts and no character that has to be escaped.
    pub(super) fn word(self, schema: &'a Value) -> String {
        let schema = self.resolve(schema);
        if let Some(example) = example(schema) {
            return match example {
                Value::String(text) => percent_encode(text),
                other => percent_encode(&other.to_string()),
            };
        }
        if let Some(choice) = choice(schema) {
            return choice.trim_matches('"').to_owned();
        }
        match kind(schema) {
            "integer" | "number" => number(schema),
            "boolean" => "{{choice:true|false}}".to_owned(),
            _ => match schema.get("format").and_then(Value::as_str) {
                Some("uuid") => "{{uuid}}".to_owned(),
                Some("date") => "2026-01-31".to_owned(),
                Some("date-time") => "{{now-iso}}".to_owned(),
                // Letters and digits only.
                _ => "{{hex:8}}".to_owned(),
            },
        }
    }

    /// A form: the properties of an object, as in a query.
    pub(super) fn form(self, schema: &'a Value) -> String {
        let (mut fields, mut required) = (Vec::new(), Vec::new());
        self.collect(schema, &mut fields, &mut required, 0);
        let fields =
            fields.iter().map(|(name, field)| format!("{}={}", percent_encode(name), self.word(field)));
        fields.collect::<Vec<_>>().join("&")
    }

    fn json_at(self, schema: &'a Value, depth: usize) -> String {
        let schema = self.resolve(schema);
        if let Some(example) = example(schema) {
            return literal(&example.to_string());
        }
        if let Some(choice) = choice(schema) {
            return choice;
        }
        for any in ["oneOf", "anyOf"] {
            if let Some(first) = schema.get(any).and_then(Value::as_array).and_then(|all| all.first()) {
                return self.json_at(first, depth + 1);
            }
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" | "number" => number(schema),
            "boolean" => "{{choice:true|false}}".to_owned(),
            "string" => format!("\"{}\"", text(schema)),
            _ => "null".to_owned(),
        }
    }

    fn object(self, schema: &'a Value, depth: usize) -> String {
        let (mut fields, mut required) = (Vec::new(), Vec::new());
        self.collect(schema, &mut fields, &mut required, 0);
        let wanted = |name: &str| depth < DEPTH || (depth < 2 * DEPTH && required.contains(&name));
        let fields = fields.iter().filter(|(name, field)| {
            wanted(name) && self.resolve(field).get("readOnly").and_then(Value::as_bool) != Some(true)
        });
        let fields: Vec<String> = fields
            .map(|(name, field)| {
                let name = literal(&Value::from(*name).to_string());
                format!("{name}:{}", self.json_at(field, depth + 1))
            })
            .collect();
        // A brace of JSON must not join one of a template: `{{`.
        let inner = fields.join(",");
        format!("{{{inner}}}")
    }

    /// The properties of an object, those of every `allOf` included.
    fn collect(
        self,
        schema: &'a Value,
        fields: &mut Vec<(&'a str, &'a Value)>,
        required: &mut Vec<&'a str>,
        depth: usize,
    ) {
        let schema = self.resolve(schema);
        if depth > DEPTH {
            return;
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.collect(part, fields, required, depth + 1);
        }
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            fields.retain(|(known, _)| known != name);
            fields.push((name, field));
        }
        let named = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        required.extend(named.filter_map(Value::as_str));
    }

    /// Whether objects of a schema have a property.
    pub(super) fn has_property(self, schema: &'a Value, name: &str) -> bool {
        let (mut fields, mut required) = (Vec::new(), Vec::new());
        self.collect(schema, &mut fields, &mut required, 0);
        fields.iter().any(|(known, _)| *known == name)
    }

    fn array(self, schema: &'a Value, depth: usize) -> String {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(0, ITEMS);
        let Some(items) = schema.get("items").filter(|_| depth < 2 * DEPTH) else { return "[]".to_owned() };
        let items: Vec<String> = (0..least).map(|_| self.json_at(items, depth + 1)).collect();
        format!("[{}]", items.join(","))
    }
}

/// What the schema, or the parameter or media type that has it, gives as an example.
pub(super) fn example(of: &Value) -> Option<&Value> {
    of.get("example")
        .or_else(|| of.get("const"))
        .or_else(|| of.get("examples").and_then(Value::as_array).and_then(|all| all.first()))
        .or_else(|| of.get("examples").and_then(Value::as_object)?.values().next()?.get("value"))
}

/// The type; what its keywords tell where none is written, and of several the first that is not null.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "null",
    }
}

/// One of the words of an `enum`.
fn choice(schema: &Value) -> Option<String> {
    let words = schema.get("enum")?.as_array()?;
    let text = words.iter().all(Value::is_string);
    let words: Vec<String> = words
        .iter()
        .map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned))
        .filter(|word| may_be_chosen(word) && !word.contains(['"', '\\']))
        .collect();
    let choice = match words.as_slice() {
        [] => return None,
        [one] => one.clone(),
        several => format!("{{{{choice:{}}}}}", several.join("|")),
    };
    Some(if text { format!("\"{choice}\"") } else { choice })
}

fn number(schema: &Value) -> String {
    let bound = |name: &str, exclusive: &str| {
        let bound = schema.get(name).or_else(|| schema.get(exclusive)).and_then(Value::as_f64)?;
        let shift = schema.get(exclusive).is_some_and(|value| value != &Value::Bool(false));
        Some((bound, shift))
    };
    let low = bound("minimum", "exclusiveMinimum")
        .map_or(1.0, |(low, shift)| low.ceil() + f64::from(u8::from(shift)));
    let high = bound("maximum", "exclusiveMaximum")
        .map_or(low.max(0.0) + 999.0, |(high, shift)| high.floor() - f64::from(u8::from(shift)));
    if high < 0.0 || high < low {
        return format!("{low}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both are from zero up, and cut"
    )]
    let (low, high) = (low.max(0.0) as u64, high.min(1e15) as u64);
    format!("{{{{range:{low}..{}}}}}", high + 1)
}

fn text(schema: &Value) -> String {
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => return "{{uuid}}".to_owned(),
        Some("email") => return "user-{{counter}}@example.com".to_owned(),
        Some("date") => return "2026-01-31".to_owned(),
        Some("date-time") => return "{{now-iso}}".to_owned(),
        Some("uri" | "url") => return "https://example.com/{{hex:8}}".to_owned(),
        Some("byte") => return "{{hex:16}}".to_owned(),
        _ => {}
    }
    let least = schema.get("minLength").and_then(Value::as_u64);
    let most = schema.get("maxLength").and_then(Value::as_u64);
    let low = least.unwrap_or(5).min(most.unwrap_or(u64::MAX)).min(100_000);
    let high = most.unwrap_or(low + 35).clamp(low, low + 200);
    format!("{{{{text:{low}..{high}}}}}")
}
