//! A process and everything that descends from it.

use std::collections::BTreeMap;

use heapsoak_record::Resource;
use procfs::process::{FDTarget, Process, all_processes};

use super::{bytes, count, memory};

/// Time the process and its descendants have spent on the processor, in ticks. None when the process is gone.
pub(super) fn processor_ticks(pid: i32) -> Option<u64> {
    let own = Process::new(pid).ok()?.stat().ok()?;
    let ticks = |stat: &procfs::process::Stat| stat.utime + stat.stime;
    let children = descendants(pid).into_iter().filter_map(|pid| Process::new(pid).ok()?.stat().ok());
    Some(ticks(&own) + children.map(|stat| ticks(&stat)).sum::<u64>())
}

/// What the kernel counts of the process: its memory, descriptors, threads, children. Memory and descriptors of
/// descendants are in it, since servers of many processes hold theirs there.
pub(super) fn resources(pid: i32) -> Option<Vec<Resource>> {
    let process = Process::new(pid).ok()?;
    let stat = process.stat().ok()?;
    let children = descendants(pid);
    let mut resources = Vec::new();
    let mut all = vec![pid];
    all.extend(&children);
    let memories = || all.iter().filter_map(|pid| memory::of(*pid));
    match memory::of(pid) {
        Some(_) => {
            resources.push(bytes("rss", memories().map(|memory| memory.rss).sum()));
            resources.push(bytes("pss", memories().map(|memory| memory.pss).sum()));
            resources.push(bytes("private", memories().map(|memory| memory.private).sum()));
        }
        // Another user's process: the kernel gives no more than this.
        None => resources.push(bytes("rss", stat.rss * procfs::page_size())),
    }
    resources.extend(memory::cgroup_current(pid).map(|current| bytes("cgroup", current)));
    resources.extend(descriptors(&all));
    let stats: Vec<_> = all.iter().filter_map(|pid| Process::new(*pid).ok()?.stat().ok()).collect();
    let threads = stats.iter().map(|stat| u64::try_from(stat.num_threads).unwrap_or(0)).sum();
    resources.push(count("threads", threads));
    resources.push(count("children", children.len() as u64));
    let zombies = stats.iter().filter(|stat| stat.state == 'Z').count();
    resources.push(count("zombies", zombies as u64));
    Some(resources)
}

/// Open descriptors by kind; none if they may not be looked at.
fn descriptors(all: &[i32]) -> Vec<Resource> {
    let mut kinds = BTreeMap::from([("file", 0), ("other", 0), ("pipe", 0), ("socket", 0)]);
    let mut seen = false;
    for process in all.iter().filter_map(|pid| Process::new(*pid).ok()) {
        let Ok(descriptors) = process.fd() else { continue };
        seen = true;
        for descriptor in descriptors.flatten() {
            let kind = match descriptor.target {
                FDTarget::Socket(_) => "socket",
                FDTarget::Pipe(_) => "pipe",
                FDTarget::Path(_) => "file",
                _ => "other",
            };
            *kinds.entry(kind).or_default() += 1;
        }
    }
    if !seen {
        return Vec::new();
    }
    kinds.into_iter().map(|(kind, number)| count(format!("fds.{kind}"), number)).collect()
}

/// Children, their children, and so on.
pub(super) fn descendants(pid: i32) -> Vec<i32> {
    let Ok(processes) = all_processes() else { return Vec::new() };
    let parents: Vec<(i32, i32)> =
        processes.filter_map(|process| process.ok()?.stat().ok()).map(|stat| (stat.pid, stat.ppid)).collect();
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        next += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_of_children_are_descendants_and_their_memory_is_counted() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & echo ready; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.as_mut().unwrap()), &mut line)
            .unwrap();
        let pid = i32::try_from(shell.id()).unwrap();
        let children = descendants(pid);
        let resources = resources(pid).unwrap();
        let value = |name: &str| resources.iter().find(|one| one.name == name).unwrap().value;
        assert_eq!((children.len(), value("children"), value("threads"), value("zombies")), (1, 1, 2, 0));
        assert!(value("rss") > memory::of(pid).unwrap().rss);
        assert!(processor_ticks(pid).is_some());
        let _gone = rustix::process::kill_process(
            rustix::process::Pid::from_raw(children[0]).unwrap(),
            rustix::process::Signal::KILL,
        );
        shell.wait().unwrap();
        assert_eq!(processor_ticks(pid), None);
    }
}
