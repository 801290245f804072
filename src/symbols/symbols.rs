use std::collections::HashMap;
use std::path::PathBuf;

use heapsoak_record::{Module, Symbol};

use crate::file::Code;
use crate::problem::Problem;

/// Looks up what stands at addresses. Opens each file once, when it is first asked about.
#[derive(Default)]
pub struct Symbols {
    files: HashMap<String, Code>,
    problems: Vec<Problem>,
    root: Option<PathBuf>,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").field("files", &self.files.keys()).field("root", &self.root).finish()
    }
}

impl Symbols {
    /// Nothing opened yet.
    #[must_use]
    pub fn new() -> Symbols {
        Symbols::default()
    }

    /// Source files below this folder are named without it, e.g. as a repository names them.
    #[must_use]
    pub fn relative_to(mut self, root: PathBuf) -> Symbols {
        self.root = Some(root);
        self
    }

    /// What stands at an address of a module, as the file names addresses: functions from the innermost inlined one
    /// outwards, the last one not inlined. When nothing is known, one symbol with the address for a name.
    pub fn resolve(&mut self, module: &Module, address: u64) -> Vec<Symbol> {
        if !self.files.contains_key(&module.path) {
            let (code, problem) = Code::open(module);
            self.problems.extend(problem);
            self.files.insert(module.path.clone(), code);
        }
        let root = self.root.as_deref();
        let found = self.files.get_mut(&module.path).map(|code| code.find(module, address, root));
        let found = found.unwrap_or_default();
        if found.is_empty() {
            vec![Symbol { function: format!("{address:#x}"), ..Symbol::default() }]
        } else {
            found
        }
    }

    /// What stood in the way so far.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
