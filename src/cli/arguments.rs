use std::path::PathBuf;

use autopilot::Defects;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use heapsoak_report::Renderer;

use crate::exit::Exit;
use crate::own_server::OwnServerOptions;

/// Finds memory leaks in Rust servers before a release does.
#[derive(Debug, Parser)]
#[command(name = "heapsoak", version, after_help = Exit::table(), propagate_version = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the tool can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Replay scenarios against a server and say what leaks.
    Soak(Box<Soak>),
    /// Soak, and hold what was found against budgets, a baseline and suppressions: the gate of a CI.
    Check(Box<Check>),
    /// Keep the figures of runs from commit to commit, and say where a rate stepped up.
    History(History),
    /// Judge a recording again and render its report again.
    Report(Report),
    /// Print every piece of evidence about a component of a recording, and how it weighed.
    Explain(Explain),
    /// Shrink the scenario of a run, for each of its leaks, to the fewest request kinds that still show it.
    Shrink(Shrink),
    /// Say what stands in the way of a good run, and what to do about it.
    Doctor(Doctor),
    /// Watch a soak, or any server that carries the probe, live in the terminal.
    Watch(Watch),
    /// Show two recordings side by side: what grows less, what grows more.
    Diff(Diff),
    /// Say whether a fix holds: the growth before was real, and at least 90 % of it is gone.
    VerifyFix(VerifyFix),
    /// List or check scenario files.
    #[command(subcommand)]
    Scenario(Scenario),
    /// Print a published schema.
    #[command(subcommand)]
    Schema(Schema),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page (roff).
    Man,
}

/// Arguments of `soak`.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// Scenarios: names in leak-scenarios/, or paths of files. All of leak-scenarios/ when none is given.
    pub(crate) scenarios: Vec<String>,
    /// Seed of the requests, in place of the scenario's.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Requests to send in all, in place of the scenario's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Folder to write to, in place of reports/<time>-<scenario>. Must be empty or new.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the run in this folder, which broke off: give the same scenario and the same server. A server that runs
    /// since is soaked on and judged by all of it; one that was started for the run is started anew, and judged from there.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "requests", "seed", "profiler"])]
    pub(crate) resume: Option<PathBuf>,
    /// Defects of the built-in server, in place of the scenario's: all, none, components or defects, by comma.
    /// The scenario's expectation no longer applies then.
    #[arg(long, value_name = "LIST")]
    pub(crate) as_found: Option<Defects>,
    /// Leave out the second pass, which captures every call stack of a component that leaks.
    #[arg(long)]
    pub(crate) no_zoom: bool,
    /// Profiler to run in the server beside the probe; writes a file of its own to the run's folder.
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) profiler: Option<Profiler>,
    /// Another server than the scenario's.
    #[command(flatten)]
    pub(crate) own: OwnServerOptions,
    /// What to print on stdout.
    #[command(flatten)]
    pub(crate) output: Output,
    /// No progress on stderr; what went wrong is still said.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// Runs to keep: recordings, or folders of runs (of several scenarios, too). None: only shows what is kept.
    pub(crate) runs: Vec<PathBuf>,
    /// SQLite file that keeps the figures.
    #[arg(long, value_name = "FILE", default_value = "heapsoak-history.sqlite")]
    pub(crate) file: PathBuf,
    /// The commit the runs are of. What git says of the working directory when not given.
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Write the trends as a page, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) page: Option<PathBuf>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// What to soak.
    #[command(flatten)]
    pub(crate) soak: Soak,
    /// File with budgets and suppressions, in place of heapsoak.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// File with what the scenarios were measured to cost before; what costs more fails.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write what was measured to the baseline (heapsoak-baseline.toml when none is named), in place of comparing.
    #[arg(long)]
    pub(crate) update_baseline: bool,
    /// Gate these recordings (or folders of runs) instead of soaking. May be given several times.
    #[arg(long = "recording", value_name = "PATH", conflicts_with_all = ["scenarios", "seed", "requests", "as_found", "profiler"])]
    pub(crate) recordings: Vec<PathBuf>,
}

/// A profiler to run in the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profiler {
    /// Every allocation by its stack, exactly, many times slower: dhat-heap.json.
    Dhat,
    /// A sample of the allocations by their stacks, at next to no cost: jemalloc.heap.
    Jemalloc,
}

impl From<Profiler> for heapsoak_driver::Profiler {
    fn from(profiler: Profiler) -> heapsoak_driver::Profiler {
        match profiler {
            Profiler::Dhat => heapsoak_driver::Profiler::Dhat,
            Profiler::Jemalloc => heapsoak_driver::Profiler::Jemalloc,
        }
    }
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The recording, or the folder of a run that holds a recording.jsonl.
    pub(crate) recording: PathBuf,
    /// Folder to write report.html, report.json, the charts and the format asked for to. When not given, they go to the
    /// recording's own folder, and a format that is none of these to stdout alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to print on stdout.
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The recording, or the folder of a run that holds a recording.jsonl.
    pub(crate) recording: PathBuf,
    /// The component; all of them when not given.
    pub(crate) component: Option<String>,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `shrink`.
#[derive(Debug, Args)]
pub(crate) struct Shrink {
    /// The recording, or the folder of its run.
    pub(crate) run: PathBuf,
    /// The number of a finding in the report; every leak that requests trigger when not given.
    #[arg(long, value_name = "N")]
    pub(crate) finding: Option<usize>,
    /// Folder to write the scenarios to, in place of `minimal` in the folder of the run.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress on stderr.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The server's program, a recording, or the folder of a run. The machine alone when not given.
    pub(crate) what: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The recording that is being written, the folder of its run, or a folder of runs: then the one written to last.
    /// The folder reports/ when not given.
    pub(crate) run: Option<PathBuf>,
    /// Socket of a server's probe (its HEAPSOAK_SOCKET), to watch it without a soak.
    #[arg(long, value_name = "PATH", conflicts_with = "run")]
    pub(crate) socket: Option<PathBuf>,
    /// Print one picture as text, and end.
    #[arg(long)]
    pub(crate) once: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The recording before the change, or the folder of its run.
    pub(crate) before: PathBuf,
    /// The recording after it, or the folder of its run.
    pub(crate) after: PathBuf,
    /// What to print on stdout.
    #[command(flatten)]
    output: CompareOutput,
}

impl Diff {
    /// The format asked for.
    #[must_use]
    pub(crate) fn format(&self) -> CompareFormat {
        self.output.format()
    }
}

/// Arguments of `verify-fix`.
#[derive(Debug, Args)]
pub(crate) struct VerifyFix {
    /// The recording before the fix, or the folder of its run.
    pub(crate) before: PathBuf,
    /// The recording after it, or the folder of its run.
    pub(crate) after: PathBuf,
    /// The component that was to be fixed; may be given several times. Everything that grew when not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) component: Vec<String>,
    /// What to print on stdout.
    #[command(flatten)]
    output: CompareOutput,
}

impl VerifyFix {
    /// The format asked for.
    #[must_use]
    pub(crate) fn format(&self) -> CompareFormat {
        self.output.format()
    }
}

/// What of a comparison goes to stdout.
#[derive(Debug, Clone, Copy, Args)]
struct CompareOutput {
    /// Format of what is printed on stdout.
    #[arg(long, value_enum, default_value_t = CompareFormat::Terminal)]
    format: CompareFormat,
    /// Same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl CompareOutput {
    fn format(self) -> CompareFormat {
        if self.json { CompareFormat::Json } else { self.format }
    }
}

/// Format of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    /// Tables for people.
    Terminal,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// Stacks of what is alive after, as an SVG: red where it is more than before, blue where it is less.
    Flamegraph,
}

/// What goes to stdout.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Output {
    /// Format of what is printed on stdout.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Show frames of std, the allocator and the probe in stacks, too.
    #[arg(long)]
    all_frames: bool,
}

impl Output {
    /// The renderer of the format asked for.
    #[must_use]
    pub(crate) fn renderer(self) -> Box<dyn Renderer> {
        self.format().renderer(self.all_frames)
    }

    /// The format asked for.
    #[must_use]
    pub(crate) fn format(self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// Format of what is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for people.
    Terminal,
    /// The content of report.json.
    Json,
    /// The content of report.html.
    Html,
    /// For a comment on a pull request.
    Markdown,
    /// Every series, a row per snapshot and measure.
    Csv,
    /// For a server that shows test results: a case per component and resource.
    Junit,
    /// For code scanning (SARIF 2.1.0).
    Sarif,
    /// Annotations of GitHub Actions; the step's summary goes to $GITHUB_STEP_SUMMARY.
    Github,
    /// Stacks of what is alive and was allocated, for `go tool pprof` (binary).
    Pprof,
    /// Stacks of what is alive, a line each.
    Folded,
    /// Stacks of what is alive, as an SVG.
    Flamegraph,
    /// Stacks of what is alive and was allocated, for speedscope.
    Speedscope,
}

impl Format {
    /// Its name, on the command line and among the renderers.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Terminal => "terminal",
            Format::Json => "json",
            Format::Html => "html",
            Format::Markdown => "markdown",
            Format::Csv => "csv",
            Format::Junit => "junit",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Pprof => "pprof",
            Format::Folded => "folded",
            Format::Flamegraph => "flamegraph",
            Format::Speedscope => "speedscope",
        }
    }

    /// The renderer.
    #[must_use]
    pub(crate) fn renderer(self, all_frames: bool) -> Box<dyn Renderer> {
        heapsoak_report::format(self.name(), true, all_frames)
            .expect("every format has a renderer: a test holds it")
    }

    /// Whether every run writes it to its folder anyway.
    #[must_use]
    pub(crate) fn is_kept(self) -> bool {
        matches!(self, Format::Terminal | Format::Json | Format::Html)
    }
}

/// What `scenario` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// List the scenarios of leak-scenarios/.
    List,
    /// Check scenario files: the given ones, or all of leak-scenarios/.
    Validate {
        /// Names in leak-scenarios/, or paths of files.
        scenarios: Vec<String>,
    },
    /// Draft a scenario from what is known of a server already.
    New(NewScenario),
}

/// What a scenario is drafted from.
#[derive(Debug, Args)]
pub(crate) struct NewScenario {
    /// OpenAPI document of version 3, as JSON or YAML: a kind for each operation, and for the errors it names.
    #[arg(long, value_name = "FILE", required_unless_present = "from_har", conflicts_with = "from_har")]
    pub(crate) from_openapi: Option<PathBuf>,
    /// HAR file, as browsers save what they recorded: a kind for all requests that differ in ids only.
    #[arg(long, value_name = "FILE")]
    pub(crate) from_har: Option<PathBuf>,
    /// File to write to, in place of stdout. It must not exist.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Schemas published.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Schema {
    /// JSON Schema of gate.json, which `check` writes.
    Gate,
    /// JSON Schema of report.json.
    Report,
    /// JSON Schema of scenario files, for completion in an editor.
    Scenario,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn json_is_short_for_the_format() {
        let arguments = Arguments::try_parse_from(["heapsoak", "soak", "--json"]).unwrap();
        let Command::Soak(soak) = arguments.command else { panic!("not a soak") };
        assert_eq!(soak.output.format(), Format::Json);
    }

    #[test]
    fn every_format_of_the_command_line_has_its_renderer_and_the_other_way_round() {
        let names: Vec<String> = Format::value_variants()
            .iter()
            .map(|format| format.to_possible_value().unwrap().get_name().to_owned())
            .collect();
        assert_eq!(names, heapsoak_report::FORMATS);
        for format in Format::value_variants() {
            assert_eq!(format.renderer(false).name(), format.name());
        }
    }

    #[test]
    fn an_unknown_defect_is_refused_by_name() {
        let error =
            Arguments::try_parse_from(["heapsoak", "soak", "--as-found", "cache.nonsense"]).unwrap_err();
        assert!(error.to_string().contains("cache.nonsense"), "{error}");
        assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()));
    }
}
