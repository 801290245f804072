//! Two runs side by side on a terminal of eighty columns.

use heapsoak_record::Unit;
use heapsoak_symbols::short_path;
use heapsoak_verdict::{ComponentVerdict, Growth};

use super::{Change, Comparison, Fix, FixVerdict, Row, SiteRow, fix::word};
use crate::phrases;
use crate::terminal::{Ink, finish, paragraph, table, tame};

impl Comparison<'_> {
    /// The comparison as text, in colour when asked.
    #[must_use]
    pub fn terminal(&self, colour: bool) -> String {
        let mut text = self.heading();
        text.push('\n');
        text.push_str(&rows("component", &self.components(), true));
        let moved: Vec<Row> = self.resources().into_iter().filter(|row| row.change != Change::None).collect();
        if !moved.is_empty() {
            text.push('\n');
            text.push_str(&rows("resource", &moved, true));
        }
        let sites = self.sites();
        if !sites.is_empty() {
            text.push('\n');
            text.push_str(&site_rows(&sites));
        }
        finish(&text, colour)
    }

    fn heading(&self) -> String {
        let name = |run: &crate::Run<'_>| {
            let header = &run.recording.header;
            tame(&format!("{} · seed {} · {}", header.scenario, header.seed, header.target.name))
        };
        let verdict =
            |run: &crate::Run<'_>| Ink::from(run.judgement.verdict).on(run.judgement.verdict.word());
        let line = |which: &str, run: &crate::Run<'_>| {
            paragraph(&format!("{which}{} · {}", verdict(run), name(run)), "", "        ")
        };
        let mut text = line("before: ", &self.before) + &line("after: ", &self.after);
        for caution in self.cautions() {
            text.push_str(&paragraph(&tame(&phrases::sentence(&caution)), "  ! ", "    "));
        }
        text
    }

    /// Whether the fix holds, as text, in colour when asked.
    #[must_use]
    pub fn fix_terminal(&self, fix: &Fix, colour: bool) -> String {
        let ink = match fix.verdict {
            FixVerdict::Fixed => Ink::Good,
            FixVerdict::Inconclusive => Ink::Doubtful,
            FixVerdict::NotFixed | FixVerdict::Invalid => Ink::Bad,
        };
        let mut text = self.heading();
        text.push('\n');
        let verdict = ink.on(&fix.verdict.word().to_uppercase());
        let mut reasons = fix.reasons.iter();
        let first = reasons.next().map(|reason| tame(reason)).unwrap_or_default();
        text.push_str(&paragraph(&format!("{verdict}: {first}"), "", ""));
        for reason in reasons {
            text.push_str(&paragraph(&tame(reason), "  · ", "    "));
        }
        if !fix.still_grows.is_empty() {
            text.push_str(&format!("\n{}\n", Ink::Strong.on("Still grows")));
            text.push_str(&rows("what", &fix.still_grows, false));
        }
        finish(&text, colour)
    }
}

/// A line per row: both verdicts, both growths, what became of it.
fn rows(head: &str, rows: &[Row], verdicts: bool) -> String {
    let cells = rows.iter().map(|row| {
        let estimate = |arm: Option<super::Arm>| {
            arm.map_or_else(|| "–".to_owned(), |arm| phrases::estimate(arm.growth, row.unit))
        };
        let mut cells = vec![tame(&row.name)];
        if verdicts {
            cells.push(format!("{} → {}", inked(row.before), inked(row.after)));
        }
        cells.extend([
            estimate(row.before),
            estimate(row.after),
            phrases::interval(row.difference, row.unit),
            change(row.change),
        ]);
        cells
    });
    let cells: Vec<_> = cells.collect();
    if verdicts {
        table(&[head, "verdict", "before", "after", "difference, 95 %", ""], &cells, 2..5)
    } else {
        table(&[head, "before", "after", "difference, 95 %", ""], &cells, 1..4)
    }
}

/// A line per site, with the function's last two names: there is no room for more.
fn site_rows(sites: &[SiteRow]) -> String {
    let cells = sites.iter().map(|site| {
        let estimate = |growth: Option<Growth>| {
            growth.map_or_else(|| "?".to_owned(), |growth| phrases::estimate(growth, Unit::Bytes))
        };
        let difference = site.difference;
        vec![
            tame(&format!("{} · {}", site.component, short_path(&site.function))),
            estimate(site.before),
            estimate(site.after),
            difference.map_or_else(|| "?".to_owned(), |change| phrases::interval(change, Unit::Bytes)),
        ]
    });
    table(&["allocated in", "before", "after", "difference, 95 %"], &cells.collect::<Vec<_>>(), 1..4)
}

fn inked(arm: Option<super::Arm>) -> String {
    let verdict: Option<ComponentVerdict> = arm.map(|arm| arm.verdict);
    verdict.map_or_else(|| "–".to_owned(), |verdict| Ink::from(verdict).on(word(arm)))
}

fn change(change: Change) -> String {
    let ink = match change {
        Change::New | Change::Worse | Change::Same => Ink::Bad,
        Change::Unclear | Change::Better => Ink::Doubtful,
        Change::Gone => Ink::Good,
        Change::None => Ink::Quiet,
    };
    ink.on(change.word())
}
