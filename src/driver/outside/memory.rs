use std::fs;
use std::path::Path;

/// Resident memory of a process in bytes: all of it, its fair share of what is shared, and what is its alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Memory {
    pub(super) rss: u64,
    pub(super) pss: u64,
    pub(super) private: u64,
}

/// Reads `/proc/PID/smaps_rollup`. None for a process that is gone or that may not be looked at.
pub(super) fn of(pid: i32) -> Option<Memory> {
    parse(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)
}

fn parse(text: &str) -> Option<Memory> {
    let line = |name: &str| -> Option<u64> {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    };
    let private = line("Private_Clean:").unwrap_or(0) + line("Private_Dirty:").unwrap_or(0);
    Some(Memory { rss: line("Rss:")?, pss: line("Pss:")?, private })
}

/// The memory limit of a process's cgroup (version 2), the tightest on its path, in bytes. None when there is none.
pub(crate) fn memory_limit(pid: u32) -> Option<u64> {
    tightest(Path::new("/sys/fs/cgroup"), &fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

/// Memory charged to a process's cgroup (version 2), in bytes; none at the root, which has the whole machine's.
pub(super) fn cgroup_current(pid: i32) -> Option<u64> {
    let own = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    if path.is_empty() {
        return None;
    }
    fs::read_to_string(Path::new("/sys/fs/cgroup").join(path).join("memory.current"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn tightest(root: &Path, own: &str) -> Option<u64> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = root.join(path);
    let folders = folder.ancestors().take_while(|folder| folder.starts_with(root));
    folders.filter_map(|folder| fs::read_to_string(folder.join("memory.max")).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_summary_is_read() {
        let text = "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:  1200 kB\nPss:   800 kB\nPss_Dirty: 5 kB\n\
                    Shared_Clean: 400 kB\nPrivate_Clean: 100 kB\nPrivate_Dirty: 700 kB\n";
        let memory = Memory { rss: 1200 << 10, pss: 800 << 10, private: 800 << 10 };
        assert_eq!(parse(text), Some(memory));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_has_memory() {
        let memory = of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(
            memory.rss >= memory.pss && memory.pss >= memory.private && memory.private > 1 << 16,
            "{memory:?}"
        );
    }

    #[test]
    fn the_tightest_limit_on_the_path_holds() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/memory.max"), "4096\n").unwrap();
        fs::write(root.path().join("a/b/memory.max"), "max\n").unwrap();
        assert_eq!(tightest(root.path(), "1:cpu:/x\n0::/a/b\n"), Some(4096));
    }
}
