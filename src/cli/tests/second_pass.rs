//! A leak is looked at again: half of the scenario once more, with every call stack of what leaks.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;

use heapsoak_record::{CaptureRate, Captured, Origin, Recording, Stack, Stacks};
use workbench::Workbench;

fn soak(bench: &Workbench, out: &str, more: &[&str]) -> Recording {
    let arguments = ["soak", "cache", "--as-found", "cache.namespaces", "--requests", "2000", "--quiet"];
    let arguments = [&arguments[..], &["--out", out], more].concat();
    let output = bench.heapsoak(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    Recording::read(&bench.path(out).join("recording.jsonl")).unwrap()
}

/// Files of the program's own functions on a stack, innermost first.
fn own_files<'a>(stacks: &'a Stacks, stack: &'a Stack) -> impl Iterator<Item = &'a str> {
    let symbols = stack.frames.iter().flat_map(|&frame| stacks.symbols_of(frame));
    symbols.filter(|symbol| symbol.origin == Origin::Own).filter_map(|symbol| symbol.file.as_deref())
}

#[test]
fn a_leak_is_looked_at_again_with_every_stack_of_its_component() {
    let bench = Workbench::new();
    let recording = soak(&bench, "run", &[]);
    let [sampled, zoomed] = &recording.stacks[..] else { panic!("{} passes", recording.stacks.len()) };

    assert_eq!(sampled.zoom, None);
    assert!(matches!(sampled.captured[..], [Captured { component: None, rate: CaptureRate::OneIn { .. } }]));
    assert!(sampled.stacks.iter().all(|stack| stack.interval_bytes.is_some()));

    assert_eq!((zoomed.zoom.as_deref(), zoomed.lost_blocks), (Some("cache"), 0));
    assert!(zoomed.stacks.iter().all(|stack| stack.component() == "cache" && stack.interval_bytes.is_none()));
    assert!(zoomed.marks.len() >= 5, "{:?}", zoomed.marks);
    assert!((900..=1_100).contains(&zoomed.marks.last().unwrap().requests), "{:?}", zoomed.marks);
    let last = zoomed.marks.len() - 1;
    // The cache itself is still filling, by other kinds of request.
    let of_the_leak = |stack: &&Stack| stack.kind.as_deref() == Some("cache.unknown-namespace");
    let growth = |stack: &&Stack| stack.growth_bytes(last / 2, last);
    let growing = zoomed.stacks.iter().filter(of_the_leak).max_by_key(growth).unwrap();
    assert!(growth(&growing) > 0);
    let file = own_files(zoomed, growing).next().expect("the tool is built with line tables");
    assert!(file.contains("src/autopilot/cache/"), "{file}");
    assert!(zoomed.problems.is_empty(), "{:?}", zoomed.problems);

    let files: Vec<_> =
        fs::read_dir(bench.path("run")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!files.iter().any(|name| name == "second-pass.jsonl"), "{files:?}");
    bench.assert_nothing_left();
}

#[test]
fn without_a_second_pass_the_stacks_of_the_soak_itself_are_all_there_are() {
    let bench = Workbench::new();
    let recording = soak(&bench, "run", &["--no-zoom"]);
    assert_eq!(recording.stacks.len(), 1);
    assert_eq!(recording.stacks[0].zoom, None);
}
