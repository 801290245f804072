use std::str::FromStr;

use super::TemplateError;

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Literal(String),
    Counter,
    Uuid,
    Hex(Length),
    Text(Length),
    /// From the first to the second, both included.
    Range(u64, u64),
    Zipf(u64),
    Choice(Vec<String>),
    NowMs(i64),
    Named(String),
}

/// A number of characters, from the first to the second, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length(pub(super) u64, pub(super) u64);

/// Longest text a single part may become. A request has to fit in the memory of driver and server many times.
const LONGEST: u64 = 1 << 20;

const KNOWN: &str = "counter, uuid, hex:N, text:A..B, range:A..B, zipf:N, choice:a|b, now-ms, $name";

impl FromStr for Part {
    type Err = TemplateError;

    fn from_str(source: &str) -> Result<Part, TemplateError> {
        if let Some(name) = source.strip_prefix('$') {
            return if name.is_empty() {
                Err(wrong(source, "a name"))
            } else {
                Ok(Part::Named(name.to_owned()))
            };
        }
        let (name, argument) = match source.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (source, None),
        };
        match (name, argument) {
            ("counter", None) => Ok(Part::Counter),
            ("uuid", None) => Ok(Part::Uuid),
            ("now-ms", None) => Ok(Part::NowMs(0)),
            ("now-ms", Some(offset)) => offset
                .parse()
                .map(Part::NowMs)
                .map_err(|_| wrong(source, "an offset in milliseconds, e.g. -600000")),
            ("hex", Some(length)) => read_length(source, length).map(Part::Hex),
            ("text", Some(length)) => read_length(source, length).map(Part::Text),
            ("range", Some(range)) => {
                let (low, end) = range.split_once("..").ok_or_else(|| wrong(source, "A..B"))?;
                let (low, end) = (read_number(source, low)?, read_number(source, end)?);
                if low >= end {
                    return Err(wrong(source, "A..B with A below B"));
                }
                Ok(Part::Range(low, end - 1))
            }
            ("zipf", Some(count)) => match read_number(source, count)? {
                0 => Err(wrong(source, "a number above zero")),
                count => Ok(Part::Zipf(count)),
            },
            ("choice", Some(words)) => Ok(Part::Choice(words.split('|').map(str::to_owned).collect())),
            _ => Err(TemplateError(format!("'{{{{{source}}}}}' is unknown: use {KNOWN}"))),
        }
    }
}

fn read_length(source: &str, length: &str) -> Result<Length, TemplateError> {
    let (low, high) = match length.split_once("..") {
        Some((low, high)) => (read_number(source, low)?, read_number(source, high)?),
        None => {
            let exact = read_number(source, length)?;
            (exact, exact)
        }
    };
    if low > high || high > LONGEST {
        return Err(wrong(source, "a length N, or A..B with A not above B, of at most 1048576"));
    }
    Ok(Length(low, high))
}

fn read_number(source: &str, number: &str) -> Result<u64, TemplateError> {
    number.parse().map_err(|_| wrong(source, "a whole number"))
}

fn wrong(source: &str, wanted: &str) -> TemplateError {
    TemplateError(format!("'{{{{{source}}}}}' wants {wanted}"))
}
