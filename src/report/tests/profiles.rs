//! Call stacks in the report and in the formats of other tools.

#![allow(clippy::unwrap_used, reason = "this is a test")]

#[cfg(test)]
mod synthetic;

use std::fs;
use std::io::Read;

use heapsoak_record::{Blocks, Mark, Recording, Symbol};
use heapsoak_report::{
    Comparison, Flamegraph, Folded, GitHub, Html, Json, Markdown, Pprof, Renderer, Run, Sarif, Site,
    Speedscope, Terminal, convert_jemalloc, differential,
};
use heapsoak_verdict::{Judgement, Pattern};
use serde_json::Value;

fn run() -> (Recording, Judgement) {
    let (mut recording, judgement) = synthetic::run("claims");
    recording.stacks.push(synthetic::stacks::stacks());
    (recording, judgement)
}

fn sites(recording: &Recording, judgement: &Judgement) -> Vec<Site> {
    let finding = judgement.findings.iter().find(|finding| finding.component == "session").unwrap();
    Run::new(recording, judgement).sites(finding)
}

#[test]
fn the_site_is_the_own_line_where_most_piled_up_on_the_triggering_requests() {
    let (recording, judgement) = run();
    let sites = sites(&recording, &judgement);
    assert_eq!(
        (sites[0].function.as_str(), sites[0].place().as_str()),
        ("server::session::History::keep", "src/session.rs:4")
    );
    assert!((sites[0].share - 0.9).abs() < 1e-9, "{sites:?}");
    assert_eq!(sites[1].place(), "src/session.rs:20");
    assert_eq!(sites.len(), 2, "what holds much and no more is no site: {sites:?}");
    let callers: Vec<&str> = sites[0].callers.iter().map(|caller| caller.function.as_str()).collect();
    assert_eq!(callers, ["server::session::History::keep", "server::session::finish", "server::handle"]);
    assert!(sites[0].callers[0].inlined && !sites[0].callers[1].inlined);
}

#[test]
fn a_second_pass_over_the_component_goes_before_the_soak_itself() {
    let (mut recording, judgement) = run();
    let mut zoom = synthetic::stacks::stacks();
    zoom.zoom = Some("session".to_owned());
    zoom.stacks.remove(1);
    recording.stacks.push(zoom);
    assert_eq!(sites(&recording, &judgement)[0].place(), "src/session.rs:20");
}

#[test]
fn what_a_derive_wrote_is_no_site_as_long_as_somebody_called_it() {
    let (mut recording, judgement) = run();
    let derived = "server::task::_::<impl serde_core::de::Deserialize for server::task::New>::deserialize";
    recording.stacks[0].symbols[1][2].function = derived.to_owned();
    assert_eq!(sites(&recording, &judgement)[0].place(), "src/session.rs:11");
    for symbol in recording.stacks[0].symbols.iter_mut().flatten() {
        symbol.function = derived.to_owned();
    }
    assert_eq!(sites(&recording, &judgement)[0].place(), "src/session.rs:4", "better than nothing");
}

#[test]
fn the_lines_and_closures_of_a_function_are_one_site_and_a_copy_is_of_who_asked_for_it() {
    let (mut recording, judgement) = run();
    // A third of what `keep` allocates, `read` does in one line, and as much again in a closure, by a clone.
    let stacks = &mut recording.stacks[0];
    let mut reads = stacks.symbols[3][0].clone();
    reads.line = Some(25);
    reads.function += "::{{closure}}";
    let mut clone = reads.clone();
    clone.function = "<server::id::Id as core::clone::Clone>::clone".to_owned();
    stacks.symbols.push(vec![clone, reads]);
    stacks.frames.push(stacks.frames[3]);
    let mut cloned = stacks.stacks[2].clone();
    cloned.frames[2] = 6;
    for blocks in stacks.stacks[2].marks.iter_mut().chain(&mut cloned.marks) {
        blocks.bytes *= 5;
    }
    cloned.marks[2].bytes += 1;
    stacks.stacks.push(cloned);
    let found = sites(&recording, &judgement);
    assert_eq!((found[0].function.as_str(), found[0].line), ("server::session::read::{{closure}}", Some(25)));
    assert!((found[0].share - 10.0 / 19.0).abs() < 1e-3, "{found:?}");
    assert_eq!(found[1].place(), "src/session.rs:4");
}

#[test]
fn what_one_stack_of_a_function_gains_and_another_loses_is_no_growth() {
    let (mut recording, judgement) = run();
    let stacks = &mut recording.stacks[0];
    let mut shrinking = stacks.stacks[1].clone();
    shrinking.marks.reverse();
    stacks.stacks.push(shrinking);
    let found = sites(&recording, &judgement);
    assert_eq!((found.len(), found[0].place().as_str()), (1, "src/session.rs:20"), "{found:?}");
}

#[test]
fn what_comes_and_goes_is_no_site_however_high_it_was_at_the_end() {
    let (mut recording, judgement) = run();
    let stacks = &mut recording.stacks[0];
    stacks.marks = (0..7).map(|cycle| Mark { cycle, requests: u64::from(cycle) * 1_000 }).collect();
    let held = |bytes: [u64; 7]| bytes.map(|bytes| Blocks { bytes, blocks: 1 }).to_vec();
    stacks.stacks[1].marks = held([1, 2, 3, 4, 5, 6, 7].map(|events| events * 100));
    // A sawtooth: by chance at its top when the run ends.
    stacks.stacks[2].marks = held([50_000, 10_000, 5_000, 60_000, 20_000, 70_000, 90_000]);
    stacks.stacks[0].marks = held([9_000_000; 7]);
    let found = sites(&recording, &judgement);
    assert_eq!((found.len(), found[0].place().as_str()), (1, "src/session.rs:4"), "{found:?}");
    // Alone it is better than nothing.
    recording.stacks[0].stacks.remove(1);
    assert_eq!(sites(&recording, &judgement)[0].place(), "src/session.rs:20");
}

#[test]
fn what_time_frees_is_named_by_what_it_holds_and_not_by_how_it_ended() {
    let (mut recording, mut judgement) = run();
    let finding = judgement.findings.iter_mut().find(|finding| finding.component == "session").unwrap();
    (finding.pattern, finding.bound_bytes) = (Pattern::TimeDriven, Some(1_000_000));
    let stacks = &mut recording.stacks[0];
    for (index, bytes) in [(0, [0; 3]), (1, [900, 900, 0]), (2, [0, 0, 100])] {
        stacks.stacks[index].marks = bytes.map(|bytes| Blocks { bytes, blocks: 1 }).to_vec();
    }
    assert_eq!(sites(&recording, &judgement)[0].place(), "src/session.rs:4");
}

#[test]
fn a_build_without_debug_info_has_a_function_and_no_line() {
    let (mut recording, judgement) = run();
    for symbol in recording.stacks[0].symbols.iter_mut().flatten() {
        (symbol.file, symbol.line) = (None, None);
    }
    let found = sites(&recording, &judgement);
    assert_eq!(
        (found[0].function.as_str(), found[0].place().as_str()),
        ("server::session::History::keep", "")
    );
    let run = Run::new(&recording, &judgement);
    let report: Value = serde_json::from_slice(&Json.render(&run).unwrap()[0].contents).unwrap();
    assert_eq!(report["findings"][1]["site"], Value::Null);
    assert!(Terminal::default().text(&run).contains("no debug info"));
    recording.stacks[0].symbols.clear();
    assert!(sites(&recording, &judgement).is_empty());
}

#[test]
fn the_line_is_in_every_format_for_people_and_for_programs() {
    let (recording, judgement) = run();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let source = "impl History {\n    fn keep(&mut self) {\n        // for ever\n        self.all.push(<Entry>);\n    }\n}\n";
    fs::write(folder.path().join("src/session.rs"), source).unwrap();
    let run = Run::new(&recording, &judgement).with_root(folder.path());
    let text = |renderer: &dyn Renderer| renderer.render(&run).unwrap()[0].text().to_owned();
    assert!(text(&Markdown).contains("src/session.rs:4"));
    assert!(text(&GitHub).contains("::error file=src/session.rs,line=4,title="));
    let report: Value = serde_json::from_str(&text(&Json)).unwrap();
    assert_eq!(report["findings"][1]["site"]["line"], 4);
    let schema: Value = serde_json::from_str(heapsoak_report::REPORT_SCHEMA).unwrap();
    assert!(jsonschema::is_valid(&schema, &report));
    let sarif: Value = serde_json::from_str(&text(&Sarif)).unwrap();
    let place = &sarif["runs"][0]["results"][1]["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"src/session.rs".into(), &4.into())
    );
    let terminal = Terminal::default().text(&run);
    assert!(terminal.contains("src/session.rs:4") && terminal.lines().all(|line| line.chars().count() <= 80));
    let page = text(&Html);
    let quoted = page.split_once("class=\"here\"").unwrap().1;
    assert!(quoted.contains("self.all.push(&#60;Entry&#62;);"), "{}", &quoted[..200]);
    assert!(page.contains("Called from") && page.contains("server::session::finish"));
}

#[test]
fn file_names_are_relative_to_the_folder_of_the_source() {
    let (mut recording, judgement) = run();
    for symbol in recording.stacks[0].symbols.iter_mut().flatten() {
        symbol.file = symbol.file.take().map(|file| format!("/home/me/{file}"));
    }
    let run = Run::new(&recording, &judgement).with_root(std::path::Path::new("/home/me"));
    assert_eq!(run.sites(&judgement.findings[1])[0].place(), "src/session.rs:4");
    assert_eq!(sites(&recording, &judgement)[0].place(), "/home/me/src/session.rs:4");
}

#[test]
fn the_folded_stacks_are_as_before() {
    let (recording, judgement) = run();
    let text = |folded: Folded| folded.render(&Run::new(&recording, &judgement)).unwrap().remove(0);
    insta::assert_snapshot!(text(Folded::default()).text());
    assert!(!text(Folded::default()).text().contains("raw_vec"));
    assert!(text(Folded { all_frames: true }).text().contains("alloc::raw_vec::finish_grow"));
}

#[test]
fn the_file_for_speedscope_is_as_before_and_adds_up() {
    let (recording, judgement) = run();
    let file = Speedscope::default().render(&Run::new(&recording, &judgement)).unwrap().remove(0);
    let json: Value = serde_json::from_slice(&file.contents).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
    let frames = json["shared"]["frames"].as_array().unwrap().len() as u64;
    for profile in json["profiles"].as_array().unwrap() {
        let samples = profile["samples"].as_array().unwrap();
        let weights: Vec<u64> =
            profile["weights"].as_array().unwrap().iter().map(|weight| weight.as_u64().unwrap()).collect();
        assert_eq!(samples.len(), weights.len());
        assert_eq!(weights.iter().sum::<u64>(), profile["endValue"].as_u64().unwrap());
        assert!(
            samples
                .iter()
                .flat_map(|one| one.as_array().unwrap())
                .all(|index| index.as_u64().unwrap() < frames)
        );
    }
}

#[test]
fn the_flamegraph_is_an_offline_svg_of_the_survivors() {
    let (recording, judgement) = run();
    let run = Run::new(&recording, &judgement);
    let svg = Flamegraph::default().render(&run).unwrap().remove(0);
    let text = svg.text();
    assert!(text.starts_with("<?xml") && text.contains("</svg>"));
    assert!(text.contains("server::session::History::keep") && text.contains("session.success"));
    assert!(!text.contains("href=\"http") && !text.contains("src=\"http"), "it loads nothing");
    assert_eq!(svg, Flamegraph::default().render(&run).unwrap().remove(0), "the same to the byte");
}

#[test]
fn a_differential_flamegraph_colours_what_grew_and_what_shrank() {
    let (before, judgement) = run();
    let mut after = before.clone();
    after.stacks[0].stacks[1].live.bytes = 300_000;
    after.stacks[0].stacks[3].live.bytes *= 2;
    let comparison = Comparison::of(Run::new(&before, &judgement), Run::new(&after, &judgement));
    let svg = String::from_utf8(differential(&comparison, false).unwrap()).unwrap();
    let colour = |function: &str| {
        let frame = svg.split("<title>").find(|part| part.starts_with(function)).unwrap();
        let rgb = frame.split_once("fill=\"rgb(").unwrap().1.split(')').next().unwrap();
        rgb.split(',').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>()
    };
    let (grew, shrank) =
        (colour("serde_json::from_str (10,000,000"), colour("server::session::History::keep"));
    assert!(grew[0] > grew[2], "red: {grew:?}");
    assert!(shrank[2] > shrank[0], "blue: {shrank:?}");
}

#[test]
fn the_profile_for_pprof_is_gzipped_and_the_same_to_the_byte() {
    let (recording, judgement) = run();
    let run = Run::new(&recording, &judgement);
    let file = Pprof::default().render(&run).unwrap().remove(0);
    assert_eq!(file, Pprof::default().render(&run).unwrap().remove(0));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(file.contents.as_slice()).read_to_end(&mut plain).unwrap();
    let holds = |text: &str| plain.windows(text.len()).any(|part| part == text.as_bytes());
    for text in
        ["inuse_space", "server::session::History::keep", "src/session.rs", "session.success", "component"]
    {
        assert!(holds(text), "{text}");
    }
    assert!(!holds("heapsoak_probe::allocator"));
}

/// Stands on a stack that jemalloc sampled.
#[inline(never)]
fn kept_by_the_server() -> u64 {
    std::hint::black_box(7)
}

/// The profiles that `scripts/test-pprof` opens: written to the folder that HEAPSOAK_PROFILES names.
#[test]
fn the_profiles_that_pprof_is_shown_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let asked = std::env::var_os("HEAPSOAK_PROFILES").map(std::path::PathBuf::from);
    let profiles = asked.as_deref().unwrap_or(folder.path());
    let (mut before, judgement) = run();
    before.stacks[0].symbols[4][0].function = "<server::App as server::Handler>::handle".to_owned();
    let mut after = before.clone();
    after.stacks[0].stacks[1].live.bytes = 300_000;
    after.stacks[0].stacks[3].live.bytes *= 2;
    for (name, recording) in [("before.pb.gz", &before), ("after.pb.gz", &after)] {
        let file = Pprof::default().render(&Run::new(recording, &judgement)).unwrap().remove(0);
        fs::write(profiles.join(name), file.contents).unwrap();
    }
    assert!(fs::metadata(profiles.join("after.pb.gz")).unwrap().len() > 100);
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let (here, caller) = (kept_by_the_server as *const () as u64 + 1, run as *const () as u64 + 1);
    let text = format!(
        "heap_v2/524288\n  t*: 2: 33554432 [0: 0]\n@ {here:#x} {caller:#x}\n  t*: 2: 33554432 [0: 0]\n\nMAPPED_LIBRARIES:\n{maps}"
    );
    fs::write(profiles.join("jemalloc.pb.gz"), convert_jemalloc(&text, false).unwrap()).unwrap();
}

#[test]
fn a_recording_without_stacks_is_refused_with_the_remedy() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    let renderers: [&dyn Renderer; 4] =
        [&Pprof::default(), &Folded::default(), &Flamegraph::default(), &Speedscope::default()];
    for renderer in renderers {
        let error = renderer.render(&run).unwrap_err().to_string();
        assert!(error.contains(renderer.name()) && error.contains("no stacks"), "{error}");
    }
}

#[test]
fn a_name_cannot_break_a_folded_line() {
    let (mut recording, judgement) = run();
    recording.stacks[0].symbols[3] = vec![Symbol { function: "a;b\nc 12".to_owned(), ..Symbol::default() }];
    let file = Folded::default().render(&Run::new(&recording, &judgement)).unwrap().remove(0);
    assert!(file.text().lines().all(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().is_ok()));
    assert!(file.text().contains("a:b c 12"));
}
