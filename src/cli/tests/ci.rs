//! What a CI runs, run for real with short settings: the two scripts, and the steps of the action and of the template.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;
use std::process::{Command, Output};

use workbench::{LOOK_UPS, Workbench, repository};
use yaml_rust2::{Yaml, YamlLoader};

fn script(bench: &Workbench, name: &str, arguments: &[&str]) -> Command {
    command(bench, &repository().join("scripts").join(name).display().to_string(), arguments)
}

fn command(bench: &Workbench, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(bench.path("")).env("HEAPSOAK", env!("CARGO_BIN_EXE_heapsoak"));
    for variable in ["OUT", "BASELINE", "GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(variable);
    }
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn yaml(file: &str) -> Yaml {
    let text = fs::read_to_string(repository().join(file)).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

#[test]
fn the_check_script_leaves_what_a_ci_shows_and_replaces_only_its_own_folder() {
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    let first = script(&bench, "ci-leak-check.sh", &["short.toml", "--quiet"]).output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    for file in ["gate.json", "junit.xml", "report.sarif", "report.md", "report.html", "recording.jsonl"] {
        assert!(bench.path("reports/ci").join(file).is_file(), "{file}");
    }
    let again = script(&bench, "ci-leak-check.sh", &["short.toml", "--quiet"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    fs::create_dir(bench.path("precious")).unwrap();
    bench.file("precious/notes.txt", "mine");
    let refused =
        script(&bench, "ci-leak-check.sh", &["short.toml"]).env("OUT", "precious").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(bench.path("precious/notes.txt").is_file());
}

#[test]
fn the_check_script_fails_with_the_code_of_the_gate() {
    let bench = Workbench::new();
    bench.file("heapsoak.toml", "version = 1\n[budget.component.unscoped]\npeak = 1");
    bench.file("short.toml", LOOK_UPS);
    let failed = script(&bench, "ci-leak-check.sh", &["short.toml", "--quiet"]).output().unwrap();
    assert_eq!(failed.status.code(), Some(3), "{}", said(&failed));
    let missing = script(&bench, "ci-leak-check.sh", &["nightly"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
}

#[test]
fn the_step_of_the_action_runs_and_sets_its_outputs() {
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_vec().unwrap();
    let step = steps.iter().find(|step| step["id"].as_str() == Some("check")).unwrap();
    let mut run = command(&bench, "bash", &["-e", "-c", step["run"].as_str().unwrap()]);
    for (name, value) in step["env"].as_hash().unwrap() {
        let value = match value.as_str().unwrap() {
            "${{ inputs.scenarios }}" => "short.toml".to_owned(),
            "${{ inputs.arguments }}" => "--quiet --seed 7".to_owned(),
            "${{ inputs.out }}" => action["inputs"]["out"]["default"].as_str().unwrap().to_owned(),
            "${{ inputs.heapsoak }}" => env!("CARGO_BIN_EXE_heapsoak").to_owned(),
            value => value.replace("${{ github.action_path }}", &repository().display().to_string()),
        };
        let empty = value.starts_with("${{ inputs.");
        run.env(name.as_str().unwrap(), if empty { "" } else { &value });
    }
    let (summary, outputs) = (bench.file("summary.md", ""), bench.file("outputs", ""));
    run.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", &outputs);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("::notice title="), "{}", said(&output));
    assert!(fs::read_to_string(summary).unwrap().contains("short"));
    let outputs = fs::read_to_string(outputs).unwrap();
    assert!(outputs.contains("outcome=passed\nexit-code=0\n"), "{outputs}");
    for name in action["outputs"].as_hash().unwrap().keys() {
        assert!(outputs.contains(&format!("{}=", name.as_str().unwrap())), "{name:?}");
    }
    let comment = outputs.lines().find_map(|line| line.strip_prefix("comment=")).unwrap();
    assert!(bench.path(comment).is_file());
}

#[test]
fn the_template_for_gitlab_runs_the_script_and_keeps_its_files() {
    let template = yaml("ci/heapsoak.gitlab-ci.yml");
    let job = &template[".heapsoak"];
    let lines: Vec<&str> =
        job["script"].as_vec().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    // The clone is the repository itself.
    fs::create_dir_all(bench.path(".heapsoak")).unwrap();
    std::os::unix::fs::symlink(repository(), bench.path(".heapsoak/source")).unwrap();
    let out = job["variables"]["OUT"].as_str().unwrap();
    let output = command(&bench, "bash", &["-e", "-c", &lines.join("\n")])
        .env("HEAPSOAK_ARGUMENTS", "short.toml --quiet")
        .env("HEAPSOAK_SOURCE", "")
        .env("OUT", out)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(bench.path(job["artifacts"]["reports"]["junit"].as_str().unwrap()).is_file());
    assert_eq!(job["artifacts"]["paths"][0].as_str(), Some(out));
}

#[test]
fn the_soak_before_a_release_runs_for_its_time_in_one_process_and_is_gated() {
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    let output = script(&bench, "soak.sh", &["3s", "short.toml"]).env("OUT", "long").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = bench.json("long/short/report.json");
    assert!(report["requests"]["sent"].as_u64().unwrap() >= 600, "{}", report["requests"]);
    assert!(bench.path("long/short/gate.json").is_file());
    for wrong in [&["soon"][..], &["0h"], &["1s", "a", "b"]] {
        let refused = script(&bench, "soak.sh", wrong).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    }
}
