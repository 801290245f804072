//! Rewriting the tags of cohorts that merge.
#![allow(unsafe_code)] // the table is raw mapped memory

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU16, Ordering};

use super::{COVERED, SMALLEST_CLASS, TABLE_BYTES, Tag, index, table, two_level};

const PAGE: usize = 4096;
const TAGS_PER_PAGE: usize = PAGE / size_of::<AtomicU16>();
/// Bytes of an entry of /proc/self/pagemap.
const ENTRY: usize = 8;
/// Pages whose entries are read at once.
const PAGES_AT_ONCE: usize = 4096;

/// Replaces every tag for which `successor` is not zero by it, wherever a block may live, and returns how many there
/// were. None when the system does not say where that is.
///
/// A block freed meanwhile is charged to the old tag or to the new one; either is right while both stand for the same
/// cohorts. Reads what is in use of the table.
pub(crate) fn replace(successor: &[Tag]) -> Option<usize> {
    if table().is_null() {
        return Some(two_level::leaves().map(|leaf| replace_in(leaf, successor)).sum());
    }
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    // Without it, every page counts as in use: slower, and as right.
    let pagemap = File::open("/proc/self/pagemap").ok();
    let own = table().addr()..table().addr() + TABLE_BYTES;
    let mut replaced = 0;
    for heap in maps.lines().filter_map(writable).flat_map(|range| without(range, &own)) {
        for class in SMALLEST_CLASS..COVERED.ilog2() {
            let (first, last) = (index(heap.start, 1 << class), index(heap.end - 1, 1 << class));
            replaced += replace_between(first, last, pagemap.as_ref(), successor);
        }
    }
    Some(replaced)
}

/// The range of a line of /proc/self/maps, if it can be written and marked.
fn writable(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    (fields.next()?.starts_with("rw") && start < COVERED).then(|| start..end.min(COVERED))
}

fn without(range: Range<usize>, hole: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let before = range.start..range.end.min(hole.start);
    let after = range.start.max(hole.end)..range.end;
    [before, after].into_iter().filter(|part| !part.is_empty())
}

fn replace_between(first: usize, last: usize, pagemap: Option<&File>, successor: &[Tag]) -> usize {
    let mut replaced = 0;
    let mut entries = [0_u8; PAGES_AT_ONCE * ENTRY];
    let first_page = table().addr() / PAGE;
    let mut page = first / TAGS_PER_PAGE;
    while page <= last / TAGS_PER_PAGE {
        let pages = (last / TAGS_PER_PAGE + 1 - page).min(PAGES_AT_ONCE);
        let entries = &mut entries[..pages * ENTRY];
        let place = ((first_page + page) * ENTRY) as u64;
        let known = pagemap.is_some_and(|pagemap| pagemap.read_exact_at(entries, place).is_ok());
        for (page, entry) in (page..).zip(entries.chunks_exact(ENTRY)) {
            // Neither present nor swapped out: never touched.
            if known && entry[ENTRY - 1] & 0b1100_0000 == 0 {
                continue;
            }
            let from = first.max(page * TAGS_PER_PAGE);
            let to = (last + 1).min((page + 1) * TAGS_PER_PAGE);
            // SAFETY: both ends come from `index`, so they are inside the table, which is never unmapped.
            replaced +=
                replace_in(unsafe { std::slice::from_raw_parts(table().add(from), to - from) }, successor);
        }
        page += pages;
    }
    replaced
}

fn replace_in(tags: &[AtomicU16], successor: &[Tag]) -> usize {
    let mut replaced = 0;
    for slot in tags {
        let old = slot.load(Ordering::Relaxed);
        let new = successor.get(usize::from(old)).copied().unwrap_or(0);
        if new != 0 && slot.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            replaced += 1;
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writable_ranges_below_the_table_s_end_count() {
        assert_eq!(writable("1000-3000 rw-p 00000000 00:00 0 [heap]"), Some(0x1000..0x3000));
        assert_eq!(writable("1000-3000 r-xp 00000000 00:00 0 /bin/true"), None);
        assert_eq!(writable("ffffffffff600000-ffffffffff601000 rw-p 0 00:00 0"), None);
    }

    #[test]
    fn the_table_itself_is_cut_out_of_what_it_was_mapped_beside() {
        let parts = |range: Range<usize>, hole: Range<usize>| without(range, &hole).collect::<Vec<_>>();
        assert_eq!(parts(0..10, 3..5), [0..3, 5..10]);
        assert!(parts(0..10, 0..10).is_empty());
        assert_eq!(parts(0..10, 20..30), std::slice::from_ref(&(0..10)));
        assert_eq!(parts(20..30, 0..10), std::slice::from_ref(&(20..30)));
    }
}
