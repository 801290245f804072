use std::fs;
use std::path::Path;

/// The memory limit of this process's cgroup (version 2), the tightest on its path, in bytes. None when there is none.
pub(crate) fn memory_limit_bytes() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    tightest(Path::new("/sys/fs/cgroup"), &own)
}

/// `own` is the text of `/proc/self/cgroup`; its line `0::/a/b` names the path below the root of version 2.
fn tightest(root: &Path, own: &str) -> Option<u64> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    root.join(path)
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| fs::read_to_string(folder.join("memory.max")).ok()?.trim().parse::<u64>().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_on_the_path_holds() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        assert_eq!(tightest(root.path(), "0::/a/b\n"), None);
        fs::write(root.path().join("a/memory.max"), "4096\n").unwrap();
        assert_eq!(tightest(root.path(), "1:cpu:/x\n0::/a/b\n"), Some(4096));
        fs::write(inner.join("memory.max"), "1024\n").unwrap();
        assert_eq!(tightest(root.path(), "0::/a/b\n"), Some(1024));
    }
}
