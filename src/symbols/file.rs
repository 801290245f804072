//! The file of a module: whether it is still the one that ran, and what its debug information says.

use std::fs::File;
use std::path::{Path, PathBuf};

use addr2line::Loader;
use heapsoak_record::{Module, Symbol};
use object::ObjectSection as _;
use object::read::{Object as _, ReadCache};

use crate::origin;
use crate::problem::Problem;

/// What is known of a module's file.
pub(crate) struct Code {
    loader: Option<Loader>,
    has_lines: bool,
}

impl Code {
    /// Opens the file of a module, if it is still the one that ran.
    pub(crate) fn open(module: &Module) -> (Code, Option<Problem>) {
        let path = module.path.clone();
        if path.is_empty() || path.starts_with('[') {
            return (Code { loader: None, has_lines: false }, None);
        }
        match check(module) {
            Ok(has_lines) => match Loader::new(&path) {
                Ok(loader) => {
                    // Nobody has the line tables of the system's libraries, and nobody needs them.
                    let missed = !has_lines && !origin::is_system_library(module.name());
                    let problem = missed.then_some(Problem::NoDebugInfo { path });
                    (Code { loader: Some(loader), has_lines }, problem)
                }
                Err(error) => (
                    Code { loader: None, has_lines: false },
                    Some(Problem::Unreadable { path, why: error.to_string() }),
                ),
            },
            Err(problem) => (Code { loader: None, has_lines: false }, Some(problem)),
        }
    }

    /// What stands at an address, innermost inlined function first; empty when nothing is known.
    pub(crate) fn find(&self, module: &Module, address: u64, root: Option<&Path>) -> Vec<Symbol> {
        let Some(loader) = &self.loader else { return Vec::new() };
        let mut found = self.find_frames(module, address, root);
        if found.is_empty()
            && let Some(name) = loader.find_symbol(address)
        {
            found.push(self.name(name, None, module, root));
        }
        let outermost = found.len().saturating_sub(1);
        for symbol in &mut found[..outermost] {
            symbol.inlined = true;
        }
        found
    }

    fn find_frames(&self, module: &Module, address: u64, root: Option<&Path>) -> Vec<Symbol> {
        let mut found = Vec::new();
        let Some(Ok(mut frames)) = self.loader.as_ref().map(|loader| loader.find_frames(address)) else {
            return found;
        };
        while let Ok(Some(frame)) = frames.next() {
            let place = frame.location.and_then(|location| Some((location.file?.to_owned(), location.line)));
            let raw = frame.function.as_ref().and_then(|function| function.raw_name().ok());
            // A line without a function: what the symbol table calls it.
            let raw = raw.as_deref().or_else(|| self.loader.as_ref()?.find_symbol(address));
            if let Some(raw) = raw {
                found.push(self.name(raw, place, module, root));
            }
        }
        found
    }

    fn name(
        &self,
        raw: &str,
        place: Option<(String, Option<u32>)>,
        module: &Module,
        root: Option<&Path>,
    ) -> Symbol {
        let function = format!("{:#}", rustc_demangle::demangle(raw));
        let (file, line) = place.map_or((None, None), |(file, line)| (Some(file), line));
        let origin = origin::of(&function, file.as_deref(), module.name(), self.has_lines);
        let file = file.map(|file| shorten(file, root));
        Symbol { function, file, line: line.filter(|line| *line > 0), inlined: false, origin }
    }
}

/// A path below the root without it.
fn shorten(file: String, root: Option<&Path>) -> String {
    let below = root.and_then(|root| Path::new(&file).strip_prefix(root).ok());
    below.map(|below| below.to_string_lossy().into_owned()).unwrap_or(file)
}

/// Whether the file has line tables; a problem when it is not the one that ran.
fn check(module: &Module) -> Result<bool, Problem> {
    let path = || module.path.clone();
    let unreadable = |why: String| Problem::Unreadable { path: path(), why };
    let file = File::open(PathBuf::from(path())).map_err(|error| unreadable(error.to_string()))?;
    let bytes = file.metadata().map_err(|error| unreadable(error.to_string()))?.len();
    let cache = ReadCache::new(file);
    let object = object::File::parse(&cache).map_err(|error| unreadable(error.to_string()))?;
    let build_id = object.build_id().ok().flatten();
    let build_id = build_id.map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let same = match (&module.build_id, build_id) {
        (Some(ran), Some(found)) => *ran == found,
        _ => module.file_bytes.is_none_or(|ran| ran == bytes),
    };
    if !same {
        return Err(Problem::Changed { path: path() });
    }
    Ok(object.sections().any(|section| section.name().is_ok_and(|name| name.ends_with("debug_line"))))
}
