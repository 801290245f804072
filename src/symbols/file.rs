//! The file of a module: whether it is still the one that ran, and what its debug information says.

use std::fs::File;
use std::path::{Path, PathBuf};

use heapsoak_record::{Module, Symbol};
use object::ObjectSection as _;
use object::read::{Object as _, ReadCache};

use crate::debug::{Debug, Frame};
use crate::origin;
use crate::problem::Problem;

/// What is known of a module's file.
pub(crate) struct Code {
    debug: Option<Debug>,
    has_lines: bool,
}

impl Code {
    /// Opens the file of a module, if it is still the one that ran.
    pub(crate) fn open(module: &Module) -> (Code, Option<Problem>) {
        let nothing = Code { debug: None, has_lines: false };
        let path = module.path.clone();
        if path.is_empty() || path.starts_with('[') {
            return (nothing, None);
        }
        let has_lines = match check(module) {
            Ok(has_lines) => has_lines,
            Err(problem) => return (nothing, Some(problem)),
        };
        match Debug::open(Path::new(&path)) {
            Ok(debug) => {
                // Nobody has the line tables of the system's libraries, and nobody needs them.
                let missed = !has_lines && !origin::is_system_library(module.name());
                let problem = missed.then_some(Problem::NoDebugInfo { path });
                (Code { debug: Some(debug), has_lines }, problem)
            }
            Err(why) => (nothing, Some(Problem::Unreadable { path, why })),
        }
    }

    /// What stands at an address, innermost inlined function first; empty when nothing is known.
    pub(crate) fn find(&mut self, module: &Module, address: u64, root: Option<&Path>) -> Vec<Symbol> {
        let frames = self.debug.as_mut().map_or_else(Vec::new, |debug| debug.frames(address));
        let outermost = frames.len().saturating_sub(1);
        frames
            .into_iter()
            .enumerate()
            .map(|(index, frame)| Symbol {
                inlined: index < outermost,
                ..symbol(frame, module, root, self.has_lines)
            })
            .collect()
    }
}

fn symbol((name, place): Frame, module: &Module, root: Option<&Path>, has_lines: bool) -> Symbol {
    let function = format!("{:#}", rustc_demangle::demangle(&name));
    let (file, line) = place.map_or((None, None), |(file, line)| (Some(file), line));
    let origin = origin::of(&function, file.as_deref(), module.name(), has_lines);
    let file = file.map(|file| shorten(file, root));
    Symbol { function, file, line: line.filter(|line| *line > 0), inlined: false, origin }
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
