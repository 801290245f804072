//! What of a recorded request must not get into a file that is shared: it is asked for in the environment.

use serde_json::Value;

use super::words::literal;

/// Headers that a client's connection or browser adds by itself, and that say nothing of the request.
const DROPPED: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "keep-alive",
    "upgrade",
    "upgrade-insecure-requests",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "origin",
    "referer",
    "dnt",
    "priority",
    "pragma",
    "cache-control",
    "if-none-match",
    "if-modified-since",
    "expect",
];

/// Words that a header, field or parameter with a secret has in its name.
const SECRET: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "api-key",
    "apikey",
    "session",
    "csrf",
    "xsrf",
    "auth",
    "credential",
];

/// Whether a header is left out.
pub(super) fn is_dropped(header: &str) -> bool {
    DROPPED.contains(&header)
        || header.starts_with(':')
        || header.starts_with("sec-")
        || header.starts_with("proxy-")
        || header.starts_with("x-forwarded")
}

/// Whether a header, field or parameter of this name holds what nobody else should read.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    name == "cookie" || SECRET.iter().any(|word| name.contains(word))
}

/// The template part that asks for it: `{{env:HEAPSOAK_AUTHORIZATION}}`.
pub(super) fn placeholder(name: &str) -> String {
    let upper = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().map(upper).collect();
    format!("{{{{env:HEAPSOAK_{name}}}}}")
}

/// A body with its secrets replaced; the rest as it is.
pub(super) fn without_secrets(body: &str, content_type: &str) -> String {
    if content_type.contains("json")
        && let Ok(mut value) = serde_json::from_str::<Value>(body)
    {
        let mut found = Vec::new();
        replace_in(&mut value, &mut found);
        if found.is_empty() {
            return literal(body);
        }
        let mut text = literal(&value.to_string());
        for (mark, name) in found {
            text = text.replace(&mark, &placeholder(&name));
        }
        return text;
    }
    if content_type.contains("x-www-form-urlencoded") {
        return literal(&without_secret_parameters(body)).replace("{{choice:{{}}env:", "{{env:");
    }
    literal(body)
}

/// A query, or a form, with the values of secret parameters replaced.
pub(super) fn without_secret_parameters(query: &str) -> String {
    let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={}", placeholder(name)),
        _ => parameter.to_owned(),
    });
    parameters.collect::<Vec<_>>().join("&")
}

/// Puts a mark in the place of every secret field, and notes the name it is for.
fn replace_in(value: &mut Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) && (value.is_string() || value.is_number()) {
                    let mark = format!("heapsoak-secret-{}-", found.len());
                    *value = Value::String(mark.clone());
                    found.push((mark, name.clone()));
                } else {
                    replace_in(value, found);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace_in(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_body_are_asked_for_in_the_environment() {
        let json = without_secrets(
            r#"{"user":"a","password":"hunter2","deep":[{"apiKey":"k"}]}"#,
            "application/json",
        );
        assert!(!json.contains("hunter2") && !json.contains("\"k\""), "{json}");
        assert!(json.contains(r#""password":"{{env:HEAPSOAK_PASSWORD}}""#), "{json}");
        let form = without_secrets("user=a&csrf_token=abc", "application/x-www-form-urlencoded");
        assert_eq!(form, "user=a&csrf_token={{env:HEAPSOAK_CSRF_TOKEN}}");
        assert_eq!(without_secrets("{ \"a\": 1 }", "application/json"), "{ \"a\": 1 }");
    }
}
