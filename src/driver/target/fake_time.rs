//! The clock of a server that does not take its time from the probe: faked by libfaketime, which is loaded into it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::run_error::RunError;

/// Where distributions put it; of the two it comes as, the one for servers with threads first.
const LIBRARIES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/libfaketime.so.1",
];

/// How long the library goes on with what it has read of its file: for so many seconds of the clock beyond the one it was
/// read in. Reading it for each look at the clock would slow the server down.
const CACHED_S: u64 = 0;

/// Time until every thread has seen an advance.
const SEEN: Duration = Duration::from_millis(1000 * (CACHED_S + 1) + 200);

/// A clock that is ahead of the real one by what a file says.
#[derive(Debug)]
pub(crate) struct FakeTime {
    library: PathBuf,
    file: PathBuf,
    advanced_ms: AtomicU64,
}

impl FakeTime {
    /// Finds the library: the one that is named, or where distributions put it.
    pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, RunError> {
        find_among(named, LIBRARIES)
    }

    /// Has the library loaded into what a command starts, and into what that starts in turn.
    pub(super) fn begin(library: &Path, folder: &Path, command: &mut Command) -> Result<FakeTime, RunError> {
        let fake_time = FakeTime {
            library: library.to_owned(),
            file: folder.join("faketime"),
            advanced_ms: AtomicU64::new(0),
        };
        fake_time.write(0)?;
        let mut preload = OsString::from(library);
        if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
            preload.push(":");
            preload.push(others);
        }
        command
            .env("LD_PRELOAD", preload)
            .env("FAKETIME_TIMESTAMP_FILE", &fake_time.file)
            .env("FAKETIME_CACHE_DURATION", CACHED_S.to_string())
            .env_remove("FAKETIME");
        Ok(fake_time)
    }

    /// Whether the library is in a process: one that is linked statically, or drops the variable, would go on with the
    /// real time, and nobody would notice.
    pub(super) fn check(&self, pid: u32) -> Result<(), RunError> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let name = fs::canonicalize(&self.library).unwrap_or_else(|_| self.library.clone());
        if maps.contains(&*name.to_string_lossy()) {
            return Ok(());
        }
        Err(RunError::Input(format!(
            "{} is not in the server's process {pid}: its clock can't be advanced (is it linked statically, or does it clear \
             LD_PRELOAD?)",
            self.library.display()
        )))
    }

    /// The file of the library.
    pub(crate) fn library(&self) -> &Path {
        &self.library
    }

    /// Advances the clock, and waits until every thread sees it; returns the sum of all advances in milliseconds.
    pub(crate) async fn advance(&self, by_ms: u64) -> Result<u64, RunError> {
        let sum = self.advanced_ms.fetch_add(by_ms, Ordering::Relaxed) + by_ms;
        self.write(sum)?;
        sleep(SEEN).await;
        Ok(sum)
    }

    /// Whole, whenever it is read.
    fn write(&self, advanced_ms: u64) -> Result<(), RunError> {
        let new = self.file.with_extension("new");
        let text = format!("+{}.{:03}\n", advanced_ms / 1000, advanced_ms % 1000);
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &self.file))
            .map_err(|error| RunError::internal(&format!("can't write {}", self.file.display()), error))
    }
}

fn find_among(named: Option<&Path>, known: &[&str]) -> Result<PathBuf, RunError> {
    if let Some(named) = named {
        let absolute = fs::canonicalize(named);
        return absolute.map_err(|error| {
            RunError::Input(format!("can't load the clock's library {}: {error}", named.display()))
        });
    }
    let found = known.iter().map(PathBuf::from).find(|path| path.is_file());
    found.ok_or_else(|| {
        RunError::Input(
            "the clock's source is libfaketime, which is not installed: install the package libfaketime (apt-get install \
             libfaketime, dnf install libfaketime), or name its file as library in [clock]"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_installed_is_asked_for_by_its_package() {
        let error = find_among(None, &["/nowhere/libfaketime.so.1"]).unwrap_err().to_string();
        assert!(error.contains("install the package libfaketime") && !error.contains('\n'), "{error}");
        let error = find_among(Some(Path::new("/nowhere/x.so")), &[]).unwrap_err().to_string();
        assert!(error.contains("/nowhere/x.so"), "{error}");
    }
}
