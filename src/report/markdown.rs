use heapsoak_verdict::{ComponentVerdict, Finding, RunVerdict};

use crate::terminal::tame;
use crate::units::{Bytes, Count};
use crate::{Forecast, RenderError, Rendered, Renderer, Run, phrases};
use heapsoak_record::Unit;

/// The report as Markdown, short enough for a comment on a pull request: the verdict and the findings first, tables of
/// everything else folded away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markdown;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        Ok(vec![Rendered::new("report.md", text(run))])
    }
}

/// The whole text.
pub(crate) fn text(run: &Run<'_>) -> String {
    let parts = [head(run), checks(run), findings(run), components(run), claims(run), rest(run)];
    let mut text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

fn head(run: &Run<'_>) -> String {
    let judgement = run.judgement;
    let sign = match judgement.verdict {
        RunVerdict::Leak => "❌",
        RunVerdict::Clean => "✅",
        RunVerdict::Inconclusive | RunVerdict::Invalid => "⚠️",
    };
    let scenario = &run.recording.header.scenario;
    let word = judgement.verdict.word();
    let mut text = format!("### {sign} heapsoak: {word} in {}\n\n", plain(scenario));
    text.push_str(&format!("{}\n", plain(&phrases::headline(run))));
    if judgement.combined_impact_at_10000_requests_bytes >= 1.0 {
        text.push_str(&format!("\n{}\n", plain(&Forecast::of(run).sentence())));
    }
    text
}

fn checks(run: &Run<'_>) -> String {
    if run.checks.is_empty() {
        return String::new();
    }
    let rows = run
        .checks
        .iter()
        .map(|check| vec![plain(&check.name), format!("**{}**", check.outcome.word()), plain(&check.says)]);
    table(&["check", "outcome", "why"], "lll", rows)
}

fn findings(run: &Run<'_>) -> String {
    if run.judgement.findings.is_empty() {
        return String::new();
    }
    let rows = run.findings().map(|(number, finding)| {
        vec![
            number.to_string(),
            finding.severity.word().to_owned(),
            code(&finding.component),
            phrases::pattern(finding.pattern).to_owned(),
            growth(finding),
            kinds(&finding.triggered_by),
        ]
    });
    let mut text = table(
        &["", "severity", "component", "pattern", "per 1,000 requests (95 %)", "triggered by"],
        "llllll",
        rows,
    );
    text.push('\n');
    for (number, finding) in run.findings() {
        let site =
            run.sites(finding).into_iter().next().map(|site| phrases::at(&site) + " ").unwrap_or_default();
        text.push_str(&format!(
            "{number}. {} {}**Do:** {}\n",
            plain(&phrases::ended(&finding.summary)),
            plain(&site),
            plain(&phrases::ended(&finding.action))
        ));
    }
    text
}

fn growth(finding: &Finding) -> String {
    let growth = finding.growth_bytes_per_1000_requests;
    if growth.estimate <= 0.0 {
        return finding
            .bound_bytes
            .map_or_else(|| "–".to_owned(), |bound| format!("bounded at {}", Bytes(bound as f64)));
    }
    format!("{} ({})", phrases::estimate(growth, Unit::Bytes), phrases::interval(growth, Unit::Bytes))
}

fn components(run: &Run<'_>) -> String {
    let judgement = run.judgement;
    let mut text = String::from("<details><summary>Components and resources</summary>\n\n");
    let rows = judgement.components.iter().map(|component| {
        let growth = component.growth_bytes_per_1000_requests;
        vec![
            code(&component.name),
            component.verdict.word().to_owned(),
            phrases::estimate(growth, Unit::Bytes),
            phrases::interval(growth, Unit::Bytes),
            Bytes(component.minimum_detectable_bytes_per_1000_requests).to_string(),
            Bytes(component.live_bytes.end as f64).to_string(),
            Bytes(component.allocated_bytes_per_request).to_string(),
        ]
    });
    let head =
        ["component", "verdict", "per 1,000", "95 % interval", "detects", "alive", "allocated per request"];
    text.push_str(&table(&head, "llrrrrr", rows));
    let moved = judgement
        .resources
        .iter()
        .filter(|resource| resource.unit == Unit::Count && resource.verdict != ComponentVerdict::Stable);
    let rows: Vec<_> = moved
        .map(|resource| {
            vec![
                code(&resource.name),
                resource.verdict.word().to_owned(),
                phrases::estimate(resource.growth_per_1000_requests, Unit::Count),
                phrases::interval(resource.growth_per_1000_requests, Unit::Count),
                kinds(&resource.triggered_by),
            ]
        })
        .collect();
    if !rows.is_empty() {
        text.push('\n');
        let head = ["resource", "verdict", "per 1,000", "95 % interval", "triggered by"];
        text.push_str(&table(&head, "llrrl", rows.into_iter()));
    }
    text.push_str("\n</details>\n");
    text
}

fn claims(run: &Run<'_>) -> String {
    if run.judgement.claims.is_empty() {
        return String::new();
    }
    let rows = run.judgement.claims.iter().map(|claim| {
        vec![
            code(&claim.claim.component),
            phrases::claimed(claim),
            phrases::measured(claim),
            claim.answer.word().to_owned(),
        ]
    });
    format!(
        "<details><summary>Claimed against measured</summary>\n\n{}\n</details>\n",
        table(&["component", "claimed", "measured", "the claim is"], "llll", rows)
    )
}

fn rest(run: &Run<'_>) -> String {
    let requests = run.judgement.requests;
    let mut text = String::from("<details><summary>Not analysed, and how to repeat the run</summary>\n\n");
    for sentence in &run.judgement.not_analysed {
        text.push_str(&format!("- {}\n", plain(&phrases::sentence(sentence))));
    }
    text.push_str(&format!(
        "\n{} requests in {} cycles, {} failed. Again with:\n\n    {}\n\n</details>",
        Count(requests.sent as f64),
        run.judgement.quality.cycles,
        Count(requests.failed as f64),
        tame(&phrases::reproduce(run))
    ));
    text
}

fn kinds(kinds: &[String]) -> String {
    kinds.iter().map(|kind| code(kind)).collect::<Vec<_>>().join(", ")
}

/// A table; `sides` has a letter per column: `l` or `r`.
pub(crate) fn table(head: &[&str], sides: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let rules: Vec<&str> = sides.chars().map(|side| if side == 'r' { "---:" } else { "---" }).collect();
    let mut text = format!("| {} |\n| {} |\n", head.join(" | "), rules.join(" | "));
    for row in rows {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

/// A name as code: nothing in it is obeyed. A bar has to be escaped even here, since a table splits before.
pub(crate) fn code(name: &str) -> String {
    let name = tame(name).replace('`', "'").replace('|', r"\|");
    if name.trim().is_empty() { String::new() } else { format!("`{name}`") }
}

/// A text in which no character is obeyed: no markup, no HTML, no mention, no reference to an issue.
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in tame(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            '#' => safe.push_str("&#35;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_obeyed() {
        assert_eq!(plain("<b>@all #1 [x](y) a|b"), r"&lt;b&gt;&#64;all &#35;1 \[x\](y) a\|b");
        assert_eq!(code("a`b|c\n"), r"`a'b\|c`");
    }
}
