//! Mistakes in scenario files are told with file, line and column.

use std::fs;
use std::path::Path;

use heapsoak_driver::{Problem, Scenario, ScenarioError};

const VALID: &str = r#"version = 1
[load]
cycles = 2
requests-per-cycle = 10
[weights]
"a.x" = 1
[kind."a.x"]
path = "/x"
expect = { ok = [200] }
"#;

fn load(text: &str) -> Result<Scenario, ScenarioError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.toml");
    fs::write(&path, text).unwrap();
    Scenario::load(&path)
}

fn problem(text: &str) -> Problem {
    match load(text) {
        Err(ScenarioError::Malformed(problem)) => *problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_small_scenario_is_read_with_its_defaults() {
    let scenario = load(VALID).unwrap();
    assert_eq!(scenario.name, "test");
    assert_eq!((scenario.cycles, scenario.max_cycles, scenario.concurrency, scenario.seed), (2, 2, 4, 1));
    assert_eq!(scenario.requests(), 20);
    assert!(scenario.target.as_found.is_empty() && scenario.advance.is_none() && scenario.expect.is_none());
}

#[test]
fn mistakes_are_found_at_their_line_and_column() {
    let cases = [
        ("[load]", "[load]\ncycels = 3", (3, 1), "unknown field `cycels`"),
        ("cycles = 2", "cycles = \"two\"", (3, 10), "invalid type"),
        ("cycles = 2", "cycles = 0", (3, 10), "at least one cycle"),
        ("[load]", "[budget.component.a]\ngrowth-per-1000 = 0\n[load]", (2, 2), "must be above zero"),
        ("cycles = 2", "cycles = 2\nmax-cycles = 1", (4, 14), "below cycles"),
        ("cycles = 2", "cycles = 2\nconcurrency = 0", (4, 15), "from 1 to 1024"),
        ("version = 1", "version = 2", (1, 11), "version 2 is unknown"),
        ("\"a.x\" = 1", "\"a.y\" = 1", (6, 1), "unknown request kind 'a.y'"),
        ("\"a.x\" = 1", "\"a.x\" = -1", (6, 9), "from zero up"),
        ("\"a.x\" = 1", "\"a.x\" = 0", (1, 1), "no request kind has a weight"),
        ("path = \"/x\"", "path = \"/{{nope}}\"", (8, 8), "'{{nope}}' is unknown"),
        ("path = \"/x\"", "path = \"/{{$id}}\"", (6, 1), "nothing gives 'id' a value"),
        ("path = \"/x\"", "", (6, 1), "it has no 'path'"),
        ("expect = { ok = [200] }", "expect = { okay = [200] }", (9, 12), "unknown field `okay`"),
        ("expect = { ok = [200] }", "", (6, 1), "'expect' is missing"),
        ("path = \"/x\"", "path = \"/x\"\nstage = \"s\"", (6, 1), "no stage is called 's'"),
        ("path = \"/x\"", "replay-of = \"a.z\"", (6, 1), "unknown kind 'a.z'"),
        ("path = \"/x\"", "method = \"FETCH\"\npath = \"/x\"", (8, 10), "unknown variant `FETCH`"),
        ("path = \"/x\"", "path = \"/x\"\nheaders = { \"a b\" = \"c\" }", (9, 13), "name of an HTTP header"),
        ("[load]", "[clock]\nadvance = \"6 minutes\"\n[load]", (3, 11), "no length of time"),
        ("[load]", "[clock]\nadvance = \"6m\"\nevery = 0\n[load]", (4, 9), "never"),
        ("[load]", "[expect]\nverdict = \"leek\"\n[load]", (3, 11), "unknown word 'leek'"),
        (
            "[load]",
            "[expect.component.c]\nverdict = [\"leak\", \"fine\"]\n[load]",
            (3, 11),
            "unknown word 'fine'",
        ),
        ("[load]", "[load", (2, 6), "unclosed table"),
    ];
    for (old, new, (line, column), message) in cases {
        assert!(VALID.contains(old), "{old}");
        let problem = problem(&VALID.replacen(old, new, 1));
        assert!(problem.message().contains(message), "{new}: {}", problem.message());
        assert_eq!((problem.line(), problem.column()), (line, column), "{new}: {problem}");
        let place = format!("test.toml:{line}:{column}: ");
        assert!(problem.to_string().contains(&place), "{problem}");
    }
}

#[test]
fn a_path_out_of_the_data_folder_is_refused() {
    for path in ["../queue.json", "/etc/passwd", ""] {
        let stage = format!("[stage.main]\nbefore = [{{ obstruct = \"{path}\" }}]\n[load]");
        let problem = problem(&VALID.replacen("[load]", &stage, 1));
        assert!(problem.message().contains("no path inside the data folder"), "{problem}");
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

const KINDS: &str = r#"version = 1
[kind."a.x"]
path = "/x"
expect = { ok = [200] }
[kind."a.y"]
path = "/y"
expect = { ok = [200] }
"#;

fn scenario_including(include: &str, more: &str) -> String {
    format!(
        "version = 1\ninclude = [\"{include}\"]\n[load]\ncycles = 1\nrequests-per-cycle = 1\n[weights]\n\"a.x\" = 1\n{more}"
    )
}

#[test]
fn kinds_come_from_included_files_and_may_be_overridden() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kinds.toml", KINDS);
    let more = "[kind.\"a.x\"]\nexpect = { error = [401] }\n";
    write(folder.path(), "s.toml", &scenario_including("kinds.toml", more));
    let scenario = Scenario::load(&folder.path().join("s.toml")).unwrap();
    assert_eq!(scenario.kinds.len(), 1);
    assert_eq!(scenario.unused_kinds, ["a.y"]);
    assert!(scenario.source.contains("error = [401]") && scenario.source.contains("path = \"/x\""));
    assert!(!scenario.source.contains("include"), "{}", scenario.source);
}

#[test]
fn a_mistake_in_an_included_file_points_into_that_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kinds.toml", &KINDS.replace("path = \"/y\"", "paht = \"/y\""));
    write(folder.path(), "s.toml", &scenario_including("kinds.toml", ""));
    let Err(ScenarioError::Malformed(problem)) = Scenario::load(&folder.path().join("s.toml")) else {
        panic!("it was read");
    };
    assert!(problem.path().ends_with("kinds.toml"));
    assert_eq!((problem.line(), problem.column()), (6, 1));
}

#[test]
fn files_that_include_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "one.toml", "version = 1\ninclude = [\"two.toml\"]\n");
    write(folder.path(), "two.toml", "version = 1\ninclude = [\"one.toml\"]\n");
    write(folder.path(), "s.toml", &scenario_including("one.toml", ""));
    let Err(ScenarioError::Malformed(problem)) = Scenario::load(&folder.path().join("s.toml")) else {
        panic!("it was read");
    };
    assert!(problem.message().contains("includes itself"), "{problem}");
    assert!(problem.path().ends_with("two.toml"), "{problem}");
    assert_eq!((problem.line(), problem.column()), (2, 12));
}

#[test]
fn an_included_file_has_no_say_in_what_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kinds.toml", &format!("{KINDS}[weights]\n\"a.y\" = 1\n"));
    write(folder.path(), "s.toml", &scenario_including("kinds.toml", ""));
    let error = Scenario::load(&folder.path().join("s.toml")).unwrap_err();
    assert!(error.to_string().contains("kinds.toml:9:1: an included file has only"), "{error}");
}

#[test]
fn missing_files_are_named() {
    let missing = Scenario::load(Path::new("/nowhere/missing.toml")).unwrap_err();
    assert!(missing.to_string().starts_with("can't read /nowhere/missing.toml: "), "{missing}");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "s.toml", &scenario_including("gone.toml", ""));
    let error = Scenario::load(&folder.path().join("s.toml")).unwrap_err().to_string();
    assert!(error.contains("s.toml:2:12: can't read") && error.contains("gone.toml"), "{error}");
}

#[test]
fn only_the_top_of_a_folder_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.toml", "a.toml", "notes.md"] {
        write(folder.path(), name, "");
    }
    fs::create_dir(folder.path().join("kinds")).unwrap();
    write(folder.path(), "kinds/c.toml", "");
    let listed = Scenario::list(folder.path()).unwrap();
    let names: Vec<_> = listed.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a.toml", "b.toml"]);
}

#[test]
fn every_scenario_that_ships_is_read_and_sends_every_kind_it_weighs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../leak-scenarios");
    let listed = Scenario::list(&folder).unwrap();
    let mut names = Vec::new();
    for path in &listed {
        let scenario = Scenario::load(path).unwrap_or_else(|error| panic!("{error}"));
        let total: f64 = scenario.kinds.iter().map(|kind| kind.weight).sum();
        for kind in &scenario.kinds {
            let flows = 0.7 * scenario.requests() as f64 * kind.weight / total;
            assert!(flows > 5.0, "{}: {} is sent about {flows} times", scenario.name, kind.name);
        }
        if ["claims", "missed", "fixed", "mixed"].contains(&scenario.name.as_str()) {
            assert!(scenario.requests() >= 10_000, "{}", scenario.name);
        }
        assert!(scenario.expect.is_some() && !scenario.description.is_empty(), "{}", scenario.name);
        names.push(scenario.name);
    }
    let wanted = ["cache", "claims", "fixed", "missed", "mixed", "process", "queue", "session", "verifier"];
    assert_eq!(names, wanted);
}
