//! Files whose code is mapped into this process.
#![allow(unsafe_code)] // reads the loader's list

use std::ffi::{CStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use heapsoak_record::{Frame, Module};

/// Files with code on a stack so far, and all that there are.
#[derive(Debug)]
pub(super) struct Modules {
    all: Vec<Module>,
    /// Their indices in `all`.
    numbers: Vec<usize>,
    /// In the order of their numbers.
    pub(super) used: Vec<Module>,
}

impl Default for Modules {
    fn default() -> Self {
        Modules { all: list(), numbers: Vec::new(), used: Vec::new() }
    }
}

impl Modules {
    /// An address in this process as the file mapped there names it.
    pub(super) fn place(&mut self, address: usize) -> Frame {
        let address = address as u64;
        let holds = |module: &Module| (module.start..module.end).contains(&address);
        let Some(found) = self.all.iter().position(holds) else {
            return Frame { module: None, address };
        };
        let number = self.numbers.iter().position(|&known| known == found).unwrap_or_else(|| {
            self.numbers.push(found);
            self.used.push(self.all[found].clone());
            self.used.len() - 1
        });
        Frame { module: u32::try_from(number).ok(), address: address.wrapping_sub(self.all[found].bias) }
    }
}

fn list() -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    // SAFETY: the callback has the signature asked for, and the pointer it gets outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(note), (&raw mut modules).cast()) };
    for module in &mut modules {
        if module.path.is_empty() {
            module.path = std::env::current_exe()
                .map_or_else(|_| "[the program]".to_owned(), |path| path.to_string_lossy().into_owned());
        }
        module.file_bytes = std::fs::metadata(&module.path).ok().map(|file| file.len());
    }
    modules
}

/// Notes one file of the loader's list.
unsafe extern "C" fn note(info: *mut libc::dl_phdr_info, _size: usize, modules: *mut c_void) -> c_int {
    // SAFETY: the loader hands over a filled structure; `modules` is what `list` gave, and nobody else uses it.
    let (info, modules) = unsafe { (&*info, &mut *modules.cast::<Vec<Module>>()) };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY: the loader says how many headers there are.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let path = if info.dlpi_name.is_null() {
        String::new()
    } else {
        // SAFETY: a name is a C string that lives as long as the file is mapped.
        let name = unsafe { CStr::from_ptr(info.dlpi_name) };
        Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())).to_string_lossy().into_owned()
    };
    let bias = info.dlpi_addr;
    let build_id = headers.iter().filter(|header| header.p_type == libc::PT_NOTE).find_map(|header| {
        let start = usize::try_from(bias.wrapping_add(header.p_vaddr)).ok()?;
        let bytes = usize::try_from(header.p_memsz).ok()?;
        // SAFETY: notes are part of what the loader mapped to be read.
        find_build_id(unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(start), bytes) })
    });
    for header in
        headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0)
    {
        let start = bias.wrapping_add(header.p_vaddr);
        modules.push(Module {
            path: path.clone(),
            build_id: build_id.clone(),
            file_bytes: None,
            start,
            end: start.wrapping_add(header.p_memsz),
            bias,
            file_offset: header.p_offset,
        });
    }
    0
}

/// The build id among the notes of a segment: entries of three lengths and types, a name and a description, padded to
/// four bytes.
fn find_build_id(mut notes: &[u8]) -> Option<String> {
    const BUILD_ID: u32 = 3;
    while let Some((head, rest)) = notes.split_first_chunk::<12>() {
        let word = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (name, description) = (word(0) as usize, word(4) as usize);
        let (padded_name, padded) =
            (name.checked_next_multiple_of(4)?, description.checked_next_multiple_of(4)?);
        let body = rest.get(padded_name..padded_name.checked_add(description)?)?;
        if word(8) == BUILD_ID && rest.get(..name) == Some(b"GNU\0") {
            return Some(body.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        notes = rest.get(padded_name.checked_add(padded)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_this_program_is_in_its_file() {
        let mut modules = Modules::default();
        let address = a_function_of_this_program_is_in_its_file as fn() as usize;
        let frame = modules.place(address);
        let module = &modules.used[frame.module.unwrap() as usize];
        assert_eq!(Path::new(&module.path), std::env::current_exe().unwrap());
        assert_eq!(frame.address + module.bias, address as u64);
        assert!(module.file_bytes.is_some_and(|bytes| bytes > 0));
        assert_eq!(modules.place(8), Frame { module: None, address: 8 });
    }

    #[test]
    fn a_build_id_is_found_behind_other_notes_and_damaged_ones_are_none() {
        let note = |kind: u32, name: &[u8], body: &[u8]| {
            let mut bytes = Vec::new();
            for word in [name.len() as u32, body.len() as u32, kind] {
                bytes.extend(word.to_ne_bytes());
            }
            for part in [name, body] {
                bytes.extend(part);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            bytes
        };
        let notes = [note(1, b"GNU\0", &[9; 5]), note(3, b"Go\0", &[7; 4]), note(3, b"GNU\0", &[0xab, 0x01])]
            .concat();
        assert_eq!(find_build_id(&notes).as_deref(), Some("ab01"));
        for length in 0..notes.len() {
            let _ = find_build_id(&notes[..length]); // ends, and does not panic
        }
        assert_eq!(find_build_id(&[0xff; 64]), None);
    }
}
