//! jemalloc's profile in the format that more tools open.

use std::fs;
use std::path::{Path, PathBuf};

use heapsoak_driver::{Profile, Profiler};
use heapsoak_report::convert_jemalloc;

use crate::progress::Progress;

/// Writes what jemalloc's profiler wrote as pprof beside it, with functions and lines, while the program that ran is still the
/// one it was. Does nothing where there is no such profile; says why it can't.
pub(crate) fn to_pprof(profile: Option<&Profile>, progress: &mut Progress) -> Option<PathBuf> {
    let file = &profile.filter(|profile| profile.profiler == Profiler::Jemalloc)?.file;
    let text = fs::read_to_string(file).ok()?;
    match convert_jemalloc(&text, false)
        .map_err(|error| error.to_string())
        .and_then(|pprof| write(file, &pprof))
    {
        Ok(path) => Some(path),
        Err(why) => {
            progress.say(&format!("{} is not written as pprof: {why}", file.display()));
            None
        }
    }
}

fn write(beside: &Path, pprof: &[u8]) -> Result<PathBuf, String> {
    let path = beside.with_extension("pb.gz");
    fs::write(&path, pprof).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
