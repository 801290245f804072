use std::fs;

use heapsoak_record::Resource;

use super::bytes;

/// Resident bytes of this process's mappings by what they are for, from the system's own books. All but a few pages
/// that come and go while it is read add up to `rss`.
pub(super) fn resident() -> Vec<Resource> {
    fs::read_to_string("/proc/self/smaps").map(|text| figures(&text)).unwrap_or_default()
}

/// What a mapping is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Files, the program's code and static data among them, and memory shared with other processes.
    Files,
    /// Stacks of threads, and of their signal handlers.
    Stacks,
    /// The heap of the C library, beside the program's allocator.
    CHeap,
    /// The probe's tables.
    Probe,
    /// Everything else that belongs to nobody else: the allocator's.
    Heap,
}

impl Use {
    const ALL: [(Use, &'static str); 5] = [
        (Use::Files, "memory.files"),
        (Use::Stacks, "memory.stacks"),
        (Use::CHeap, "memory.c-heap"),
        (Use::Probe, "memory.probe"),
        (Use::Heap, "memory.heap"),
    ];
}

/// A mapping as `/proc/PID/smaps` shows it.
#[derive(Debug, Default)]
struct Mapping<'a> {
    start: u64,
    end: u64,
    permissions: &'a str,
    name: &'a str,
    resident: u64,
    /// Left out of core dumps (`dd`), as nobody else's memory is.
    undumped: bool,
}

impl Mapping<'_> {
    fn is_anonymous(&self) -> bool {
        self.name.is_empty() || self.name.starts_with("[anon")
    }

    /// No access at all: a guard, or an address range that is only reserved.
    fn is_closed(&self) -> bool {
        self.permissions.starts_with("---")
    }
}

/// What the C library reserves at once for an arena of its heap, and how it is aligned (64 bits).
const ARENA: u64 = 64 << 20;

fn figures(smaps: &str) -> Vec<Resource> {
    let mappings = parse(smaps);
    let uses: Vec<Use> = mappings.iter().enumerate().map(|(index, _)| use_of(&mappings, index)).collect();
    Use::ALL
        .into_iter()
        .map(|(of, name)| {
            let resident =
                mappings.iter().zip(&uses).filter(|(_, is)| **is == of).map(|(one, _)| one.resident);
            bytes(name, resident.sum())
        })
        .collect()
}

fn use_of(mappings: &[Mapping<'_>], index: usize) -> Use {
    let mapping = &mappings[index];
    let adjacent = |other: Option<&Mapping<'_>>| {
        other.is_some_and(|other| other.end == mapping.start || other.start == mapping.end)
    };
    let before =
        index.checked_sub(1).and_then(|index| mappings.get(index)).filter(|other| adjacent(Some(other)));
    let after = mappings.get(index + 1).filter(|other| adjacent(Some(other)));
    match mapping.name {
        name if name.starts_with("[stack") => return Use::Stacks,
        "[heap]" => return Use::CHeap,
        _ if !mapping.is_anonymous() => return Use::Files,
        _ => {}
    }
    if mapping.undumped {
        return Use::Probe;
    }
    // Static data that is zero at the start follows the file it belongs to.
    if before.is_some_and(|before| before.name.starts_with('/') && before.permissions.starts_with("rw")) {
        return Use::Files;
    }
    let reserved = |other: &Mapping<'_>| other.is_closed() && other.is_anonymous();
    if before.is_some_and(|before| reserved(before) && before.end - before.start < 1 << 20) {
        return Use::Stacks; // right above its guard
    }
    let whole = after.is_some_and(|after| reserved(after) && (after.end - mapping.start) == ARENA);
    if mapping.start.is_multiple_of(ARENA) && whole {
        return Use::CHeap;
    }
    Use::Heap
}

fn parse(smaps: &str) -> Vec<Mapping<'_>> {
    let mut mappings: Vec<Mapping<'_>> = Vec::new();
    for line in smaps.lines() {
        if let Some(mapping) = head(line) {
            mappings.push(mapping);
        } else if let Some(mapping) = mappings.last_mut() {
            if let Some(size) = line.strip_prefix("Rss:") {
                let kib: u64 = size.trim().trim_end_matches(" kB").parse().unwrap_or(0);
                mapping.resident = kib * 1024;
            } else if let Some(flags) = line.strip_prefix("VmFlags:") {
                mapping.undumped = flags.split_whitespace().any(|flag| flag == "dd");
            }
        }
    }
    mappings
}

/// `5604f8170000-5604f86f6000 r--p 00000000 08:01 1234   /usr/bin/x`
fn head(line: &str) -> Option<Mapping<'_>> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let mut fields = rest.splitn(5, ' ');
    let permissions = fields.next()?;
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        permissions,
        name: fields.nth(3).unwrap_or_default().trim(),
        ..Mapping::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
5604f8170000-5604f9300000 r-xp 00000000 08:01 12                         /opt/a server
Rss:                2000 kB
VmFlags: rd ex
5604f93c1000-5604f9646000 rw-p 00000000 08:01 12                         /opt/a server
Rss:                  84 kB
5604f9646000-5604f9c6f000 rw-p 00000000 00:00 0
Rss:                  80 kB
VmFlags: rd wr mr mw me ac
56050c106000-56050c127000 rw-p 00000000 00:00 0                          [heap]
Rss:                   8 kB
5f91a3700000-5f91a4021000 rw-p 00000000 00:00 0
Rss:                 500 kB
5f91a8000000-5f91a8021000 rw-p 00000000 00:00 0
Rss:                   4 kB
5f91a8021000-5f91ac000000 ---p 00000000 00:00 0
Rss:                   0 kB
5f91b9bff000-5f91b9c00000 ---p 00000000 00:00 0
Rss:                   0 kB
5f91b9c00000-5f91b9e00000 rw-p 00000000 00:00 0
Rss:                  12 kB
5f91bb5ff000-7f91bb800000 rw-p 00000000 00:00 0
Rss:                 464 kB
VmFlags: rd wr mr mw me nr dd nh
7fff31304000-7fff31349000 rw-p 00000000 00:00 0                          [stack]
Rss:                 276 kB
";

    #[test]
    fn a_mapping_is_told_by_its_name_its_flags_and_its_neighbours() {
        let figures: Vec<(String, u64)> =
            figures(SMAPS).into_iter().map(|figure| (figure.name, figure.value / 1024)).collect();
        let expected = [
            ("memory.files", 2164),
            ("memory.stacks", 288),
            ("memory.c-heap", 12),
            ("memory.probe", 464),
            ("memory.heap", 500),
        ];
        assert_eq!(figures, expected.map(|(name, kib)| (name.to_owned(), kib)));
    }

    #[test]
    fn what_is_touched_is_found_in_the_books_and_a_thread_has_its_stack_among_the_stacks() {
        let value = |name: &str| resident().iter().find(|one| one.name == name).map_or(0, |one| one.value);
        let stacks = value("memory.stacks");
        let (deep, gone) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            std::thread::Builder::new()
                .stack_size(16 << 20)
                .spawn_scoped(scope, || {
                    let room = std::hint::black_box([7_u8; 8 << 20]);
                    deep.wait();
                    gone.wait();
                    room[0]
                })
                .unwrap();
            deep.wait();
            assert!(value("memory.stacks") >= stacks + (7 << 20));
            gone.wait();
        });
        assert!(value("memory.files") > 0 && value("memory.heap") > 0);
    }
}
