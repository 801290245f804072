//! Starting a subject and reading what it measured.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use heapsoak_bench::work::{Figures, Work};

use super::contender::Contender;
use super::error::BenchError;

/// Longest a subject may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The programs, and a directory for what they leave.
#[derive(Debug)]
pub(crate) struct Subjects {
    programs: PathBuf,
    /// Directories with some of the programs, each linked in another order of functions.
    layouts: Vec<PathBuf>,
    scratch: tempfile::TempDir,
}

impl Subjects {
    /// The subjects in this directory, or beside this program; and those in the directories of another one, a layout each.
    pub(crate) fn find(programs: Option<&Path>, layouts: Option<&Path>) -> Result<Subjects, BenchError> {
        let beside = || {
            let own = env::current_exe().map_err(BenchError::Directory)?;
            Ok(own.parent().map(Path::to_path_buf).unwrap_or_default())
        };
        let programs = programs.map_or_else(beside, |programs| Ok(programs.to_path_buf()))?;
        let scratch = tempfile::tempdir().map_err(BenchError::Directory)?;
        let layouts = layouts.map_or_else(|| Ok(Vec::new()), directories_of)?;
        Ok(Subjects { programs, layouts, scratch })
    }

    /// In how many orders of functions the subjects are there; zero when as they were linked.
    pub(crate) fn layouts(&self) -> usize {
        self.layouts.len()
    }

    /// Whether a contender can be started: jemalloc's profiler is a build of its own, heaptrack a program to install.
    pub(crate) fn has(&self, contender: &Contender) -> bool {
        self.program(contender, 0).is_file() && contender.starter.is_none_or(is_installed)
    }

    /// Where its program of a round is, if it was built.
    pub(crate) fn program(&self, contender: &Contender, round: u32) -> PathBuf {
        let name = format!("subject-{}", contender.subject);
        let layout = self.layouts.get(round as usize % self.layouts.len().max(1));
        let linked_anew = layout.map(|layout| layout.join(&name)).filter(|program| program.is_file());
        linked_anew.unwrap_or_else(|| self.programs.join(name))
    }

    /// Starts the contender of a round, waits, and reads its figures.
    pub(crate) fn run(&self, contender: &Contender, round: u32, work: &Work) -> Result<Figures, BenchError> {
        let program = self.program(contender, round);
        if !program.is_file() {
            return Err(BenchError::Missing(program));
        }
        let failed = |error| BenchError::Start { what: contender.name.to_owned(), error };
        let (out, err) = (self.scratch.path().join("stdout"), self.scratch.path().join("stderr"));
        let mut command = match contender.starter {
            Some(starter) => {
                let mut command = Command::new(starter);
                command.args(["--raw", "--output"]).arg(self.scratch.path().join("record")).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .arg(serde_json::to_string(work).expect("plain numbers and names"))
            .env_remove("HEAPSOAK_SOCKET")
            .env_remove("HEAPSOAK_MODE")
            .env_remove("_RJEM_MALLOC_CONF")
            .env("BENCH_FILE", self.scratch.path().join("dhat-heap.json"))
            .envs(contender.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(&out).map_err(failed)?)
            .stderr(File::create(&err).map_err(failed)?);
        if contender.awake {
            command.env("HEAPSOAK_SOCKET", self.scratch.path().join("socket"));
        }
        let mut child = command.spawn().map_err(failed)?;
        let Some(status) = wait(&mut child).map_err(failed)? else {
            return Err(BenchError::TooSlow(contender.name.to_owned(), LIMIT.as_secs()));
        };
        let (out, err) = (read(&out).map_err(failed)?, read(&err).map_err(failed)?);
        if !status.success() {
            return Err(BenchError::Failed { what: contender.name.to_owned(), status, stderr: err });
        }
        // A starter may print lines of its own around the one of the subject.
        let line = out.lines().find(|line| line.starts_with('{')).unwrap_or_default();
        serde_json::from_str(line)
            .map_err(|error| BenchError::Figures { what: contender.name.to_owned(), error })
    }
}

fn directories_of(path: &Path) -> Result<Vec<PathBuf>, BenchError> {
    let failed = |error| BenchError::Layouts { path: path.to_path_buf(), error };
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let mut directories: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(failed)?;
    directories.retain(|directory| directory.is_dir());
    directories.sort();
    if directories.is_empty() {
        return Err(failed(io::Error::new(io::ErrorKind::NotFound, "no directory in it")));
    }
    Ok(directories)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn wait(child: &mut Child) -> io::Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
