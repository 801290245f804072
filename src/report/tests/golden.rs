//! The formats as they are, from a run made by hand.

#[cfg(test)]
mod synthetic;

use std::path::Path;

use heapsoak_report::{Html, Json, Renderer, Run, ScenarioSummary, Terminal, scenario_table};

#[test]
fn the_terminal_report_reads_as_before() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    insta::assert_snapshot!(Terminal::default().text(&run));
}

#[test]
fn the_table_of_scenarios_reads_as_before() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    let claims = ScenarioSummary::of(&run, Path::new("claims"), Some(Vec::new()));
    let unmet = vec!["cache is stable, expected was bounded".to_owned()];
    let missed = ScenarioSummary { name: "missed".to_owned(), unmet: Some(unmet), ..claims.clone() };
    let none = ScenarioSummary { name: "quick".to_owned(), unmet: None, ..claims.clone() };
    insta::assert_snapshot!(scenario_table(&[claims, missed, none], false));
}

#[test]
fn the_json_report_is_as_before() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    let files = Json.render(&run).unwrap();
    insta::assert_snapshot!(files[0].text());
}

#[test]
fn the_page_says_what_it_said_before() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    let files = Html.render(&run).unwrap();
    insta::assert_snapshot!(text_of(files[0].text()));
}

/// The text of a page: without styles, drawings, tags and the script.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let page = page.split_once("<script>").map_or(page, |(page, _)| page);
    let mut rest = page.split_once("</style>").map_or("", |(_, body)| body);
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let ends = if after.starts_with("svg") { "</svg>" } else { ">" };
        rest = after.split_once(ends).map_or("", |(_, rest)| rest);
        text.push(if after.starts_with("td") || after.starts_with("th") { '|' } else { ' ' });
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
