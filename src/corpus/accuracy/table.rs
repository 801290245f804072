use std::fmt::Write as _;

use crate::json::median;
use crate::measures::{Figures, Row, Share};

/// The figures as tables in Markdown.
pub(crate) fn table(figures: &Figures) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut text, figures);
    text
}

fn write(text: &mut String, figures: &Figures) -> std::fmt::Result {
    let requests = figures.requests.last().map_or_else(|| "-".to_owned(), ToString::to_string);
    let never = match figures.never_found {
        0 => String::new(),
        number => format!(", {number} never"),
    };
    let middle = median(&figures.requests).map_or_else(|| "-".to_owned(), |middle| middle.to_string());
    writeln!(text, "| measure | measured | bar |\n|---|---|---|")?;
    writeln!(
        text,
        "| leaks at or above the stated detection limit found | {} | ≥ 99.5 % |",
        share(figures.found)
    )?;
    writeln!(text, "| all leaks found, those below the limit too | {} | |", share(figures.found_of_all))?;
    writeln!(text, "| healthy cases called leak | {} | ≤ 0.5 % |", share(figures.false_alarms))?;
    writeln!(text, "| of them twins of one line | {} | 0 |", share(figures.twin_false))?;
    writeln!(text, "| inconclusive at the limit of extension | {} | ≤ 3 % |", share(figures.inconclusive))?;
    writeln!(
        text,
        "| 95 % interval covers the true growth | {} ({} above, {} below) | 93–97 % |",
        share(figures.covered),
        figures.covered_above,
        figures.covered_below
    )?;
    writeln!(
        text,
        "| leak of exactly the stated detection limit found | {} | ≥ 90 % |",
        share(figures.at_limit)
    )?;
    writeln!(
        text,
        "| requests to find 64 B a request, cycle by cycle: most | {requests}{never} | ≤ 2,000 |"
    )?;
    writeln!(text, "| the same: median | {middle} | ≤ 600 |")?;
    let mixed = figures.smallest().map_or_else(|| "not measured".to_owned(), |bytes| format!("{bytes:.2} B"));
    writeln!(
        text,
        "| smallest leak found in 10,000 requests of the mixed replay, per request | {mixed} | ≤ 1 B |"
    )?;
    writeln!(
        text,
        "| 32 B a request under a sawtooth of 30 MB found | {} | found |",
        share(figures.sawtooth.found)
    )?;
    writeln!(text, "| A/A: two runs of a program said to differ | {} | ≤ 0.1 % |", share(figures.flips))?;
    writeln!(text, "| called a leak in one of them and not in the other | {} | |", share(figures.different))?;
    writeln!(text, "| leaks per second told from leaks per request | {} | |", share(figures.time_driven))?;
    writeln!(
        text,
        "\n| method | leaks found | healthy called leak | under the sawtooth |\n|---|---|---|---|"
    )?;
    writeln!(
        text,
        "| **heapsoak** | {} | {} | {} |",
        share(figures.found),
        share(figures.false_alarms),
        share(figures.sawtooth.found)
    )?;
    for ((name, found, alarms), teeth) in figures.naive.iter().zip(&figures.sawtooth.naive) {
        writeln!(text, "| {name} | {} | {} | {} |", share(*found), share(*alarms), share(*teeth))?;
    }
    writeln!(
        text,
        "\n| leak | amount | verdicts | covered | estimate/truth | other methods |\n|---|---|---|---|---|---|"
    )?;
    figures.rows.iter().filter(|row| row.faulty).try_for_each(|row| write_row(text, row))?;
    writeln!(text, "\n| healthy | amount | verdicts | | | other methods |\n|---|---|---|---|---|---|")?;
    figures.rows.iter().filter(|row| !row.faulty).try_for_each(|row| write_row(text, row))
}

fn write_row(text: &mut String, row: &Row) -> std::fmt::Result {
    let verdicts: Vec<String> =
        row.verdicts.iter().map(|(verdict, number)| format!("{verdict} {number}")).collect();
    let covered =
        if row.covered.all > 0 { format!("{}/{}", row.covered.of, row.covered.all) } else { String::new() };
    let bias = row.bias.map_or_else(String::new, |bias| format!("{bias:.3}"));
    let naive: Vec<String> = row.naive.iter().map(|share| format!("{:.0}", 100.0 * share.rate())).collect();
    writeln!(
        text,
        "| {} | {} | {} | {covered} | {bias} | {} |",
        row.case,
        row.amount,
        verdicts.join(", "),
        naive.join(" ")
    )
}

/// `99.5 % (398 of 400)`
fn share(share: Share) -> String {
    format!("{:.2} % ({} of {})", 100.0 * share.rate(), share.of, share.all)
}
