use std::collections::BTreeMap;
use std::fmt::Write as _;

use heapsoak_verdict::ComponentVerdict;
use serde::Deserialize;

use crate::{ComponentFigures, Figures, Interval, ResourceFigures};

/// Version of the file's format.
const VERSION: u32 = 1;

const HEAD: &str = "\
# What each component was measured to cost, written by `heapsoak check --update-baseline`. Commit it: a change of this
# file is a change of what may pass.
#
# growth: bytes (or number) per 1,000 requests, 95 % interval
# detectable: the smallest growth that run would have called a leak
# held: bytes (or number) at the quiet points of the run's second half, least and most
# churn: bytes allocated per request, 95 % interval
";

/// What scenarios were measured to cost when somebody last agreed to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Baseline {
    scenarios: BTreeMap<String, ScenarioBaseline>,
}

/// What one scenario was measured to cost.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioBaseline {
    /// The figures.
    pub figures: Figures,
}

/// Why a baseline can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// It is not a baseline.
    #[error("not a baseline: {0}")]
    Malformed(String),
    /// Written by another version.
    #[error(
        "baseline of version {0}, this heapsoak reads version {VERSION}: write it again with --update-baseline"
    )]
    Version(u32),
}

impl Baseline {
    /// Reads a baseline from its text.
    ///
    /// # Errors
    ///
    /// See [`BaselineError`].
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        let version: VersionOnly = toml::from_str(text).map_err(malformed)?;
        if version.version != VERSION {
            return Err(BaselineError::Version(version.version));
        }
        let file: File = toml::from_str(text).map_err(malformed)?;
        let scenarios = file.scenario.into_iter().map(|(name, scenario)| (name, scenario.into())).collect();
        Ok(Baseline { scenarios })
    }

    /// What a scenario was measured to cost; none if it is new.
    #[must_use]
    pub fn scenario(&self, name: &str) -> Option<&ScenarioBaseline> {
        self.scenarios.get(name)
    }

    /// Takes over what a scenario was measured to cost, in place of what stood there.
    pub fn update(&mut self, scenario: &str, figures: Figures) {
        self.scenarios.insert(scenario.to_owned(), ScenarioBaseline { figures });
    }

    /// The text of its file: the same figures give the same text, in the order of their names, rounded outward to three
    /// digits so that it changes only when something did.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{HEAD}version = {VERSION}\n");
        for (name, ScenarioBaseline { figures }) in &self.scenarios {
            let scenario = key(name);
            let _ = write!(text, "\n[scenario.{scenario}]\nrequests = {}\n", figures.requests);
            for (name, figures) in &figures.components {
                let _ = write!(text, "\n[scenario.{scenario}.component.{}]\n", key(name));
                write_common(&mut text, figures.verdict, figures.growth, figures.detectable, figures.held);
                let _ = writeln!(text, "churn = {}", pair(figures.churn));
            }
            for (name, figures) in &figures.resources {
                let _ = write!(text, "\n[scenario.{scenario}.resource.{}]\n", key(name));
                write_common(&mut text, figures.verdict, figures.growth, figures.detectable, figures.held);
            }
        }
        text
    }
}

fn write_common(
    text: &mut String,
    verdict: ComponentVerdict,
    growth: Interval,
    detectable: f64,
    held: Interval,
) {
    let _ = writeln!(text, "verdict = \"{}\"", verdict.word());
    if verdict == ComponentVerdict::Leak {
        let _ = writeln!(text, "growth = {}", pair(growth));
    }
    let _ = writeln!(text, "detectable = {}", rounded(detectable, f64::ceil));
    // What leaks holds ever more, and what does not has no growth to speak of.
    if verdict != ComponentVerdict::Leak {
        let _ = writeln!(text, "held = {}", pair(held));
    }
}

fn pair(interval: Interval) -> String {
    format!("[{}, {}]", rounded(interval.low, f64::floor), rounded(interval.high, f64::ceil))
}

/// Three digits.
fn rounded(value: f64, round: fn(f64) -> f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let places = 2 - value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(places.abs());
    // Dividing by a whole power of ten keeps 0.123 from becoming 0.12300000000000001.
    if places >= 0 { round(value * scale) / scale } else { round(value / scale) * scale }
}

/// A key of TOML: bare where it can be.
fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { toml::Value::String(name.to_owned()).to_string() }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn malformed(error: toml::de::Error) -> BaselineError {
    BaselineError::Malformed(error.to_string().trim_end().to_owned())
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    scenario: BTreeMap<String, ScenarioFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    requests: f64,
    #[serde(default)]
    component: BTreeMap<String, ComponentFile>,
    #[serde(default)]
    resource: BTreeMap<String, ResourceFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentFile {
    verdict: Word,
    #[serde(default)]
    growth: [f64; 2],
    detectable: f64,
    #[serde(default)]
    held: [f64; 2],
    churn: [f64; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceFile {
    verdict: Word,
    #[serde(default)]
    growth: [f64; 2],
    detectable: f64,
    #[serde(default)]
    held: [f64; 2],
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Word {
    Leak,
    Bounded,
    Stable,
    Inconclusive,
}

impl From<Word> for ComponentVerdict {
    fn from(word: Word) -> ComponentVerdict {
        match word {
            Word::Leak => ComponentVerdict::Leak,
            Word::Bounded => ComponentVerdict::Bounded,
            Word::Stable => ComponentVerdict::Stable,
            Word::Inconclusive => ComponentVerdict::Inconclusive,
        }
    }
}

impl From<ScenarioFile> for ScenarioBaseline {
    fn from(file: ScenarioFile) -> ScenarioBaseline {
        let interval = |[low, high]: [f64; 2]| Interval { low, high };
        let component = |component: ComponentFile| ComponentFigures {
            verdict: component.verdict.into(),
            growth: interval(component.growth),
            detectable: component.detectable,
            held: interval(component.held),
            peak: component.held[1],
            churn: interval(component.churn),
        };
        let resource = |resource: ResourceFile| ResourceFigures {
            verdict: resource.verdict.into(),
            growth: interval(resource.growth),
            detectable: resource.detectable,
            held: interval(resource.held),
            peak: resource.held[1],
        };
        let figures = Figures {
            requests: file.requests,
            components: file.component.into_iter().map(|(name, one)| (name, component(one))).collect(),
            resources: file.resource.into_iter().map(|(name, one)| (name, resource(one))).collect(),
        };
        ScenarioBaseline { figures }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_rounded_outward_to_three_digits() {
        assert_eq!(pair(Interval { low: 123_456.0, high: 123_456.0 }), "[123000, 124000]");
        assert_eq!(pair(Interval { low: 0.123_456, high: 1.0 }), "[0.123, 1]");
        assert_eq!(pair(Interval { low: -1234.0, high: 0.0 }), "[-1240, 0]");
    }

    #[test]
    fn a_name_that_is_no_bare_key_is_quoted() {
        assert_eq!(key("fds.pipe"), "\"fds.pipe\"");
        assert_eq!(key("cache"), "cache");
    }

    #[test]
    fn a_baseline_of_another_version_is_refused_and_says_what_to_do() {
        let error = Baseline::parse("version = 2\nsomething = 3").unwrap_err();
        assert!(error.to_string().contains("--update-baseline"), "{error}");
        let error = Baseline::parse("version = 1\nnonsense = 3").unwrap_err();
        assert!(error.to_string().contains("nonsense"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_holds_what_was_measured(
            low in 0.0..1e9_f64, width in 0.0..1e9_f64, name in "[a-z.\"\\\\ é-]{1,12}", leaks: bool,
        ) {
            let interval = Interval { low, high: low + width };
            let verdict = if leaks { ComponentVerdict::Leak } else { ComponentVerdict::Stable };
            let measured = ComponentFigures {
                verdict, growth: interval, detectable: low, held: interval, peak: 0.0, churn: interval,
            };
            let resource = ResourceFigures { verdict, growth: interval, detectable: low, held: interval, peak: 0.0 };
            let mut baseline = Baseline::default();
            baseline.update(&name, Figures {
                requests: 10.0,
                components: BTreeMap::from([(name.clone(), measured)]),
                resources: BTreeMap::from([(name.clone(), resource)]),
            });
            let text = baseline.text();
            let again = Baseline::parse(&text).unwrap();
            prop_assert_eq!(again.text(), text);
            let read = again.scenario(&name).unwrap().figures.components[&name];
            prop_assert_eq!(read.verdict, verdict);
            let kept = if leaks { read.growth } else { read.held };
            for (read, written) in [(kept, interval), (read.churn, interval)] {
                prop_assert!(read.low <= written.low && read.high >= written.high);
                prop_assert!(read.low >= written.low * 0.98 - 1e-9 && read.high <= written.high * 1.02 + 1e-9);
            }
        }
    }
}
