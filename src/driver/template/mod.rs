//! Texts with parts that are filled in anew for each request.

mod length;
mod part;
mod render;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use part::Part;
pub(crate) use render::Values;

/// A text with `{{…}}` parts.
///
/// | part | becomes |
/// |---|---|
/// | `{{counter}}` | a number no other flow of the run has |
/// | `{{uuid}}` | a random UUID |
/// | `{{hex:64}}`, `{{hex:2..64}}` | that many hex digits |
/// | `{{text:400}}`, `{{text:100..2000}}` | that many letters and spaces |
/// | `{{text:log-normal:400:0.8}}` | a text of a random length: median 400, sigma 0.8; `:9000` behind it cuts at 9,000 |
/// | `{{text:exponential:400}}` | the same with lengths of an exponential distribution of mean 400; both for `hex`, too |
/// | `{{range:0..500}}` | a number from 0 to 499 |
/// | `{{zipf:500}}` | a number from 0 to 499, low ones often, high ones seldom |
/// | `{{zipf:500:1.2}}` | the same by Zipf's law with the exponent 1.2: the larger, the more the low ones prevail |
/// | `{{choice:a\|b}}` | one of the words |
/// | `{{now-ms}}`, `{{now-ms:-600000}}` | the server's clock in Unix milliseconds, with an offset |
/// | `{{now-s}}`, `{{now-s:-600}}` | the same in seconds |
/// | `{{now-iso}}`, `{{now-iso:-600000}}` | the same as a date of RFC 3339 in UTC; the offset is in milliseconds |
/// | `{{env:NAME}}` | a variable of the environment `heapsoak` runs in: for what should not stand in a file |
/// | `{{$name}}` | what the flow's `let` or `remember` gave that name |
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

/// A template that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(pub(crate) String);

impl Template {
    /// An empty text.
    pub(crate) fn empty() -> Template {
        Template { source: String::new(), parts: Vec::new() }
    }

    /// Whether there is nothing to fill in.
    pub(crate) fn is_fixed(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Literal(_)))
    }

    /// The names of the values it uses (`{{$name}}`).
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Named(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Template {
    /// The variables of the environment it uses (`{{env:NAME}}`).
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Environment(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(source: &str) -> Result<Template, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some(start) = rest.find("{{") {
            let Some(length) = rest[start..].find("}}") else {
                return Err(TemplateError("a '{{' has no '}}' behind it".to_owned()));
            };
            if start > 0 {
                parts.push(Part::Literal(rest[..start].to_owned()));
            }
            parts.push(rest[start + 2..start + length].parse()?);
            rest = &rest[start + length + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Template { source: source.to_owned(), parts })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}
