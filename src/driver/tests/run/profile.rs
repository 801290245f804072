//! A run that is asked for a profile.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bench::Bench;
use heapsoak_driver::{Profile, Profiler, Progress, Run, Watcher, run};
use heapsoak_record::Recording;

/// Keeps what it is told about the profile.
#[derive(Default)]
struct Profiled(Vec<(PathBuf, Result<(), String>)>);

impl Watcher for Profiled {
    fn progress(&mut self, _: &Progress) {}

    fn planned_done(&mut self, _: &Recording) -> u32 {
        0
    }

    fn profiled(&mut self, file: &Path, result: Result<(), String>) {
        self.0.push((file.to_owned(), result));
    }
}

fn scenario(arguments: &str) -> Bench {
    Bench::new(&format!(
        r#"
version = 1
[target]
args = [{arguments}]
[load]
cycles = 3
requests-per-cycle = 20
[weights]
"a.ok" = 1
[kind."a.ok"]
path = "/ok"
expect = {{ ok = [200] }}
"#
    ))
}

#[tokio::test]
async fn the_profiler_named_writes_the_file_named_before_the_server_ends() {
    let bench = scenario(r#""--log", "{log}""#);
    let (file, mut told) = (bench.folder.path().join("p"), Profiled::default());
    let recording = bench.recording();
    let profile = Some(Profile { profiler: Profiler::Dhat, file: file.clone() });
    let recording = run(Run { profile, ..bench.plan(&recording) }, &mut told).await.unwrap();
    assert_eq!(told.0, [(file.clone(), Ok(()))]);
    assert_eq!(fs::read_to_string(file).unwrap(), "dhat");
    assert!(recording.header.not_analysed.iter().any(|sentence| sentence.contains("dhat")));
}

#[tokio::test]
async fn a_run_that_asks_for_no_profile_hears_of_none() {
    let bench = scenario(r#""--log", "{log}""#);
    let (recording, mut told) = (bench.recording(), Profiled::default());
    run(bench.plan(&recording), &mut told).await.unwrap();
    assert!(told.0.is_empty());
}

#[tokio::test]
async fn a_target_that_died_has_no_profile_and_the_recording_is_kept() {
    let bench = scenario(r#""--log", "{log}", "--die-after", "30""#);
    let (file, mut told) = (bench.folder.path().join("p"), Profiled::default());
    let recording = bench.recording();
    let profile = Some(Profile { profiler: Profiler::Jemalloc, file: file.clone() });
    let recording = run(Run { profile, ..bench.plan(&recording) }, &mut told).await.unwrap();
    assert!(!recording.snapshots.is_empty());
    assert!(matches!(&told.0[..], [(_, Err(_))]), "{:?}", told.0);
    assert!(!file.exists());
}
