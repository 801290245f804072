//! However a run ends, what was recorded is kept and nothing is left behind.

use std::time::Duration;

use crate::bench::{Bench, processes_with};
use heapsoak_driver::{Doing, Progress, Run, RunError, Silent, Watcher, run};
use heapsoak_record::{Outcome, Recording};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

fn scenario(arguments: &str) -> Bench {
    Bench::new(&format!(
        r#"
version = 1
[target]
args = [{arguments}]
[load]
cycles = 1000
requests-per-cycle = 100
[weights]
"a.ok" = 1
[kind."a.ok"]
path = "/ok"
expect = {{ ok = [200] }}
"#
    ))
}

/// The run's processes are told from those of other tests by the path of their log.
fn left_of(bench: &Bench) -> Vec<i32> {
    processes_with(&[&bench.folder.path().display().to_string()])
}

#[tokio::test]
async fn a_target_that_dies_leaves_the_recording_until_then() {
    let bench = scenario(r#""--log", "{log}", "--die-after", "450""#);
    let recording = bench.run().await.unwrap();
    let end = recording.end.clone().unwrap();
    let Outcome::TargetDied { status, stderr } = end.outcome else { panic!("{end:?}") };
    assert_eq!(status, "exit status 7");
    assert!(stderr.contains("dying as told"), "{stderr}");
    assert!(recording.snapshots.len() >= 4, "{}", recording.snapshots.len());
    assert_eq!(Recording::read(&bench.recording()).unwrap(), recording);
    assert!(left_of(&bench).is_empty());
}

/// Acts once when the run has come to a cycle.
struct At<F> {
    cycle: u32,
    act: Option<F>,
}

impl<F: FnOnce() + Send> Watcher for At<F> {
    fn progress(&mut self, progress: &Progress) {
        if progress.cycle >= self.cycle
            && progress.doing == Doing::Resting
            && let Some(act) = self.act.take()
        {
            act();
        }
    }

    fn planned_done(&mut self, _: &Recording) -> u32 {
        0
    }
}

#[tokio::test]
async fn a_killed_target_is_told_by_its_signal() {
    let bench = scenario(r#""--log", "{log}""#);
    let path = bench.recording();
    let mark = bench.folder.path().display().to_string();
    let kill = move || {
        for pid in processes_with(&["__autopilot", &mark]) {
            kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        }
    };
    let recording = run(bench.plan(&path), &mut At { cycle: 3, act: Some(kill) }).await.unwrap();
    let end = recording.end.unwrap();
    let Outcome::TargetDied { status, .. } = end.outcome else { panic!("{end:?}") };
    assert_eq!(status, "killed by signal 9 (SIGKILL)");
    assert!(left_of(&bench).is_empty());
}

#[tokio::test]
async fn a_stopped_run_keeps_its_recording_and_ends_its_processes() {
    let bench = scenario(r#""--log", "{log}", "--orphan""#);
    let path = bench.recording();
    let (sender, stop) = watch::channel(false);
    let plan = Run { stop, ..bench.plan(&path) };
    let ask = move || {
        sender.send_replace(true);
    };
    let recording = run(plan, &mut At { cycle: 3, act: Some(ask) }).await.unwrap();
    assert_eq!(recording.end.unwrap().outcome, Outcome::Interrupted);
    assert!(recording.snapshots.len() >= 3);
    assert!(left_of(&bench).is_empty());
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_nothing_behind() {
    let bench = scenario(r#""--log", "{log}""#);
    let path = bench.recording();
    let mut watcher = Silent;
    let running = run(bench.plan(&path), &mut watcher);
    assert!(tokio::time::timeout(Duration::from_millis(500), running).await.is_err());
    assert!(left_of(&bench).is_empty());
}

#[tokio::test]
async fn orphans_in_groups_of_their_own_are_ended_and_reaped() {
    let bench = scenario(r#""--log", "{log}", "--orphan", "--die-after", "150""#);
    let path = bench.recording();
    let mark = bench.folder.path().display().to_string();
    let (sender, found) = std::sync::mpsc::channel();
    let look = move || sender.send(processes_with(&["__orphan", &mark])).unwrap();
    run(bench.plan(&path), &mut At { cycle: 1, act: Some(look) }).await.unwrap();
    let orphans = found.recv().unwrap();
    assert_eq!(orphans.len(), 1);
    // Not even as a zombie.
    assert!(procfs::process::Process::new(orphans[0]).is_err());
    assert!(left_of(&bench).is_empty());
}

#[tokio::test]
async fn a_start_that_fails_says_whose_fault_it_is() {
    let refused = scenario(r#""--refuse""#).run().await.unwrap_err();
    assert_eq!(refused, RunError::Input("the server refuses to start: the port is in use".to_owned()));
    let mute = scenario(r#""--mute""#).run().await.unwrap_err();
    let RunError::WouldNotStart(message) = &mute else { panic!("{mute:?}") };
    assert!(message.contains("ended at once (exit status 101): thread 'main' panicked"), "{message}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_bad_input() {
    let bench = scenario("");
    let path = bench.recording();
    let plan = Run { program: "/nowhere/heapsoak".as_ref(), ..bench.plan(&path) };
    let error = run(plan, &mut Silent).await.unwrap_err();
    assert!(
        matches!(&error, RunError::Input(message) if message.contains("can't start /nowhere/heapsoak")),
        "{error}"
    );
}

#[tokio::test]
async fn a_recording_that_exists_is_not_overwritten() {
    let bench = scenario("");
    std::fs::write(bench.recording(), "mine").unwrap();
    let error = bench.run().await.unwrap_err();
    assert!(matches!(&error, RunError::Input(message) if message.contains("can't write")), "{error}");
    assert_eq!(std::fs::read_to_string(bench.recording()).unwrap(), "mine");
}
