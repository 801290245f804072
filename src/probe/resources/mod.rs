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
