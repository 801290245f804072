use heapsoak_record::{Moment, OWN_COMPONENT, Snapshot, Unit};

use crate::terminal::tame;
use crate::{RenderError, Rendered, Renderer, Run};

/// The series of a run as CSV (RFC 4180): one row per snapshot and measure, ready to be pivoted.
///
/// What is counted, not what it amounts to: heap by component and request kind, requests by kind, resources, gauges.
#[derive(Debug, Clone, Copy, Default)]
pub struct Csv;

const HEAD: [&str; 12] = [
    "scenario",
    "snapshot",
    "cycle",
    "moment",
    "quiet",
    "requests",
    "elapsed_ms",
    "clock_ms",
    "subject",
    "kind",
    "measure",
    "value",
];

impl Renderer for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        self.render_all(std::slice::from_ref(run))
    }

    fn render_all(&self, runs: &[Run<'_>]) -> Result<Vec<Rendered>, RenderError> {
        let wrong = |why: String| RenderError::Format { format: "csv", why };
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(HEAD).map_err(|error| wrong(error.to_string()))?;
        for run in runs {
            for snapshot in &run.recording.snapshots {
                for Row { subject, kind, measure, value } in rows(run, snapshot) {
                    let moment = [
                        run.recording.header.scenario.clone(),
                        snapshot.sequence.to_string(),
                        snapshot.cycle.to_string(),
                        word(snapshot.moment).to_owned(),
                        snapshot.quiet.to_string(),
                        snapshot.requests.to_string(),
                        snapshot.elapsed_ms.to_string(),
                        snapshot.clock_ms.to_string(),
                    ];
                    let measured = [subject, kind, measure.to_owned(), value];
                    table
                        .write_record(moment.iter().chain(&measured).map(|field| safe(field)))
                        .map_err(|error| wrong(error.to_string()))?;
                }
            }
        }
        let contents = table.into_inner().map_err(|error| wrong(error.to_string()))?;
        Ok(vec![Rendered::new("series.csv", contents)])
    }
}

struct Row {
    subject: String,
    kind: String,
    measure: &'static str,
    value: String,
}

fn rows(run: &Run<'_>, snapshot: &Snapshot) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |subject: &str, kind: &str, measure, value: String| {
        rows.push(Row { subject: subject.to_owned(), kind: kind.to_owned(), measure, value });
    };
    for (kind, count) in run.recording.header.kinds.iter().zip(&snapshot.kinds) {
        add("requests", &kind.name, "sent", count.sent.to_string());
        add("requests", &kind.name, "failed", count.failed.to_string());
    }
    let contexts = snapshot.heap.iter().flat_map(|heap| &heap.contexts);
    for context in contexts.filter(|context| context.component() != OWN_COMPONENT) {
        let path = context.path.join("/");
        let kind = context.kind.as_deref().unwrap_or_default();
        add(&path, kind, "live_bytes", context.live_bytes().to_string());
        add(&path, kind, "live_blocks", context.live_blocks().to_string());
        add(&path, kind, "allocated_bytes", context.allocated_bytes.to_string());
        add(&path, kind, "allocated_blocks", context.allocated_blocks.to_string());
    }
    for resource in &snapshot.resources {
        let measure = if resource.unit == Unit::Bytes { "bytes" } else { "count" };
        add(&resource.name, "", measure, resource.value.to_string());
    }
    for gauge in &snapshot.gauges {
        add(&gauge.name, "", "gauge", gauge.value.to_string());
    }
    rows
}

fn word(moment: Moment) -> &'static str {
    match moment {
        Moment::Baseline => "baseline",
        Moment::CycleEnd => "cycle_end",
        Moment::AfterAdvance => "after_advance",
    }
}

/// A field that no terminal obeys and no spreadsheet takes for a formula: an apostrophe in front makes it text.
fn safe(field: &str) -> String {
    let field = tame(field);
    let formula =
        field.starts_with(['=', '+', '@']) || (field.starts_with('-') && field.parse::<f64>().is_err());
    if formula { format!("'{field}") } else { field }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn a_name_is_no_formula_and_a_negative_number_stays_one() {
        assert_eq!(safe("=cmd()"), "'=cmd()");
        assert_eq!(safe("-cmd"), "'-cmd");
        assert_eq!(safe("-12"), "-12");
        assert_eq!(safe("session"), "session");
    }
}
