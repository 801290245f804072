//! The profilers beside the probe, each in a process of its own: the choice is made before `main`.

#![cfg(feature = "profiler")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use heapsoak_probe::profiler::{self, Choosing, ProfileError};
use heapsoak_probe::{Component, Probe};
use jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Probe<Choosing<Jemalloc>> = Probe::new(Choosing::new(Jemalloc));

static KEEPER: Component = Component::new("keeper");

/// Names what the process that a test starts is to write its counts to.
const COUNTS: &str = "HEAPSOAK_TEST_COUNTS";

/// Not a test of its own: the program that the tests below run with a profiler.
#[test]
fn program() {
    let Some(counts) = env::var_os(COUNTS) else { return };
    heapsoak_probe::count();
    heapsoak_probe::start();
    let mut kept = KEEPER.scope(|| Vec::with_capacity(1_000));
    for size in 0..1_000 {
        kept.push(KEEPER.scope(|| vec![1_u8; size]));
    }
    kept.truncate(600);
    KEEPER.scope(|| kept.iter_mut().for_each(|block| block.resize(block.len() + 100, 2)));
    let heap = heapsoak_probe::heap();
    let keeper = heap.contexts.iter().find(|context| context.path == ["keeper"]).unwrap();
    let written = profiler::write();
    let again = profiler::write();
    assert_eq!(again, Err(ProfileError::NotRunning));
    drop(kept);
    let line = format!(
        "{} {} {} {} {}\n",
        keeper.allocated_bytes,
        keeper.allocated_blocks,
        keeper.freed_bytes,
        keeper.freed_blocks,
        written.map_or_else(|error| error.to_string(), |file| file.display().to_string())
    );
    fs::write(counts, line).unwrap();
}

/// Runs the program; returns its counts, what it says of its profile, and its stderr.
fn run(folder: &Path, profiler: &str, options: &str) -> (String, String, String) {
    let counts = folder.join("counts");
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "program", "--test-threads=1", "--nocapture"])
        .env(COUNTS, &counts)
        .env("HEAPSOAK_PROFILER", profiler)
        .env("HEAPSOAK_PROFILE", folder.join("profile"))
        .env("_RJEM_MALLOC_CONF", options)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let line = fs::read_to_string(counts).unwrap();
    let (counts, profile) =
        line.trim_end().match_indices(' ').nth(3).map(|(at, _)| line.split_at(at)).unwrap();
    (counts.to_owned(), profile.trim().to_owned(), stderr)
}

#[test]
fn components_are_counted_alike_with_and_without_a_profiler() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile");
    let (plain, profile, stderr) = run(folder.path(), "", "");
    assert_eq!(profile, "no profiler runs in the server");
    assert!(stderr.contains("use dhat or jemalloc"), "{stderr}");
    assert!(!file.exists());

    let (with_dhat, profile, stderr) = run(folder.path(), "dhat", "");
    assert_eq!((with_dhat.as_str(), profile), (plain.as_str(), file.display().to_string()), "{stderr}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"dhatFileVersion\": 2"), "{text}");
    assert!(text.contains("profiler::program"), "{text}");

    fs::remove_file(&file).unwrap();
    if !cfg!(feature = "jemalloc-profiler") {
        return;
    }
    let options = "prof:true,prof_active:true,lg_prof_sample:19";
    let (with_jemalloc, profile, stderr) = run(folder.path(), "jemalloc", options);
    assert_eq!((with_jemalloc.as_str(), profile), (plain.as_str(), file.display().to_string()), "{stderr}");
    assert!(fs::read_to_string(&file).unwrap().starts_with("heap_v2/524288\n"));
}

#[test]
fn a_profiler_that_cannot_work_is_said_and_the_server_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let (_, profile, stderr) = run(folder.path(), "jemalloc", "");
    assert!(stderr.contains("_RJEM_MALLOC_CONF=prof:true"), "{stderr}");
    assert_eq!(profile, "no profiler runs in the server");

    let blocked = folder.path().join("blocked");
    fs::create_dir(&blocked).unwrap();
    fs::create_dir(blocked.join("profile")).unwrap();
    let options = "prof:true,prof_active:true,lg_prof_sample:19";
    let all = [("dhat", ""), ("jemalloc", options)];
    let able = if cfg!(feature = "jemalloc-profiler") { 2 } else { 1 };
    for (profiler, options) in all.into_iter().take(able) {
        let (_, profile, stderr) = run(&blocked, profiler, options);
        assert!(profile.starts_with("can't write the profile to"), "{profiler}: {profile} {stderr}");
    }
}
