//! Servers that are not the built-in one: started, attached to, looked at.

#![allow(clippy::unwrap_used, reason = "a server that can't be set up fails its test")]

mod workbench;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use workbench::{Workbench, repository};

/// A folder of the tests' own servers.
fn servers() -> PathBuf {
    repository().join("src/cli/tests/servers")
}

/// A server somebody else started; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn finding(report: &Value) -> &Value {
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    &findings[0]
}

fn scenario(bench: &Workbench) -> PathBuf {
    for name in ["node.toml", "leaky.js", "lines.toml", "lines.js"] {
        std::fs::copy(servers().join(name), bench.path(name)).unwrap();
    }
    bench.path("node.toml")
}

#[test]
fn a_leak_of_a_node_server_is_found_and_named_by_its_request_kind() {
    let bench = Workbench::new();
    scenario(&bench);
    let run = bench.heapsoak(&["soak", "node.toml", "--inspect", "--out", "run"]);
    run.exits_with(3).stdout(contains("only a server with the"));
    let report = bench.json("run/report.json");
    assert_eq!(report["verdict"], "leak");
    let finding = finding(&report);
    assert_eq!(finding["triggered_by"], serde_json::json!(["plain.keep"]), "{finding:#}");
    // A kept text of 500 letters, its hexadecimal copy twice as long, and an object around them: a third of the requests.
    let grown = finding["growth_bytes_per_1000_requests"]["estimate"].as_f64().unwrap();
    assert!((300_000.0..1_200_000.0).contains(&grown), "{grown}");
    let blind = report["not_analysed"].as_array().unwrap();
    assert!(
        blind.iter().any(|said| said.as_str().unwrap().contains("without the probe there are no cohorts"))
    );
    bench.assert_nothing_left();
}

#[test]
fn a_scenario_names_its_server_and_a_server_that_keeps_nothing_is_clean() {
    let bench = Workbench::new();
    let path = scenario(&bench);
    let text = std::fs::read_to_string(&path).unwrap().replace("\"plain.keep\" = 1", "\"plain.keep\" = 0");
    let inspector = format!("127.0.0.1:{}", free_port());
    let target = format!(
        "command = \"node --inspect={inspector} leaky.js\"\ninspect = \"{inspector}\"\nready = \"/read\"\n\
         metrics = \"http://127.0.0.1:{{port}}/metrics\""
    );
    std::fs::write(&path, text.replace("command = [\"node\", \"leaky.js\"]", &target)).unwrap();
    let run = bench.heapsoak(&["soak", "node.toml", "--out", "run"]);
    run.exits_with(0).stdout(contains("seen from outside"));
    let recording = std::fs::read_to_string(bench.path("run/recording.jsonl")).unwrap();
    for name in
        ["heap.v8.used", "private", "pss", "fds.socket", "threads", "metric.process_resident_memory_bytes"]
    {
        assert!(recording.contains(&format!("\"name\":\"{name}\"")), "{name} was not recorded");
    }
    bench.assert_nothing_left();
}

#[test]
fn a_process_that_runs_is_found_by_its_address_and_runs_on_afterwards() {
    let bench = Workbench::new();
    scenario(&bench);
    let port = free_port();
    let mut node = Command::new("node");
    let node = node.arg(servers().join("leaky.js")).env("PORT", port.to_string());
    let mut running = Running(node.spawn().unwrap());
    let url = format!("http://127.0.0.1:{port}");
    workbench::wait_for(std::time::Duration::from_secs(20), || {
        std::net::TcpStream::connect(("127.0.0.1", port))
    })
    .unwrap();
    let run = bench.heapsoak(&["soak", "node.toml", "--url", &url, "--requests", "600", "--out", "run"]);
    run.exits_with_one_of(&[0, 3, 4]);
    let report = bench.json("run/report.json");
    assert!(report["target"].as_str().unwrap().contains(&running.0.id().to_string()), "{}", report["target"]);
    assert_eq!(report["requests"]["failed"], 0);
    assert!(running.0.try_wait().unwrap().is_none(), "a server that was only looked at is left alone");
}

#[test]
fn a_server_with_the_probe_is_attached_to_and_its_components_are_told_apart() {
    let bench = Workbench::new();
    let socket = bench.path("probe.sock");
    let mut server = Command::new(env!("CARGO_BIN_EXE_heapsoak"));
    server.arg("__autopilot").args(["--as-found", "cache"]).env("HEAPSOAK_SOCKET", &socket);
    server.env("AUTOPILOT_LISTEN", "127.0.0.1:0").env("AUTOPILOT_DATA", bench.path("data"));
    for (name, value) in [
        ("WEBHOOK_SECRET", "s"),
        ("TRACKER_URL", "http://127.0.0.1:9"),
        ("AGENT_COMMAND", "[\"true\"]"),
        ("REVIEWER_COMMAND", "[\"true\"]"),
    ] {
        server.env(format!("AUTOPILOT_{name}"), value);
    }
    let mut running = Running(server.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = format!("http://{}", line.trim().strip_prefix("listening on ").unwrap());
    bench.file(
        "mine.toml",
        "version = 1\n[target]\nattach = \"nowhere\"\nurl = \"http://127.0.0.1:1\"\n[load]\ncycles = 12\nrequests-per-cycle = 60\n\
         [weights]\n\"cache.health\" = 1\n\"cache.unknown\" = 1\n[kind.\"cache.health\"]\npath = \"/health\"\nexpect = { ok = [200] }\n\
         [kind.\"cache.unknown\"]\npath = \"/catalogue/unknown-{{hex:16}}/key\"\nexpect = { error = [404] }\n",
    );
    let socket = socket.to_str().unwrap();
    let run = bench.heapsoak(&["soak", "mine.toml", "--attach", socket, "--url", &url, "--out", "run"]);
    run.exits_with(3);
    let report = bench.json("run/report.json");
    let finding = finding(&report);
    assert_eq!(finding["component"], "cache");
    assert_eq!(finding["triggered_by"], serde_json::json!(["cache.unknown"]));
    assert!(running.0.try_wait().unwrap().is_none());
}

#[test]
fn a_server_that_speaks_in_lines_is_soaked_too() {
    let bench = Workbench::new();
    scenario(&bench);
    let run = bench.heapsoak(&["soak", "lines.toml", "--requests", "500", "--out", "run"]);
    run.exits_with_one_of(&[0, 3, 4]);
    let requests = &bench.json("run/report.json")["requests"];
    assert_eq!(
        (requests["failed"].as_u64(), requests["sent"].as_u64() >= Some(500)),
        (Some(0), true),
        "{requests}"
    );
    assert!(requests["expected_errors"].as_u64() > Some(0), "{requests}");
    bench.assert_nothing_left();
}

#[test]
fn what_a_user_can_get_wrong_with_a_server_of_their_own_is_said_in_one_line() {
    let bench = Workbench::new();
    scenario(&bench);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    for (arguments, code, said) in [
        (vec!["--spawn", "node -e process.exit(9)"], 5, "the server ended at once (exit status 9)"),
        (vec!["--spawn", "no-such-program --flag"], 2, "can't start no-such-program"),
        (vec!["--spawn", "'open quote"], 2, "a quote in the command is not closed"),
        (vec!["--spawn", "node leaky.js", "--url", &url], 2, "something else listens at"),
        (vec!["--attach", "nowhere.sock"], 2, "where the server listens is not known"),
        (vec!["--attach", "nowhere.sock", "--url", &url], 5, "no probe answers at nowhere.sock"),
        (vec!["--url", "ftp://127.0.0.1"], 2, "its scheme is unknown"),
        (vec!["--pid", "1", "--url", "http://127.0.0.1:1"], 5, "no server answers at http://127.0.0.1:1"),
        (vec!["--spawn", "node leaky.js", "--as-found", "all"], 2, "--as-found is for the built-in server"),
        (vec!["--spawn", "node leaky.js", "--inspect", "127.0.0.1:1"], 5, "was Node started with --inspect?"),
    ] {
        let mut all = vec!["soak", "node.toml", "--out", "run"];
        all.extend(&arguments);
        let run = bench.heapsoak(&all).assert().code(code);
        run.stderr(contains(said)).stdout("");
        assert!(!bench.path("run/recording.jsonl").exists(), "{arguments:?}");
    }
    bench.assert_nothing_left();
}

/// Runs a command and checks its exit code.
trait Exits {
    fn exits_with(self, code: i32) -> assert_cmd::assert::Assert;
    fn exits_with_one_of(self, codes: &[i32]) -> assert_cmd::assert::Assert;
}

impl Exits for assert_cmd::Command {
    fn exits_with(mut self, code: i32) -> assert_cmd::assert::Assert {
        self.assert().code(code)
    }

    fn exits_with_one_of(mut self, codes: &[i32]) -> assert_cmd::assert::Assert {
        let codes = codes.to_vec();
        self.assert().code(predicate::in_iter(codes))
    }
}
