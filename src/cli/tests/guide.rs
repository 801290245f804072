//! The guide is true: its commands run and end as it says, its code stands in the files it names.

mod workbench;

use std::path::Path;
use std::process::Command;

use workbench::{Workbench, repository};

/// The blocks of a page: what stands behind the fence, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => open = Some((info.to_owned(), String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

#[test]
fn the_commands_of_the_guide_end_as_it_says() {
    let bench = Workbench::new();
    let programs = Path::new(env!("CARGO_BIN_EXE_heapsoak")).parent().expect("a program is in a folder");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let page = std::fs::read_to_string(repository().join("docs/guide.md")).expect("the guide is there");
    let mut ran = 0;
    for (info, script) in blocks(&page) {
        let Some(code) = info.strip_prefix("sh exit=") else { continue };
        let mut shell = Command::new("bash");
        shell.args(["-euc", &script]).current_dir(repository()).env("PATH", &path).env("OUT", bench.path(""));
        let output = shell.output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), code.parse().ok(), "{script}{said}");
        ran += 1;
    }
    assert_eq!(ran, 4, "every command of the guide was run");
    assert_eq!(bench.json("leaking/report.json")["findings"][0]["component"], "notes");
}

#[test]
fn the_code_of_the_guide_stands_in_the_files_it_is_from() {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).expect(path);
    for (info, text) in blocks(&read("docs/guide.md")) {
        let file = match info.as_str() {
            "rust" => read("examples/axum.rs"),
            "toml" => read("examples/axum.toml"),
            _ => continue,
        };
        for line in text.lines() {
            assert!(file.lines().any(|known| known == line), "not in the file: {line}");
        }
    }
}
