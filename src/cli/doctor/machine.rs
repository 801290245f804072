use std::{env, fs};

use super::Advice;

/// Tools that put themselves between a program and its memory, by a part of their library's name.
const INTERPOSED: [(&str, &str); 6] = [
    ("heaptrack", "heaptrack"),
    ("bytehound", "bytehound"),
    ("vgpreload", "valgrind"),
    ("memray", "memray"),
    ("libtcmalloc", "tcmalloc"),
    ("libjemalloc", "a preloaded jemalloc"),
];

/// What the machine and the environment do to a run.
pub(super) fn examine() -> Vec<Advice> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let preload = env::var("LD_PRELOAD").unwrap_or_default() + &read("/proc/self/maps");
    vec![
        interposed(&preload),
        overcommit(&read("/proc/sys/vm/overcommit_memory"), &read("/proc/self/limits")),
        descriptors(&read("/proc/self/limits")),
        tracing(&read("/proc/self/status")),
    ]
}

fn interposed(loaded: &str) -> Advice {
    let found: Vec<&str> =
        INTERPOSED.iter().filter(|(library, _)| loaded.contains(library)).map(|(_, name)| *name).collect();
    if found.is_empty() {
        return Advice::good("no other heap tool is loaded");
    }
    Advice::bad(
        format!("{} is loaded into every program started here", found.join(" and ")),
        "unset LD_PRELOAD, and soak outside of it: its memory and its time would be taken for the server's",
    )
}

/// The probe reserves address space, many times more than there is memory.
fn overcommit(setting: &str, limits: &str) -> Advice {
    if setting.trim() == "2" {
        return Advice::bad(
            "the system gives out no more address space than it has memory (vm.overcommit_memory = 2)",
            "sysctl vm.overcommit_memory=0: the probe reserves far more than it uses, and would not be able to count",
        );
    }
    match limit(limits, "Max address space") {
        Some(bytes) => Advice::bad(
            format!("address space is limited to {} MiB", bytes >> 20),
            "ulimit -v unlimited: the probe reserves far more than it uses",
        ),
        None => Advice::good("address space may be reserved freely"),
    }
}

fn descriptors(limits: &str) -> Advice {
    match limit(limits, "Max open files") {
        Some(files) if files < 1024 => Advice::worse(
            format!("no more than {files} files may be open at once"),
            "ulimit -n 4096: a server that leaks descriptors would die of them before it can be judged",
        ),
        _ => Advice::good("enough files may be open at once"),
    }
}

fn tracing(status: &str) -> Advice {
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).unwrap_or("0").trim();
    match tracer {
        "0" => Advice::good("no debugger is attached"),
        pid => Advice::worse(
            format!("process {pid} traces this one"),
            "soak outside of the debugger: times and rates are not those of the server",
        ),
    }
}

/// The soft limit of a row of `/proc/PID/limits`; none when there is none.
fn limit(limits: &str, name: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max open files            512                  524288               files
Max address space         unlimited            unlimited            bytes
";

    #[test]
    fn each_trouble_is_found_and_a_sound_machine_has_none() {
        assert_eq!(interposed("/usr/lib/libheaptrack_preload.so").state, State::Bad);
        assert_eq!(interposed("/usr/lib/libc.so.6").state, State::Good);
        assert_eq!(overcommit("2\n", LIMITS).state, State::Bad);
        assert_eq!(overcommit("0\n", LIMITS).state, State::Good);
        let tight = LIMITS.replace("unlimited            unlimited ", "1073741824           unlimited ");
        assert!(overcommit("0\n", &tight).found.contains("1024 MiB"));
        assert_eq!(descriptors(LIMITS).state, State::Worse);
        assert_eq!(descriptors(&LIMITS.replace("512 ", "65536 ")).state, State::Good);
        assert_eq!(tracing("TracerPid:\t77\n").state, State::Worse);
        assert_eq!(tracing("TracerPid:\t0\n").state, State::Good);
    }
}
