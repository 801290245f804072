//! The symbol table of a file: what stands at an address of which debug information says nothing.

use std::sync::Arc;

use addr2line::gimli::{Reader as _, RunTimeEndian};
use object::read::elf::{ElfFile64, SectionHeader as _, Sym as _};
use object::read::{Object as _, ObjectSection as _, ReadRef, SymbolMap, SymbolMapEntry};
use object::{Endianness, elf};

use crate::pages::Pages;
use crate::reader::Section;

/// What of several symbols at one address is the better one to name it by, the least first: whether its type is not
/// known, it has no size, is its file's own, or hidden.
type Rank = (bool, bool, bool, bool);

/// Symbols by address. Their names stay in the file until they are asked for.
#[derive(Debug)]
pub(crate) struct Names {
    symbols: SymbolMap<Symbol>,
    strings: Section,
}

#[derive(Debug)]
struct Symbol {
    address: u64,
    size: u64,
    /// Where its name begins among the strings.
    name: u32,
}

impl SymbolMapEntry for Symbol {
    fn address(&self) -> u64 {
        self.address
    }

    fn size(&self) -> u64 {
        self.size
    }
}

impl Names {
    /// The symbols of a file, or those for the dynamic linker where there are no others.
    pub(crate) fn of<'data, R: ReadRef<'data>>(
        file: &ElfFile64<'data, Endianness, R>,
        pages: Arc<Pages>,
    ) -> object::Result<Names> {
        let table = match file.elf_symbol_table() {
            table if table.is_empty() => file.elf_dynamic_symbol_table(),
            table => table,
        };
        let (endian, names) = (file.endian(), table.strings());
        let mut symbols: Vec<(Symbol, Rank)> = table
            .iter()
            .filter(|symbol| symbol.is_definition(endian, names) && symbol.st_name(endian) > 0)
            .map(|symbol| {
                let known = Symbol {
                    address: symbol.st_value(endian),
                    size: symbol.st_size(endian),
                    name: symbol.st_name(endian),
                };
                let local = symbol.st_bind() == elf::STB_LOCAL;
                let hidden = !local && symbol.st_visibility() == elf::STV_HIDDEN;
                (known, (symbol.st_type() == elf::STT_NOTYPE, symbol.st_size(endian) == 0, local, hidden))
            })
            .collect();
        // Of several at one address and of one rank, the last: it is the least general one.
        symbols.reverse();
        symbols.sort_by_key(|(symbol, rank)| (symbol.address, *rank));
        symbols.dedup_by_key(|(symbol, _)| symbol.address);
        let mut symbols: Vec<Symbol> = symbols.into_iter().map(|(symbol, _)| symbol).collect();
        let ends = file.sections().map(|section| section.address().saturating_add(section.size())).collect();
        bound(&mut symbols, ends);
        let (start, bytes) = if table.is_empty() {
            (0, 0)
        } else {
            let strings = file.elf_section_table().section(table.string_section())?;
            strings.file_range(endian).unwrap_or_default()
        };
        let strings = Section::new(pages, RunTimeEndian::Little, start, start.saturating_add(bytes));
        Ok(Names { symbols: SymbolMap::new(symbols), strings })
    }

    /// The name of the symbol around an address, as it stands in the file.
    pub(crate) fn find(&self, address: u64) -> Option<String> {
        let symbol = self.symbols.containing(address)?;
        let mut name = self.strings.clone();
        name.skip(symbol.name as usize).ok()?;
        let name = name.read_null_terminated_slice().ok()?;
        Some(name.to_string_lossy().ok()?.into_owned())
    }

    #[cfg(test)]
    pub(crate) fn addresses(&self) -> impl Iterator<Item = u64> {
        self.symbols.symbols().iter().map(|symbol| symbol.address)
    }
}

/// Gives symbols without a size the bytes up to the next symbol, or to the end of a section.
fn bound(symbols: &mut [Symbol], mut ends: Vec<u64>) {
    ends.extend(symbols.iter().map(|symbol| symbol.address));
    ends.sort_unstable();
    for symbol in symbols.iter_mut().filter(|symbol| symbol.size == 0) {
        let after = ends.partition_point(|end| *end <= symbol.address);
        symbol.size = ends.get(after).map_or(0, |end| end - symbol.address);
    }
}
