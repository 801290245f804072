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
    assert_eq!((scenario.keep_alive, scenario.http2_connections), (true, 1));
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
        ("cycles = 2", "cycles = 2\nrate = 0", (4, 8), "from 0.001 to 1000000"),
        ("cycles = 2", "cycles = 2\narrivals = \"poisson\"", (4, 12), "needs their rate"),
        ("cycles = 2", "cycles = 2\nhttp2-connections = 2", (4, 21), "with HTTP/2 only"),
        ("[load]", "[target]\nhttp = \"2\"\n[load]", (3, 8), "the built-in server speaks HTTP/1.1"),
        ("[load]", "[target]\nca = \"a.pem\"\n[load]", (3, 6), "the built-in server speaks no TLS"),
        (
            "[load]",
            "[target]\nurl = \"https://localhost\"\nca = \"a.pem\"\ninsecure = true\n[load]",
            (4, 6),
            "no certificate is looked at",
        ),
        ("version = 1", "version = 2", (1, 11), "version 2 is unknown"),
        ("\"a.x\" = 1", "\"a.y\" = 1", (6, 1), "unknown request kind 'a.y'"),
        ("\"a.x\" = 1", "\"a.x\" = -1", (6, 9), "from zero up"),
        ("\"a.x\" = 1", "\"a.x\" = 0", (1, 1), "no request kind has a weight"),
        ("path = \"/x\"", "path = \"/{{nope}}\"", (8, 8), "'{{nope}}' is unknown"),
        ("path = \"/x\"", "path = \"/{{$id}}\"", (7, 7), "nothing gives 'id' a value"),
        ("path = \"/x\"", "", (7, 7), "it has no 'path'"),
        ("expect = { ok = [200] }", "expect = { okay = [200] }", (9, 12), "unknown field `okay`"),
        ("expect = { ok = [200] }", "", (7, 7), "'expect' is missing"),
        ("path = \"/x\"", "path = \"/x\"\nstage = \"s\"", (7, 7), "no stage is called 's'"),
        ("path = \"/x\"", "replay-of = \"a.z\"", (7, 7), "unknown kind 'a.z'"),
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
        (
            "[load]",
            "[[phase]]\nname = \"p\"\nidle = \"1s\"\n[load]",
            (3, 8),
            "none of the phases sends anything",
        ),
        ("[load]", "[[phase]]\nname = \"p\"\nshare = 0\n[load]", (3, 8), "phase 'p': it sends nothing"),
        (
            "[load]",
            "[[phase]]\nname = \"p\"\nrequests = 5\n[load]",
            (3, 8),
            "in a cycle a phase has a 'share'",
        ),
        (
            "[load]",
            "[[warm-up]]\nname = \"w\"\nshare = 1\n[load]",
            (3, 8),
            "before the cycles a phase has 'requests'",
        ),
        (
            "[load]",
            "[[phase]]\nname = \"p\"\nshare = 1\nconnections = 0\n[load]",
            (3, 8),
            "connections is a number from 1",
        ),
        (
            "[load]",
            "[[phase]]\nname = \"p\"\nshare = 1\nrate = [0, 0]\n[load]",
            (3, 8),
            "rate is in requests a second",
        ),
        (
            "[load]",
            "[[phase]]\nname = \"p\"\nshare = 1\nrate = \"fast\"\n[load]",
            (5, 8),
            "requests a second: a number, or [from, to]",
        ),
        (
            "[load]",
            "[[phase]]\nname = \"p\"\nidle = \"1s\"\nshare = 1\n[load]",
            (3, 8),
            "it has 'idle' alone",
        ),
        ("path = \"/x\"", "path = \"/x\"\nbody-hex = \"0\"", (9, 12), "Odd number of digits"),
        ("path = \"/x\"", "path = \"/x\"\nbody-hex = \"00\"\nbody = \"\"", (7, 7), "a body is given twice"),
        ("path = \"/x\"", "path = \"/x\"\nbody-file = \"gone\"", (9, 13), "can't read the body"),
        (
            "path = \"/x\"",
            "path = \"/x\"\nbody-file = \"gone\"\nbody = \"\"",
            (9, 13),
            "a body is given twice",
        ),
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
fn a_slip_is_told_what_was_probably_meant() {
    for (old, new, hint) in [
        ("cycles = 2", "cylces = 2", "did you mean 'cycles'?"),
        ("\"a.x\" = 1", "\"a.xx\" = 1", "did you mean 'a.x'?"),
        ("path = \"/x\"", "method = \"PSOT\"\npath = \"/x\"", "did you mean 'POST'?"),
    ] {
        let problem = problem(&VALID.replacen(old, new, 1));
        assert_eq!(problem.hint(), Some(hint), "{new}");
    }
}

#[test]
fn a_body_comes_from_a_file_beside_the_one_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = folder.path().join("kinds");
    fs::create_dir_all(kinds.join("bodies")).unwrap();
    let named = |file: &str| {
        KINDS.replace("path = \"/x\"", &format!("method = \"POST\"\npath = \"/x\"\nbody-file = \"{file}\""))
    };
    write(&kinds, "kinds.toml", &named("bodies/x.json"));
    write(&kinds.join("bodies"), "x.json", "{\"id\":\"{{uuid}}\"}");
    write(folder.path(), "s.toml", &scenario_including("kinds/kinds.toml", ""));
    let load = || Scenario::load(&folder.path().join("s.toml"));
    // What a recording keeps of the scenario stands for itself.
    let scenario = load().unwrap();
    assert!(
        scenario.source.contains("{{uuid}}") && !scenario.source.contains("body-file"),
        "{}",
        scenario.source
    );
    write(&kinds, "kinds.toml", &named("bodies/x.png"));
    fs::write(kinds.join("bodies/x.png"), [0x89, 0x50, 0xff]).unwrap();
    assert!(load().unwrap().source.contains("body-hex = \"8950ff\""));
    write(&kinds, "kinds.toml", &named("bodies/y.json"));
    let error = load().unwrap_err().to_string();
    assert!(error.contains("kinds.toml:5:13: can't read the body") && error.contains("y.json"), "{error}");
    write(&kinds.join("bodies"), "y.json", "{{nonsense}}");
    let error = load().unwrap_err().to_string();
    assert!(error.contains("kinds.toml:5:13: ") && error.contains("'{{nonsense}}' is unknown"), "{error}");
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
fn what_is_wrong_with_a_kind_points_at_it_wherever_it_is_defined() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "kinds.toml",
        &KINDS.replace("expect = { ok = [200] }\n[kind.\"a.y\"]", "[kind.\"a.y\"]"),
    );
    write(folder.path(), "s.toml", &scenario_including("kinds.toml", ""));
    let error = Scenario::load(&folder.path().join("s.toml")).unwrap_err().to_string();
    assert!(error.contains("kinds.toml:2:7: kind 'a.x': 'expect' is missing"), "{error}");
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
