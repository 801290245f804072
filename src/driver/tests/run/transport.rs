//! Whatever way a server is spoken to, the same requests arrive.

use std::collections::BTreeSet;
use std::fs;

use crate::bench::{Bench, program};
use heapsoak_driver::{RunError, Scenario};
use heapsoak_record::{KindCount, Outcome, Recording};

/// How a server listens, and how the driver is told to speak to it.
#[derive(Clone, Copy)]
struct Way<'a> {
    unix: bool,
    tls: bool,
    /// What goes into `[target]`.
    target: &'a str,
    /// What goes into `[load]`.
    load: &'a str,
}

const PLAIN: Way<'_> = Way { unix: false, tls: false, target: "", load: "" };

const KINDS: &str = r#"
[weights]
"a.get" = 3
"a.post" = 1
[kind."a.get"]
path = "/get/{{counter}}"
expect = { ok = [200] }
[kind."a.post"]
method = "POST"
path = "/post"
body = { text = "{{text:10..3000}}" }
expect = { ok = [200], json = { "/nested/number" = 7 } }
"#;

/// A scenario, in a folder with a certificate, whose target is the fake server.
fn bench(way: Way<'_>, kinds: &str) -> Bench {
    let Way { unix, tls, target, load } = way;
    let bench = Bench::new(
        "version = 1\n[load]\ncycles = 1\nrequests-per-cycle = 1\n[weights]\n\"a.b\" = 1\n[kind.\"a.b\"]\npath = \"/\"\nexpect = { ok = [200] }\n",
    );
    let folder = bench.folder.path().display().to_string();
    let certificate =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    fs::write(format!("{folder}/ca.pem"), certificate.cert.pem()).unwrap();
    let both = format!("{}{}", certificate.cert.pem(), certificate.signing_key.serialize_pem());
    fs::write(format!("{folder}/server.pem"), both).unwrap();
    let listen = if unix { format!("{folder}/server.sock") } else { "{port}".to_owned() };
    let url = match (unix, tls) {
        (false, false) => "http://127.0.0.1:{port}".to_owned(),
        (false, true) => "https://127.0.0.1:{port}".to_owned(),
        (true, false) => format!("unix:{listen}"),
        (true, true) => format!("https+unix:{listen}"),
    };
    let tls = if tls { format!(", \"--tls\", \"{folder}/server.pem\"") } else { String::new() };
    let program = program().display();
    let text = format!(
        r#"
version = 1
seed = 5
[target]
command = ["{program}", "__web", "--listen", "{listen}", "--log", "{folder}/log"{tls}]
url = "{url}"
{}
[load]
cycles = 2
requests-per-cycle = 40
concurrency = 4
{load}
{kinds}"#,
        target.replace("{folder}", &folder)
    );
    let path = bench.folder.path().join("way.toml");
    fs::write(&path, text).unwrap();
    let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
    Bench { folder: bench.folder, scenario }
}

fn total(recording: &Recording) -> KindCount {
    recording.snapshots.last().unwrap().kinds.iter().copied().sum()
}

/// Runs it; returns versions seen, connections seen, and what the requests were, in order of themselves.
async fn seen(way: Way<'_>) -> (BTreeSet<String>, usize, Vec<String>) {
    let bench = bench(way, KINDS);
    let recording = bench.run().await.unwrap();
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    let total = total(&recording);
    assert_eq!((total.ok, total.failed), (80, 0), "{:?}", recording.events);
    let log = bench.log();
    // The first requests are those that open the connections.
    let (mut versions, mut connections, mut requests) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for line in log.iter().filter(|line| line.contains(" /get/") || line.contains(" /post ")) {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        versions.insert(words[0].to_owned());
        connections.insert(words[1].to_owned());
        requests.push(words[3].to_owned());
    }
    assert_eq!(requests.len(), 80, "{log:#?}");
    requests.sort();
    (versions, connections.len(), requests)
}

#[tokio::test]
async fn whatever_way_the_server_is_spoken_to_the_same_requests_arrive() {
    let (versions, connections, expected) = seen(PLAIN).await;
    assert_eq!((versions, connections), (BTreeSet::from(["HTTP/1.1".to_owned()]), 4));
    for (unix, tls, http2) in [
        (true, false, false),
        (false, true, false),
        (true, true, false),
        (false, false, true),
        (true, false, true),
        (false, true, true),
        (true, true, true),
    ] {
        let target = match (tls, http2) {
            (true, true) => "ca = \"{folder}/ca.pem\"\nhttp = \"2\"",
            (true, false) => "ca = \"{folder}/ca.pem\"",
            (false, true) => "http = \"2\"",
            (false, false) => "",
        };
        let (versions, connections, requests) = seen(Way { unix, tls, target, ..PLAIN }).await;
        let way = format!("unix {unix}, TLS {tls}, HTTP/2 {http2}");
        let version = if http2 { "HTTP/2.0" } else { "HTTP/1.1" };
        assert_eq!(versions, BTreeSet::from([version.to_owned()]), "{way}");
        assert_eq!(connections, if http2 { 1 } else { 4 }, "{way}");
        assert_eq!(requests, expected, "{way}");
    }
}

#[tokio::test]
async fn without_keep_alive_each_request_has_a_connection_of_its_own() {
    for (target, tls) in [("", false), ("http = \"2\"", false), ("ca = \"{folder}/ca.pem\"", true)] {
        let way = Way { target, tls, load: "keep-alive = false", ..PLAIN };
        let (_, connections, _) = seen(way).await;
        assert_eq!(connections, 80, "{target}");
    }
    let bench = bench(Way { load: "keep-alive = false", ..PLAIN }, KINDS);
    bench.run().await.unwrap();
    let log = bench.log();
    assert!(log.iter().all(|line| line.contains(" close /")), "{log:#?}");
}

#[tokio::test]
async fn requests_of_http2_share_as_many_connections_as_the_scenario_says() {
    let way = Way { target: "http = \"2\"", load: "http2-connections = 2", ..PLAIN };
    assert_eq!(seen(way).await.1, 2);
    let way = Way { target: "http = \"2\"", load: "http2-connections = 9", ..PLAIN };
    assert_eq!(seen(way).await.1, 4, "no more than requests in flight");
}

async fn refusal(way: Way<'_>) -> String {
    match bench(way, KINDS).run().await {
        Err(RunError::WouldNotStart(why) | RunError::Input(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused_unless_any_will_do() {
    let unknown = Way { tls: true, target: "", ..PLAIN };
    let why = refusal(unknown).await;
    assert!(why.contains("is not trusted") && why.contains("UnknownIssuer"), "{why}");
    let insecure = Way { tls: true, target: "insecure = true", ..PLAIN };
    assert_eq!(seen(insecure).await.1, 4);
    let missing = Way { tls: true, target: "ca = \"/nowhere.pem\"", ..PLAIN };
    assert!(refusal(missing).await.contains("the certificates in /nowhere.pem can't be used"));
    let empty = Way { tls: true, target: "ca = \"{folder}/way.toml\"", ..PLAIN };
    assert!(refusal(empty).await.contains("there is none in PEM"));
}

#[tokio::test]
async fn a_step_may_look_at_the_trailers_of_an_answer() {
    let kinds = r#"
[weights]
"a.get" = 1
[kind."a.get"]
path = "/"
expect = { ok = [200], header = { grpc-status = "0" } }
"#;
    let bench = bench(Way { target: "http = \"2\"", ..PLAIN }, kinds);
    let recording = bench.run().await.unwrap();
    assert_eq!(total(&recording).ok, 80, "{:?}", recording.events);
}

#[tokio::test]
async fn clients_of_http2_misbehave_too() {
    let kinds = r#"
[weights]
"a.mid-body" = 1
"b.leaves" = 1
"c.slow" = 1
"d.half-open" = 1
"e.nonsense" = 1
[kind."a.mid-body"]
method = "POST"
path = "/mid"
body = "{{hex:4000}}"
fault = "close-mid-body"
[kind."b.leaves"]
path = "/hang"
fault = "close-before-answer"
[kind."c.slow"]
method = "POST"
path = "/slow"
body = "{{hex:400}}"
fault = "slow"
expect = { ok = [200] }
[kind."d.half-open"]
method = "POST"
path = "/half"
body = "{{hex:4000}}"
fault = "half-open"
[kind."e.nonsense"]
path = "/"
fault = "nonsense"
expect = { error = [400], closed = true }
"#;
    let bench = bench(Way { target: "http = \"2\"", ..PLAIN }, kinds);
    let recording = bench.run().await.unwrap();
    let kinds = &recording.snapshots.last().unwrap().kinds;
    let [mid, leaves, slow, half, nonsense] = kinds.as_slice() else { panic!("{kinds:?}") };
    assert_eq!(total(&recording).failed, 0, "{:?}", recording.events);
    assert_eq!(slow.ok, slow.sent);
    for unanswered in [mid, leaves, half] {
        assert_eq!(unanswered.expected_errors, unanswered.sent, "{kinds:?}");
    }
    assert_eq!(nonsense.expected_errors, nonsense.sent);
    let log = bench.log();
    let count = |what: &str| log.iter().filter(|line| line.contains(what)).count() as u64;
    assert_eq!(count(" hangs"), leaves.sent);
    assert_eq!(count(" /slow "), slow.sent);
    assert_eq!(count(" broke off"), mid.sent + half.sent, "{log:#?}");
}
