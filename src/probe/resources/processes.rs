use heapsoak_record::Resource;
use procfs::process::Process;

use super::{bytes, count};

/// Threads and resident memory of this process, and its children, zombies among them.
pub(super) fn own_and_children() -> Vec<Resource> {
    let mut resources = Vec::new();
    let Ok(myself) = Process::myself() else { return resources };
    if let Ok(stat) = myself.stat() {
        resources.push(count("threads", u64::try_from(stat.num_threads).unwrap_or(0)));
        resources.push(bytes("rss", stat.rss * procfs::page_size()));
    }
    if let Some((children, zombies)) = children(&myself) {
        resources.push(count("children", children));
        resources.push(count("zombies", zombies));
    }
    resources
}

/// Children of every thread of the process, and how many of them are dead but not waited for. None where the kernel
/// does not list children (`CONFIG_PROC_CHILDREN`).
fn children(process: &Process) -> Option<(u64, u64)> {
    let (mut children, mut zombies) = (0, 0);
    for task in process.tasks().ok()?.flatten() {
        for child in task.children().ok()? {
            let Ok(pid) = i32::try_from(child) else { continue };
            match Process::new(pid).and_then(|child| child.stat()) {
                Ok(stat) if stat.state == 'Z' => zombies += 1,
                Ok(_) => {}
                Err(_) => continue, // gone meanwhile
            }
            children += 1;
        }
    }
    Some((children, zombies))
}
