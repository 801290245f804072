//! Two runs side by side, for a comment on a pull request.

use heapsoak_record::Unit;
use heapsoak_verdict::Growth;

use super::{Change, Comparison, Fix, FixVerdict, Row, SiteRow, fix::word};
use crate::markdown::{code, plain, table};
use crate::phrases;

impl Comparison<'_> {
    /// The comparison as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "### heapsoak: {} before, {} after\n\n",
            self.before.judgement.verdict.word(),
            self.after.judgement.verdict.word()
        );
        text.push_str(&self.caution_list());
        text.push_str(&rows("component", &self.components()));
        let moved: Vec<Row> = self.resources().into_iter().filter(|row| row.change != Change::None).collect();
        if !moved.is_empty() {
            text.push('\n');
            text.push_str(&rows("resource", &moved));
        }
        let sites = self.sites();
        if !sites.is_empty() {
            text.push('\n');
            text.push_str(&site_rows(&sites));
        }
        text
    }

    /// Whether the fix holds, as Markdown.
    #[must_use]
    pub fn fix_markdown(&self, fix: &Fix) -> String {
        let sign = match fix.verdict {
            FixVerdict::Fixed => "✅",
            FixVerdict::NotFixed => "❌",
            FixVerdict::Inconclusive | FixVerdict::Invalid => "⚠️",
        };
        let mut text = format!("### {sign} heapsoak: {}\n\n", fix.verdict.word());
        text.push_str(&self.caution_list());
        for reason in &fix.reasons {
            text.push_str(&format!("- {}\n", plain(reason)));
        }
        if !fix.still_grows.is_empty() {
            text.push_str("\nStill grows:\n\n");
            text.push_str(&rows("what", &fix.still_grows));
        }
        text
    }

    fn caution_list(&self) -> String {
        let cautions = self.cautions();
        if cautions.is_empty() {
            return String::new();
        }
        let lines: String =
            cautions.iter().map(|caution| format!("> ⚠️ {}\n", plain(&phrases::sentence(caution)))).collect();
        lines + "\n"
    }
}

fn rows(head: &str, rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let growth = |arm: Option<super::Arm>| {
            arm.map_or_else(
                || "–".to_owned(),
                |arm| {
                    let estimate = phrases::estimate(arm.growth, row.unit);
                    format!("{estimate} ({})", phrases::interval(arm.growth, row.unit))
                },
            )
        };
        vec![
            code(&row.name),
            format!("{} → {}", word(row.before), word(row.after)),
            growth(row.before),
            growth(row.after),
            phrases::interval(row.difference, row.unit),
            row.change.word().to_owned(),
        ]
    });
    let head =
        [head, "verdict", "before, per 1,000 (95 %)", "after, per 1,000 (95 %)", "difference, 95 %", ""];
    table(&head, "llrrrl", cells)
}

fn site_rows(sites: &[SiteRow]) -> String {
    let cells = sites.iter().map(|site| {
        let growth = |growth: Option<Growth>| {
            growth.map_or_else(
                || "not captured".to_owned(),
                |growth| {
                    let estimate = phrases::estimate(growth, Unit::Bytes);
                    format!("{estimate} ({})", phrases::interval(growth, Unit::Bytes))
                },
            )
        };
        let place = site.place();
        let place = if place.is_empty() { String::new() } else { format!(" {}", code(&place)) };
        vec![
            code(&site.component),
            format!("{}{place}", code(&site.function)),
            growth(site.before),
            growth(site.after),
            site.difference.map_or_else(|| "–".to_owned(), |change| phrases::interval(change, Unit::Bytes)),
        ]
    });
    let head = [
        "component",
        "allocated in",
        "before, per 1,000 (95 %)",
        "after, per 1,000 (95 %)",
        "difference, 95 %",
    ];
    table(&head, "llrrr", cells)
}
