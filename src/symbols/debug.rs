//! The debug information of a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::gimli::{Dwarf, Reader, RunTimeEndian};
use addr2line::{Context, FrameIter, Loader, LookupResult};
use object::read::elf::ElfFile64;
use object::read::{Object as _, ObjectSection as _, ReadCache, ReadRef};
use object::{CompressionFormat, Endianness};

use crate::names::Names;
use crate::pages::Pages;
use crate::reader::Section;

/// A function at an address: its name as it stands in the file, and its place in the source.
pub(crate) type Frame = (String, Option<(String, Option<u32>)>);

/// After so many lookups what was taken from the file is dropped: a context keeps the lines and functions of each unit that
/// it was asked about. A new one costs as much as some thirty lookups.
const LOOKUPS: u32 = 128;

/// Debug information and symbols of a file.
pub(crate) enum Debug {
    /// Read in pieces.
    InPieces(Box<Pieces>),
    /// Mapped as a whole: what is in other files too, compressed, or of another system.
    Mapped(Box<Loader>),
}

impl Debug {
    /// Reads what is there.
    pub(crate) fn open(path: &Path) -> Result<Debug, String> {
        match in_pieces(path) {
            Ok(Some(debug)) => Ok(debug),
            Ok(None) => mapped(path),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The functions at an address, innermost first; empty when nothing is known.
    pub(crate) fn frames(&mut self, address: u64) -> Vec<Frame> {
        match self {
            Debug::Mapped(loader) => {
                collect(loader.find_frames(address).ok(), || loader.find_symbol(address).map(str::to_owned))
            }
            Debug::InPieces(pieces) => match pieces.frames(address) {
                Some(found) => found,
                None => match mapped(&pieces.path) {
                    Ok(debug) => {
                        *self = debug;
                        self.frames(address)
                    }
                    Err(_) => Vec::new(),
                },
            },
        }
    }
}

/// Debug information that is read in pieces.
pub(crate) struct Pieces {
    path: PathBuf,
    sections: Arc<Dwarf<Section>>,
    names: Names,
    context: Option<Context<Section>>,
    lookups: u32,
}

impl Pieces {
    /// None when what stands there is in another file.
    fn frames(&mut self, address: u64) -> Option<Vec<Frame>> {
        self.lookups += 1;
        if self.lookups > LOOKUPS {
            (self.context, self.lookups) = (None, 1);
        }
        let context = match &mut self.context {
            Some(context) => context,
            none => none.insert(Context::from_arc_dwarf(Arc::clone(&self.sections)).ok()?),
        };
        match context.find_frames(address) {
            LookupResult::Output(frames) => Some(collect(frames.ok(), || self.names.find(address))),
            LookupResult::Load { .. } => None,
        }
    }
}

fn mapped(path: &Path) -> Result<Debug, String> {
    Loader::new(path).map(|loader| Debug::Mapped(Box::new(loader))).map_err(|error| error.to_string())
}

/// None when it is not a file that can be read in pieces.
fn in_pieces(path: &Path) -> Result<Option<Debug>, Box<dyn std::error::Error>> {
    let file = File::open(path)?;
    // They share a position, and each seeks before it reads.
    let pages = Arc::new(Pages::new(file.try_clone()?)?);
    let cache = ReadCache::new(file);
    let object::File::Elf64(elf) = object::File::parse(&cache)? else { return Ok(None) };
    let endian = if elf.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let Some(dwarf) = sections(&elf, &pages, endian)? else { return Ok(None) };
    let (sections, names) = (Arc::new(dwarf), Names::of(&elf, pages)?);
    let context = Some(Context::from_arc_dwarf(Arc::clone(&sections))?);
    let pieces = Pieces { path: path.to_owned(), sections, names, context, lookups: 0 };
    Ok(Some(Debug::InPieces(Box::new(pieces))))
}

/// The sections of debug information; those that are not there are empty. None when one is compressed.
fn sections<'data, R: ReadRef<'data>>(
    elf: &ElfFile64<'data, Endianness, R>,
    pages: &Arc<Pages>,
    endian: RunTimeEndian,
) -> object::Result<Option<Dwarf<Section>>> {
    let mut compressed = false;
    let dwarf = Dwarf::load(|id| {
        let mut range = (0, 0);
        if let Some(section) = elf.section_by_name(id.name()) {
            let place = section.compressed_file_range()?;
            compressed |= place.format != CompressionFormat::None;
            range = (place.offset, place.offset.saturating_add(place.uncompressed_size));
        }
        Ok::<_, object::Error>(Section::new(Arc::clone(pages), endian, range.0, range.1))
    })?;
    Ok((!compressed).then_some(dwarf))
}

/// The frames of a lookup. A line without a function gets the name that the symbol table has for the address, and so does
/// an address without a line.
fn collect<R: Reader>(frames: Option<FrameIter<'_, R>>, symbol: impl Fn() -> Option<String>) -> Vec<Frame> {
    let mut found = Vec::new();
    let Some(mut frames) = frames else { return found };
    while let Ok(Some(frame)) = frames.next() {
        let place = frame.location.and_then(|location| Some((location.file?.to_owned(), location.line)));
        let name = frame.function.and_then(|function| Some(function.raw_name().ok()?.into_owned()));
        found.extend(name.or_else(&symbol).map(|name| (name, place)));
    }
    if found.is_empty() {
        found.extend(symbol().map(|name| (name, None)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_in_pieces_is_what_is_mapped() {
        let path = std::env::current_exe().unwrap();
        let (mut pieces, mut whole) = (Debug::open(&path).unwrap(), mapped(&path).unwrap());
        let Debug::InPieces(parts) = &pieces else { panic!("this program is a plain file") };
        let starts: Vec<u64> = parts.names.addresses().step_by(7).collect();
        assert!(starts.len() > 100, "{}", starts.len());
        let mut inlined = 0;
        for address in starts.into_iter().flat_map(|start| [start, start + 1, start + 23]) {
            let found = pieces.frames(address);
            assert_eq!(found, whole.frames(address), "{address:#x}");
            inlined += usize::from(found.len() > 1);
        }
        assert!(inlined > 10, "{inlined}");
    }

    #[test]
    fn what_is_in_files_beside_the_program_is_found_too() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("watched.rs");
        std::fs::write(
            &source,
            "#[inline(never)]\nfn watched() {\n    std::process::id();\n}\nfn main() {\n    watched();\n}\n",
        )
        .unwrap();
        for split in ["off", "packed", "unpacked"] {
            let program = folder.path().join(split);
            let mut rustc = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
            rustc.args(["-g", "-C", &format!("split-debuginfo={split}"), "-o"]).arg(&program).arg(&source);
            assert!(rustc.current_dir(&folder).status().unwrap().success());
            let mut debug = Debug::open(&program).unwrap();
            let Debug::InPieces(pieces) = &debug else { panic!("{split}: it is a plain file") };
            let names = &pieces.names;
            let is_watched =
                |address: &u64| names.find(*address).is_some_and(|name| name.contains("7watched7watched"));
            let address = names.addresses().find(is_watched).unwrap();
            let frames = debug.frames(address);
            let (_, Some((file, line))) = &frames[0] else { panic!("{split}: {frames:?}") };
            assert!(file.ends_with("watched.rs") && *line == Some(2), "{split}: {frames:?}");
            let mapped = matches!(debug, Debug::Mapped(_));
            assert_eq!(mapped, split != "off", "{split}");
        }
    }
}
