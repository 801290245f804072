//! The symbol table of a file: what stands at an address of which debug information says nothing.

use std::sync::Arc;

use addr2line::gimli::{Reader as _, RunTimeEndian};
use object::Endianness;
use object::read::elf::{ElfFile64, SectionHeader as _, Sym as _};
use object::read::{ReadRef, SymbolMap, SymbolMapEntry};

use crate::pages::Pages;
use crate::reader::Section;

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
        elf: &ElfFile64<'data, Endianness, R>,
        pages: Arc<Pages>,
    ) -> object::Result<Names> {
        let table = match elf.elf_symbol_table() {
            table if table.is_empty() => elf.elf_dynamic_symbol_table(),
            table => table,
        };
        let (endian, names) = (elf.endian(), table.strings());
        let mut symbols: Vec<Symbol> = table
            .iter()
            .filter(|symbol| symbol.is_definition(endian, names) && symbol.st_name(endian) > 0)
            .map(|symbol| Symbol {
                address: symbol.st_value(endian),
                size: symbol.st_size(endian),
                name: symbol.st_name(endian),
            })
            .collect();
        // Of several at one address, one that has a size; of these the last: it is the least general one.
        symbols.reverse();
        symbols.sort_by_key(|symbol| (symbol.address, symbol.size == 0));
        symbols.dedup_by_key(|symbol| symbol.address);
        let (start, bytes) = if table.is_empty() {
            (0, 0)
        } else {
            let strings = elf.elf_section_table().section(table.string_section())?;
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
