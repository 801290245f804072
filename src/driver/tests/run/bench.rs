//! What the tests that run the fake target have in common.

use std::fs;
use std::path::{Path, PathBuf};

use heapsoak_driver::{Run, RunError, Scenario, Silent, run};
use heapsoak_record::Recording;

/// A folder of its own with a scenario in it.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) scenario: Scenario,
}

impl Bench {
    /// `{log}` in the text becomes the path of the fake server's log.
    pub(crate) fn new(text: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        let log = folder.path().join("log");
        fs::write(&path, text.replace("{log}", &log.display().to_string())).unwrap();
        let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
        Bench { folder, scenario }
    }

    pub(crate) fn recording(&self) -> PathBuf {
        self.folder.path().join("recording.jsonl")
    }

    pub(crate) fn plan<'a>(&'a self, recording: &'a Path) -> Run<'a> {
        Run::new(&self.scenario, program(), recording)
    }

    pub(crate) async fn run(&self) -> Result<Recording, RunError> {
        let path = self.recording();
        run(self.plan(&path), &mut Silent).await
    }

    /// The fake server's log, one line per request.
    pub(crate) fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The fake target.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_heapsoak-fake-target"))
}

/// Processes whose command line holds all of these words and that have not ended.
pub(crate) fn processes_with(words: &[&str]) -> Vec<i32> {
    let all = procfs::process::all_processes().unwrap();
    let fits = |process: &procfs::process::Process| {
        let line = process.cmdline().unwrap_or_default().join(" ");
        words.iter().all(|word| line.contains(word))
    };
    all.filter_map(Result::ok).filter(fits).map(|process| process.pid).collect()
}
