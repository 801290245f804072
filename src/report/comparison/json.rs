//! Two runs side by side, for programs.

use serde::Serialize;

use super::{Comparison, Fix, Row, SiteRow};
use crate::{RenderError, Run};

/// Version of both documents; raised when a field changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    before: RunDocument<'a>,
    after: RunDocument<'a>,
    cautions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<Vec<Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sites: Option<Vec<SiteRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a Fix>,
}

#[derive(Serialize)]
struct RunDocument<'a> {
    scenario: &'a str,
    seed: u64,
    target: &'a str,
    started_unix_ms: u64,
    verdict: &'static str,
    requests: u64,
}

impl<'a> RunDocument<'a> {
    fn of(run: &Run<'a>) -> RunDocument<'a> {
        let header = &run.recording.header;
        RunDocument {
            scenario: &header.scenario,
            seed: header.seed,
            target: &header.target.name,
            started_unix_ms: header.started_unix_ms,
            verdict: run.judgement.verdict.word(),
            requests: run.judgement.requests.sent,
        }
    }
}

impl Comparison<'_> {
    /// The comparison as JSON.
    ///
    /// # Errors
    ///
    /// See [`RenderError`].
    pub fn json(&self) -> Result<String, RenderError> {
        write(&Document {
            components: Some(self.components()),
            resources: Some(self.resources()),
            sites: Some(self.sites()),
            ..self.document()
        })
    }

    /// Whether the fix holds, as JSON.
    ///
    /// # Errors
    ///
    /// See [`RenderError`].
    pub fn fix_json(&self, fix: &Fix) -> Result<String, RenderError> {
        write(&Document { fix: Some(fix), ..self.document() })
    }

    fn document(&self) -> Document<'_> {
        Document {
            schema_version: SCHEMA_VERSION,
            before: RunDocument::of(&self.before),
            after: RunDocument::of(&self.after),
            cautions: self.cautions(),
            components: None,
            resources: None,
            sites: None,
            fix: None,
        }
    }
}

fn write(document: &Document<'_>) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}
