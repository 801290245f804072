use heapsoak_record::Resource;
use jemalloc_ctl::{epoch, stats};

use super::bytes;

/// What jemalloc says of itself. All zero, and then left out, when jemalloc is not the allocator inside.
pub(super) fn figures() -> Vec<Resource> {
    if epoch::advance().is_err() {
        return Vec::new();
    }
    let read = [
        ("jemalloc.allocated", stats::allocated::read()),
        ("jemalloc.active", stats::active::read()),
        ("jemalloc.resident", stats::resident::read()),
        ("jemalloc.retained", stats::retained::read()),
    ];
    read.into_iter().filter_map(|(name, value)| Some(bytes(name, u64::try_from(value.ok()?).ok()?))).collect()
}
