use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io, process};

use jiff::Timestamp;

use crate::exit::Exit;
use crate::failure::Failure;

/// Where runs are kept, below the working directory.
const REPORTS: &str = "reports";

/// Name of the recording in a run's folder.
const RECORDING: &str = "recording.jsonl";

/// The folder a soak writes to.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    is_new: bool,
}

impl RunFolder {
    /// Makes the folder: `out` if given, else `reports/<time>-<name>`.
    pub(crate) fn create(out: Option<&Path>, name: &str, now: SystemTime) -> Result<RunFolder, Failure> {
        match out {
            Some(out) => RunFolder::create_at(out),
            None => create_new(&Path::new(REPORTS).join(format!("{}-{name}", timestamp(now)))),
        }
    }

    /// The folder of a run that is to be gone on with.
    pub(crate) fn resume(path: &Path) -> Result<RunFolder, Failure> {
        let folder = RunFolder { path: path.to_owned(), is_new: false };
        if folder.recording().is_file() {
            return Ok(folder);
        }
        let missing = format!("there is no {RECORDING} in {}: nothing to go on with", path.display());
        Err(Failure::new(Exit::Usage, missing))
    }

    /// Keeps the recording under another name; returns its path.
    pub(crate) fn set_aside(&self) -> Result<PathBuf, Failure> {
        let names = (1..).map(|number| self.path.join(format!("recording-before-{number}.jsonl")));
        let free = names.into_iter().find(|path| !path.exists()).expect("numbers don't end");
        fs::rename(self.recording(), &free).map_err(|error| Failure::unwritable(&free, &error))?;
        Ok(free)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of one scenario of several.
    pub(crate) fn scenario(&self, name: &str) -> Result<RunFolder, Failure> {
        RunFolder::create_at(&self.path.join(name))
    }

    /// The recording in this folder.
    pub(crate) fn recording(&self) -> PathBuf {
        recording_in(&self.path)
    }

    /// The file a profiler writes in this folder. Its path is absolute: another process writes it.
    pub(crate) fn profile(
        &self,
        profiler: heapsoak_driver::Profiler,
    ) -> Result<heapsoak_driver::Profile, Failure> {
        let file = std::path::absolute(self.path.join(profiler.file_name()))
            .map_err(|error| Failure::unwritable(&self.path, &error))?;
        Ok(heapsoak_driver::Profile { profiler, file })
    }

    /// A folder that may be there already, but not with a recording in it.
    fn create_at(path: &Path) -> Result<RunFolder, Failure> {
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(|error| Failure::unwritable(path, &error))?;
        let folder = RunFolder { path: path.to_owned(), is_new };
        if folder.recording().exists() {
            let there = format!("{} is there already", folder.recording().display());
            return Err(Failure::unwritable(path, &there));
        }
        Ok(folder)
    }

    /// Where the recording of a second pass is kept while it runs.
    pub(crate) fn second_pass(&self) -> PathBuf {
        self.path.join("second-pass.jsonl")
    }

    /// Removes the folder if it was made for this run and nothing was written to it.
    pub(crate) fn remove_if_empty(&self) {
        if self.is_new {
            // What is not empty, or gone already, stays as it is.
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// Points `reports/latest` at this folder; a link that was there is replaced in one step.
    pub(crate) fn point_latest(&self) -> Result<(), Failure> {
        let reports = Path::new(REPORTS);
        let latest = reports.join("latest");
        let link = || -> io::Result<()> {
            fs::create_dir_all(reports)?;
            let folder = self.path.canonicalize()?;
            let home = reports.canonicalize()?;
            let target = folder.strip_prefix(&home).unwrap_or(&folder);
            let fresh = reports.join(format!(".latest-{}", process::id()));
            let _ = fs::remove_file(&fresh);
            std::os::unix::fs::symlink(target, &fresh)?;
            fs::rename(&fresh, &latest).inspect_err(|_| {
                let _ = fs::remove_file(&fresh);
            })
        };
        link().map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("can't point {} at {}: {error}", latest.display(), self.path.display()),
            )
        })
    }
}

/// The recording a path means: the file itself, or the recording in a run's folder.
#[must_use]
pub(crate) fn recording_in(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(RECORDING) } else { path.to_owned() }
}

/// A folder that was not there before: two soaks in the same second get two folders.
fn create_new(path: &Path) -> Result<RunFolder, Failure> {
    fs::create_dir_all(REPORTS).map_err(|error| Failure::unwritable(Path::new(REPORTS), &error))?;
    for attempt in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        if attempt > 1 {
            name.push(format!("-{attempt}"));
        }
        let path = PathBuf::from(name);
        match fs::create_dir(&path) {
            Ok(()) => return Ok(RunFolder { path, is_new: true }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {}
            Err(error) => return Err(Failure::unwritable(&path, &error)),
        }
    }
    unreachable!("the loop returns by the hundredth attempt")
}

/// `2026-02-28T23-59-59Z`: sorts by time, and is a file name everywhere.
fn timestamp(now: SystemTime) -> String {
    Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H-%M-%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_timestamp_names_the_second_in_utc() {
        let cases = [
            (0, "1970-01-01T00-00-00Z"),
            (951_782_399, "2000-02-28T23-59-59Z"),
            (951_782_400, "2000-02-29T00-00-00Z"),
            (1_772_323_199, "2026-02-28T23-59-59Z"),
            (1_772_323_200, "2026-03-01T00-00-00Z"),
            (4_107_542_400, "2100-03-01T00-00-00Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_folder_that_holds_a_recording_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(Some(folder.path()), "x", UNIX_EPOCH).unwrap();
        fs::write(run.recording(), "").unwrap();
        let failure = RunFolder::create(Some(folder.path()), "x", UNIX_EPOCH).unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
    }

    #[test]
    fn only_an_empty_folder_made_for_the_run_is_removed() {
        let there = tempfile::tempdir().unwrap();
        RunFolder::create(Some(there.path()), "x", UNIX_EPOCH).unwrap().remove_if_empty();
        assert!(there.path().exists());
        let run = RunFolder::create(Some(&there.path().join("run")), "x", UNIX_EPOCH).unwrap();
        fs::write(run.recording(), "").unwrap();
        run.remove_if_empty();
        assert!(run.path().exists());
        fs::remove_file(run.recording()).unwrap();
        run.remove_if_empty();
        assert!(!run.path().exists());
    }
}
