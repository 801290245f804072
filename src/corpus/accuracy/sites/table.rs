use std::fmt::Write as _;

use heapsoak_symbols::short_path;

use crate::measures::Share;
use crate::sites::Figures;
use crate::sites::defects::Judged;
use crate::sites::row::{Named, Row};

/// What the figures are.
const HEAD: &str = "\
# Which line: how often a report names the one that allocates

Printed by `scripts/site-accuracy`; not written by hand. Every leaking case of the corpus is soaked with a sample of call stacks, and
again with every stack of what leaks, as `heapsoak soak` does it; a site is right when it is one of the lines that the case's source
marks with `// stays:`, which are all those that allocate what the fault keeps. The built-in server is soaked as it was found, in
the scenarios `claims`, `missed` and `churn/transcripts`; a site is right when it is in a function that `src/autopilot/sites.toml` names for the defect. How
sites are ranked: [stacks](stacks.md).
";

/// The figures as tables in Markdown.
pub(crate) fn table(figures: &Figures) -> String {
    let mut text = format!("{HEAD}\n");
    // Writing to a string can't fail.
    let _ = write(&mut text, figures);
    text
}

fn write(text: &mut String, figures: &Figures) -> std::fmt::Result {
    let cases = || figures.rows.iter().flat_map(|row| &row.named);
    let defects = || figures.servers.iter().filter_map(|judged| judged.named.as_ref());
    writeln!(text, "| reports | the first site is right | one of the first three is |\n|---|---|---|")?;
    let line = |text: &mut String, name: &str, one: Share, three: Share| {
        writeln!(text, "| {name} | {} | {} |", share(one), share(three))
    };
    line(text, "of the corpus", Named::within(cases(), 1), Named::within(cases(), 3))?;
    if !figures.servers.is_empty() {
        line(text, "of the server's defects", Named::within(defects(), 1), Named::within(defects(), 3))?;
        line(text, "together", Named::within(figures.named(), 1), Named::within(figures.named(), 3))?;
        writeln!(text, "| bar | ≥ 95 % | all |")?;
        writeln!(
            text,
            "\n| defect | right | sites named, with their share | true function |\n|---|---|---|---|"
        )?;
        for judged in &figures.servers {
            writeln!(text, "{}", defect(judged))?;
        }
    }
    writeln!(
        text,
        "\n| case | reports | first | first three | a report's sites | true lines |\n|---|---|---|---|---|---|"
    )?;
    for row in &figures.rows {
        writeln!(text, "{}", case(row))?;
    }
    Ok(())
}

fn defect(judged: &Judged) -> String {
    let truth = judged.defect.functions.iter().map(|function| format!("`{}`", short_path(function)));
    let truth = truth.collect::<Vec<_>>().join(" or ");
    let (right, sites) = match (&judged.named, &judged.defect.none) {
        (_, Some(why)) => ("–".to_owned(), why.clone()),
        (None, None) => ("–".to_owned(), "nothing was found of it".to_owned()),
        (Some(named), None) => (right(named), sites(named)),
    };
    format!("| {} | {right} | {sites} | {truth} |", judged.defect.name)
}

fn case(row: &Row) -> String {
    let within = |first| Named::within(row.named.iter(), first);
    // A wrong one is shown rather than a right one.
    let shown = row.named.iter().find(|named| named.right_at != Some(1)).or(row.named.first());
    let missed = if row.missed > 0 { format!(", {} not found", row.missed) } else { String::new() };
    format!(
        "| {} | {}{missed} | {} | {} | {} | {} |",
        row.name,
        row.named.len(),
        within(1).of,
        within(3).of,
        shown.map_or_else(String::new, sites),
        row.truth.iter().map(|place| name(place)).collect::<Vec<_>>().join(", ")
    )
}

fn right(named: &Named) -> String {
    match named.right_at {
        Some(1) => "yes".to_owned(),
        Some(at) => format!("no, {at}."),
        None => "no".to_owned(),
    }
}

fn sites(named: &Named) -> String {
    let sites = named.sites.iter().take(3).map(|site| {
        format!("`{}` {} ({:.0} %)", short_path(&site.function), name(&site.place), 100.0 * site.share)
    });
    sites.collect::<Vec<_>>().join("; ")
}

/// A place without folders.
fn name(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or(place)
}

fn share(share: Share) -> String {
    format!("{:.1} % ({} of {})", 100.0 * share.rate(), share.of, share.all)
}
