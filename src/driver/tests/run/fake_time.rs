//! The clock of servers that do not take their time from the probe.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Bench, program};
use heapsoak_driver::RunError;
use heapsoak_record::{Event, Moment, Outcome};

const CLOCKED: &str = r#"
version = 1
[target]
command = ["{program}", "__clocked", "{log}"]
[load]
cycles = 4
requests-per-cycle = 20
concurrency = 2
[clock]
advance = "6m"
every = 2
source = "libfaketime"
library = "{library}"
[weights]
"a.ok" = 1
[kind."a.ok"]
path = "/ok"
expect = { ok = [200] }
"#;

/// libfaketime itself where `HEAPSOAK_LIBFAKETIME` names it (`scripts/test-faketime`), else a library that does for the tests
/// what it does.
fn build_library(folder: &Path) -> PathBuf {
    if let Some(library) = std::env::var_os("HEAPSOAK_LIBFAKETIME") {
        return PathBuf::from(library);
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake/clock.c");
    let library = folder.join("libclock.so");
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(built.expect("the tests need a C compiler: install cc").success());
    library
}

fn bench(library: &Path) -> Bench {
    let text = CLOCKED.replace("{library}", &library.display().to_string());
    Bench::new(&text.replace("{program}", &program().display().to_string()))
}

#[tokio::test]
async fn a_server_that_asks_the_system_for_the_time_is_advanced_by_a_library() {
    let folder = tempfile::tempdir().unwrap();
    let library = build_library(folder.path());
    let bench = bench(&library);
    let recording = bench.run().await.unwrap();
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    // Times the server saw, in milliseconds: those of cycles 3 and 4 are six minutes later.
    let times: Vec<u64> = bench.log().iter().map(|line| line.parse().unwrap()).collect();
    let (before, after) = times.split_at(times.len() / 2);
    let gap = after.iter().min().unwrap() - before.iter().max().unwrap();
    assert!((360_000..420_000).contains(&gap), "{gap}");
    let events = &recording.events;
    let named = library.file_name().unwrap().to_str().unwrap();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::ClockFaked { library, .. } if library.ends_with(named))),
        "{events:?}"
    );
    let advanced = |cycle| Event::ClockAdvanced { cycle, by_ms: 360_000 };
    assert!(events.contains(&advanced(2)) && events.contains(&advanced(4)));
    let last = recording.snapshots.last().unwrap();
    assert_eq!(last.moment, Moment::AfterAdvance);
    assert!(last.clock_ms >= last.elapsed_ms + 720_000);
}

#[tokio::test]
async fn a_server_of_one_s_own_is_restarted_at_its_address_and_its_clock_stays_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let library = build_library(folder.path()).display().to_string();
    let text = CLOCKED.replace("{library}", &library).replace("{program}", &program().display().to_string());
    let bench = Bench::new(&text.replace("[weights]", "[restart]\nevery = 3\nkill = true\n[weights]"));
    let recording = bench.run().await.unwrap();
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    let restarted = recording.events.iter().find_map(|event| match event {
        Event::Restarted { cycle, pid, killed, .. } => Some((*cycle, *pid, *killed)),
        _ => None,
    });
    let (cycle, pid, killed) = restarted.unwrap();
    assert!(cycle == 3 && pid != recording.header.target.pid && killed, "{restarted:?}");
    let last = recording.snapshots.last().unwrap();
    assert_eq!((last.requests, last.kinds[0].failed), (80, 0));
    // Without a probe there is no heap, but the resources of the new process are looked at.
    assert!(last.heap.is_none() && last.resource("rss").is_some());
    let times: Vec<u64> = bench.log().iter().map(|line| line.parse().unwrap()).collect();
    // The third cycle is after the advance and before the restart, the fourth after both.
    let advanced = |cycle: usize| times[20 * (cycle - 1)..20 * cycle].iter().min().unwrap() - times[0];
    assert!(advanced(3) >= 360_000 && advanced(4) >= 360_000, "{times:?}");
}

#[tokio::test]
async fn a_library_that_is_missing_or_is_not_loaded_is_bad_input() {
    let missing = bench(Path::new("/nowhere/libfaketime.so.1")).run().await.unwrap_err();
    assert!(
        matches!(&missing, RunError::Input(why) if why.contains("/nowhere/libfaketime.so.1")),
        "{missing}"
    );
    let folder = tempfile::tempdir().unwrap();
    let junk = folder.path().join("junk.so");
    std::fs::write(&junk, "no library").unwrap();
    let unloaded = bench(&junk).run().await.unwrap_err();
    assert!(
        matches!(&unloaded, RunError::Input(why) if why.contains("is not in the server's process")),
        "{unloaded}"
    );
}

#[tokio::test]
async fn the_built_in_server_takes_its_time_from_the_probe() {
    let folder = tempfile::tempdir().unwrap();
    let library = build_library(folder.path()).display().to_string();
    let lines = CLOCKED.lines().filter(|line| !line.starts_with("command")).collect::<Vec<_>>().join("\n");
    let error = Bench::new(&lines.replace("{library}", &library)).run().await.unwrap_err();
    assert!(matches!(&error, RunError::Input(why) if why.contains("that is started for the run")), "{error}");
}
