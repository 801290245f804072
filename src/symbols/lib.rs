//! What stands at an address of a program that ran: functions (inlined ones, too), files and lines.
//!
//! Works from the [modules](heapsoak_record::Module) of a recording and the files they name, so the program may long be
//! gone; a file that was built anew since is noticed and not used. [`resolve_stacks`] writes what it finds into the
//! recording's [stacks](heapsoak_record::Stacks), so that a report can be made on a machine without these files. [`rank`]
//! says which of the functions found is the one to change.
//!
//! ```
//! use heapsoak_record::Module;
//! use heapsoak_symbols::Symbols;
//!
//! let module = Module { path: "/srv/gone".to_owned(), ..Module::default() };
//! let mut symbols = Symbols::new();
//! let found = symbols.resolve(&module, 0x4f2);
//! assert_eq!(found[0].function, "0x4f2"); // the address, when nothing else is known
//! assert!(symbols.problems()[0].to_string().contains("/srv/gone"));
//! ```

mod debug;
mod file;
mod maps;
mod name;
mod names;
mod origin;
mod pages;
mod problem;
mod rank;
mod rate;
mod reader;
mod series;
mod site;
mod stacks;
mod symbols;

pub use maps::modules;
pub use name::{bare_path, short_path};
pub use problem::Problem;
pub use rank::{Measure, Question, pass, rank, site};
pub use rate::Rate;
pub use series::{Series, counted_requests, series};
pub use site::{Caller, Site, below, functions, place};
pub use stacks::resolve_stacks;
pub use symbols::Symbols;
