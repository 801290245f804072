use heapsoak_record::Resource;
use procfs::process::{FDTarget, Process};

use super::count;

/// Open file descriptors by kind.
pub(super) fn open() -> Vec<Resource> {
    let Ok(descriptors) = Process::myself().and_then(|process| process.fd()) else { return Vec::new() };
    let (mut socket, mut pipe, mut file, mut other) = (0, 0, 0, 0);
    for descriptor in descriptors.flatten() {
        match descriptor.target {
            FDTarget::Socket(_) => socket += 1,
            FDTarget::Pipe(_) => pipe += 1,
            // The directory that is read here is a descriptor too.
            FDTarget::Path(path) if path.starts_with("/proc/") && path.ends_with("fd") => {}
            FDTarget::Path(_) => file += 1,
            _ => other += 1,
        }
    }
    vec![
        count("fds.socket", socket),
        count("fds.pipe", pipe),
        count("fds.file", file),
        count("fds.other", other),
    ]
}
