use std::str::FromStr;

use super::TemplateError;
use super::length::Length;

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
    /// With its exponent.
    ZipfOf(u64, f64),
    Choice(Vec<String>),
    NowMs(i64),
    /// In seconds.
    NowS(i64),
    /// As RFC 3339 has it, with an offset in milliseconds.
    NowIso(i64),
    Named(String),
    /// A variable of the environment of the tool.
    Environment(String),
}

const KNOWN: &str = "counter, uuid, hex:N, text:A..B, text:log-normal:MEDIAN:SIGMA, text:exponential:MEAN, range:A..B, \
                     zipf:N, zipf:N:EXPONENT, choice:a|b, now-ms, now-s, now-iso, env:NAME, $name";

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
            ("now-ms", offset) => read_offset(source, offset, "milliseconds").map(Part::NowMs),
            ("now-s", offset) => read_offset(source, offset, "seconds").map(Part::NowS),
            ("now-iso", offset) => read_offset(source, offset, "milliseconds").map(Part::NowIso),
            ("hex", Some(length)) => Length::read(source, length).map(Part::Hex),
            ("text", Some(length)) => Length::read(source, length).map(Part::Text),
            ("range", Some(range)) => {
                let (low, end) = range.split_once("..").ok_or_else(|| wrong(source, "A..B"))?;
                let (low, end) = (read_number(source, low)?, read_number(source, end)?);
                if low >= end {
                    return Err(wrong(source, "A..B with A below B"));
                }
                Ok(Part::Range(low, end - 1))
            }
            ("zipf", Some(argument)) => {
                let (count, exponent) = match argument.split_once(':') {
                    Some((count, exponent)) => (count, Some(exponent)),
                    None => (argument, None),
                };
                match (read_number(source, count)?, exponent) {
                    (0, _) => Err(wrong(source, "a number above zero")),
                    (count, None) => Ok(Part::Zipf(count)),
                    (count, Some(exponent)) => Ok(Part::ZipfOf(count, read_exponent(source, exponent)?)),
                }
            }
            ("env", Some(name)) if !name.is_empty() => Ok(Part::Environment(name.to_owned())),
            ("env", _) => Err(wrong(source, "the name of a variable: env:NAME")),
            ("choice", Some(words)) => Ok(Part::Choice(words.split('|').map(str::to_owned).collect())),
            _ => Err(TemplateError(format!("'{{{{{source}}}}}' is unknown: use {KNOWN}"))),
        }
    }
}

pub(super) fn read_number(source: &str, number: &str) -> Result<u64, TemplateError> {
    number.parse().map_err(|_| wrong(source, "a whole number"))
}

pub(super) fn wrong(source: &str, wanted: &str) -> TemplateError {
    TemplateError(format!("'{{{{{source}}}}}' wants {wanted}"))
}

fn read_offset(source: &str, offset: Option<&str>, unit: &str) -> Result<i64, TemplateError> {
    let Some(offset) = offset else { return Ok(0) };
    offset.parse().map_err(|_| wrong(source, &format!("an offset in {unit}, e.g. -600000")))
}

fn read_exponent(source: &str, exponent: &str) -> Result<f64, TemplateError> {
    let read = exponent.parse().ok().filter(|exponent: &f64| (0.01..=10.0).contains(exponent));
    read.ok_or_else(|| wrong(source, "an exponent from 0.01 to 10 behind the count"))
}
