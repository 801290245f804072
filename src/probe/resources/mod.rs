//! What a process holds besides its heap.

mod cgroup;
mod descriptors;
#[cfg(feature = "jemalloc")]
mod jemalloc;
mod mappings;
mod processes;

use heapsoak_record::{Resource, Unit};

pub(crate) use cgroup::memory_limit_bytes;

/// Every resource of the process that can be read here, as snapshots have them. One that can't (no /proc, a hardened
/// kernel) is left out.
#[must_use]
pub fn all() -> Vec<Resource> {
    let mut resources = descriptors::open();
    resources.extend(processes::own_and_children());
    resources.extend(mappings::resident());
    #[cfg(feature = "tokio")]
    resources.extend(crate::task::alive().map(|tasks| count("tokio.tasks", tasks)));
    #[cfg(feature = "jemalloc")]
    resources.extend(jemalloc::figures());
    resources
}

fn count(name: &str, value: u64) -> Resource {
    Resource { name: name.to_owned(), value, unit: Unit::Count }
}

fn bytes(name: &str, value: u64) -> Resource {
    Resource { name: name.to_owned(), value, unit: Unit::Bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> u64 {
        all().into_iter().find(|resource| resource.name == name).map_or(0, |resource| resource.value)
    }

    // One test, since all of it is about the one process: tests on other threads would disturb each other.
    #[test]
    fn descriptors_threads_children_and_zombies_are_seen_as_they_come_and_go() {
        let (files, pipes) = (value("fds.file"), value("fds.pipe"));
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let pipe = std::io::pipe().unwrap();
        assert_eq!((value("fds.file"), value("fds.pipe")), (files + 1, pipes + 2));
        drop((file, pipe));
        assert_eq!((value("fds.file"), value("fds.pipe")), (files, pipes));

        let threads = value("threads");
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || stopped.recv());
        assert_eq!(value("threads"), threads + 1);
        drop(stop);
        let _ = thread.join().unwrap();

        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!((value("children"), value("zombies")), (1, 0));
        child.kill().unwrap();
        let zombie = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(2));
            value("zombies") == 1
        });
        assert!(zombie, "a killed child is a zombie until it is waited for");
        child.wait().unwrap();
        assert_eq!((value("children"), value("zombies")), (0, 0));
        assert!(value("rss") > 1 << 20);
    }
}
