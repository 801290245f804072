use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What a scenario expects to be found; the tool compares it with the verdict.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// Verdict of the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<OneOf<RunVerdict>>,
    /// No finding may be more severe than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_severity: Option<OneOf<Severity>>,
    /// Whether a finding above `low` that is not listed in `finding` breaks the expectation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
    /// Answer to each claim, by component.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, OneOf<ClaimAnswer>>,
    /// Verdict on non-heap resources, by name, e.g. `zombies`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, OneOf<UnitVerdict>>,
    /// What is expected of each component, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub component: BTreeMap<String, ExpectedComponent>,
    /// Findings that must be there.
    #[serde(default, rename = "finding", skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<ExpectedFinding>,
}

/// What is expected of a component.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectedComponent {
    /// Its verdict.
    pub verdict: OneOf<UnitVerdict>,
    /// Lowest and highest growth in bytes per 1,000 requests of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth_per_1000: Option<[f64; 2]>,
    /// Highest bound in bytes, when the verdict is `bounded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_max: Option<u64>,
}

/// A finding that must be there: one that has all that is given here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectedFinding {
    /// Component.
    pub component: String,
    /// Pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<OneOf<Pattern>>,
    /// Request kinds that trigger it: each of these must be named, others may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggered_by: Vec<String>,
    /// Request kinds that must not be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_triggered_by: Vec<String>,
    /// Non-heap resource it must name, e.g. `children`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// One word or several of a vocabulary, any of which will do: `"leak"` or `["bounded", "stable"]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOf<V> {
    words: Vec<String>,
    #[serde(skip)]
    vocabulary: PhantomData<V>,
}

impl<V> OneOf<V> {
    /// Whether a word is among them.
    #[must_use]
    pub fn allows(&self, word: &str) -> bool {
        self.words.iter().any(|allowed| allowed == word)
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

impl<V> fmt::Display for OneOf<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" or "))
    }
}

/// The words a verdict, a pattern… may be.
pub trait Vocabulary {
    /// All of them.
    const WORDS: &'static [&'static str];
}

macro_rules! vocabulary {
    ($($(#[$doc:meta])* $name:ident: $($word:literal)*;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $name {}

            impl Vocabulary for $name {
                const WORDS: &'static [&'static str] = &[$($word),*];
            }
        )*
    };
}

vocabulary! {
    /// Verdicts on a run.
    RunVerdict: "leak" "clean" "inconclusive" "invalid";
    /// Verdicts on a component or a resource.
    UnitVerdict: "leak" "bounded" "stable" "inconclusive";
    /// Severities, the worst first.
    Severity: "critical" "high" "medium" "low";
    /// Patterns of findings.
    Pattern: "unbounded-growth" "cleanup-gap" "resource-lifecycle" "churn" "time-driven";
    /// Answers to a claim.
    ClaimAnswer: "right" "wrong" "understated" "overstated";
}

impl<'de, V: Vocabulary> Deserialize<'de> for OneOf<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOf<V>, D::Error> {
        deserializer.deserialize_any(OneOfVisitor(PhantomData))
    }
}

struct OneOfVisitor<V>(PhantomData<V>);

impl<'de, V: Vocabulary> Visitor<'de> for OneOfVisitor<V> {
    type Value = OneOf<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one or a list of: {}", V::WORDS.join(", "))
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<OneOf<V>, E> {
        check::<V, E>(word)?;
        Ok(OneOf { words: vec![word.to_owned()], vocabulary: PhantomData })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOf<V>, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element::<String>()? {
            check::<V, A::Error>(&word)?;
            words.push(word);
        }
        Ok(OneOf { words, vocabulary: PhantomData })
    }
}

fn check<V: Vocabulary, E: serde::de::Error>(word: &str) -> Result<(), E> {
    if V::WORDS.contains(&word) {
        return Ok(());
    }
    Err(E::custom(format_args!("unknown word '{word}', use {}", V::WORDS.join(", "))))
}
