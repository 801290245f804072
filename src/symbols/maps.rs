//! The files of a process, from the list of mappings that Linux keeps of it.

use std::fs;

use heapsoak_record::Module;
use object::SegmentFlags;
use object::read::{Object as _, ObjectSegment as _};

/// The files whose code a process had mapped, from the text of its `/proc/PID/maps`, as profiles end with. Files are read to
/// learn which address of theirs stands where; of one that is gone, it is taken that they name addresses by their offset.
#[must_use]
pub fn modules(maps: &str) -> Vec<Module> {
    maps.lines().filter_map(module).collect()
}

/// `55d0c8a3e000-55d0c8b5f000 r-xp 0013e000 fe:00 1234   /srv/server`
fn module(line: &str) -> Option<Module> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let hex = |word: &str| u64::from_str_radix(word, 16).ok();
    let (start, end) = (hex(start)?, hex(end)?);
    words.next().filter(|rights| rights.contains('x'))?;
    let file_offset = hex(words.next()?)?;
    let path = words.skip(2).collect::<Vec<_>>().join(" ");
    if path.is_empty() {
        return None;
    }
    let named = named(&path, file_offset).unwrap_or(file_offset);
    Some(Module { path, start, end, bias: start.wrapping_sub(named), file_offset, ..Module::default() })
}

/// What a file calls the address of the byte at an offset.
fn named(path: &str, offset: u64) -> Option<u64> {
    let bytes = fs::read(path).ok()?;
    let file = object::File::parse(bytes.as_slice()).ok()?;
    let holds_code =
        |flags| matches!(flags, SegmentFlags::Elf { p_flags, .. } if p_flags.contains(object::elf::PF_X));
    file.segments().filter(|segment| holds_code(segment.flags())).find_map(|segment| {
        let (from, size) = segment.file_range();
        // A mapping starts at the page that a segment starts in.
        let page = segment.align().max(1);
        let first = from - from % page;
        (first..from + size).contains(&offset).then(|| segment.address() - from + offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn here() -> u64 {
        here as *const () as u64
    }

    #[test]
    fn a_function_of_this_very_process_is_found_by_its_mapping() {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let modules = modules(&maps);
        let own = modules.iter().find(|module| (module.start..module.end).contains(&here())).unwrap();
        let found = crate::Symbols::new().resolve(own, here().wrapping_sub(own.bias));
        assert!(found[0].function.ends_with("maps::tests::here"), "{found:?}");
    }

    #[test]
    fn what_holds_no_code_or_is_no_file_is_left_out() {
        let maps = "1000-2000 r--p 00000000 fe:00 12 /srv/a\n2000-3000 r-xp 00001000 00:00 0\nnonsense\n\
                    5000-6000 r-xp 00001000 fe:00 12 /srv/with a blank\n";
        let modules = modules(maps);
        assert_eq!(modules.len(), 1);
        assert_eq!((modules[0].path.as_str(), modules[0].bias), ("/srv/with a blank", 0x4000));
    }
}
