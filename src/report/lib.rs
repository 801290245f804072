//! What a heapsoak run found, for people and for programs.
//!
//! A [`Run`] (a recording and its judgement) goes through one [`Renderer`] per format. [`write_run`] writes what
//! every run leaves behind: `report.json`, `report.html` and `charts/*.svg`; [`write_index`] writes the page and
//! the summary that stand above the folders of several scenarios.
//!
//! Bytes are written in binary units (1 KiB = 1,024 bytes) everywhere but in JSON, which has plain bytes.

mod aggregate;
mod answer_times;
mod charts;
mod check;
mod comparison;
mod csv;
mod date;
mod footprint;
mod forecast;
mod format;
mod github;
mod html;
mod index;
mod json;
mod junit;
mod markdown;
mod own_heap;
mod phases;
mod phrases;
mod profile;
mod renderer;
mod sarif;
mod sites;
mod summary;
mod terminal;
mod units;
mod write;

pub use aggregate::INDEX_SCHEMA;
pub use charts::Charts;
pub use check::{Check, CheckOutcome};
pub use comparison::{Arm, Change, Comparison, Fix, FixVerdict, Part, Row, Share, SiteRow};
pub use csv::Csv;
pub use footprint::{Footprint, FootprintPart};
pub use forecast::{ASSUMED_LIMIT_BYTES, Forecast};
pub use format::{FORMATS, format};
pub use github::GitHub;
pub use html::Html;
pub use json::{Json, REPORT_SCHEMA, SCHEMA_VERSION};
pub use junit::JUnit;
pub use markdown::Markdown;
pub use phrases::format_growth;
pub use profile::{Flamegraph, Folded, Pprof, Speedscope, convert_jemalloc, differential};
pub use renderer::{RenderError, Rendered, Renderer, Run};
pub use sarif::Sarif;
pub use sites::{Caller, Excerpt, Line, Site};
pub use summary::{FindingSummary, ScenarioSummary};
pub use terminal::{Terminal, scenario_table};
pub use units::{Bytes, Count, Seconds};
pub use write::{WriteError, write_all, write_index, write_run};
