//! Drafts of scenarios: what is written can be read, says what its source says, and keeps no secret.

use std::fs;
use std::path::{Path, PathBuf};

use heapsoak_driver::{DraftSource, Scenario, draft_scenario};

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drafts").join(name)
}

/// The draft, read as a scenario.
fn read(draft: &str) -> Scenario {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("draft.toml");
    fs::write(&path, draft).unwrap();
    Scenario::load(&path).unwrap_or_else(|error| panic!("{error}\n{draft}"))
}

fn names(scenario: &Scenario) -> Vec<&str> {
    scenario.kinds.iter().map(|kind| kind.name.as_str()).collect()
}

/// As in the file beside the source. To accept what is written now: `HEAPSOAK_ACCEPT=1 cargo test -p heapsoak-driver drafts`.
fn assert_golden(name: &str, draft: &str) {
    let golden = source(name);
    if std::env::var_os("HEAPSOAK_ACCEPT").is_some() {
        fs::write(&golden, draft).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let differs = draft.lines().zip(expected.lines()).position(|(one, other)| one != other);
    assert!(draft == expected, "{} differs, first in line {differs:?}, from 0", golden.display());
}

#[test]
fn an_openapi_document_becomes_a_scenario_of_its_operations_and_their_errors() {
    let draft = draft_scenario(DraftSource::OpenApi, &source("shop.openapi.yaml")).unwrap();
    assert_golden("shop.openapi.toml", &draft);
    let scenario = read(&draft);
    let expected = [
        "customers.put-customers-id-avatar",
        "health.get-health",
        "login.log-in",
        "orders.cancel-order",
        "orders.cancel-order-unknown",
        "orders.change-order",
        "orders.change-order-malformed",
        "orders.change-order-unknown",
        "orders.list-orders",
        "orders.place-order",
        "orders.place-order-malformed",
        "orders.show-order",
        "orders.show-order-unknown",
        "reports.get-reports-year",
    ];
    assert_eq!(names(&scenario), expected);
    let failing: Vec<_> =
        scenario.kinds.iter().filter(|kind| kind.is_error_path()).map(|kind| kind.name.as_str()).collect();
    assert_eq!(
        failing,
        expected
            .iter()
            .filter(|name| name.ends_with("unknown") || name.ends_with("malformed"))
            .copied()
            .collect::<Vec<_>>()
    );
    assert_eq!(scenario.variables(), ["HEAPSOAK_TOKEN"]);
    assert_eq!(scenario.target.own.as_ref().unwrap().url.as_deref(), Some("http://127.0.0.1:8080"));
}

#[test]
fn yaml_and_json_give_the_same_draft() {
    let yaml = fs::read_to_string(source("shop.openapi.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let docs = yaml_rust2::YamlLoader::load_from_str(&yaml).unwrap();
    let json = folder.path().join("shop.openapi.yaml");
    fs::write(&json, to_json(&docs[0])).unwrap();
    let from_json = draft_scenario(DraftSource::OpenApi, &json).unwrap();
    let path = folder.path().join("shop.openapi.json");
    fs::copy(&json, &path).unwrap();
    let named_json = draft_scenario(DraftSource::OpenApi, &path).unwrap();
    // But for the order of what the document has in tables, which JSON's reader sorts.
    let sorted = |text: &str| {
        let mut lines: Vec<String> =
            text.lines().map(|line| line.replace("openapi.json", "openapi.yaml")).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&from_json), sorted(&named_json));
}

fn to_json(yaml: &yaml_rust2::Yaml) -> String {
    use yaml_rust2::Yaml;
    match yaml {
        Yaml::Hash(fields) => {
            let key =
                |key: &Yaml| key.as_str().map_or_else(|| key.as_i64().unwrap().to_string(), str::to_owned);
            let fields = fields.iter().map(|(name, value)| format!("{:?}:{}", key(name), to_json(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Yaml::Array(items) => format!("[{}]", items.iter().map(to_json).collect::<Vec<_>>().join(",")),
        Yaml::String(text) => format!("{text:?}"),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Boolean(yes) => yes.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_har_file_becomes_a_scenario_without_its_secrets() {
    let draft = draft_scenario(DraftSource::Har, &source("shop.har")).unwrap();
    assert_golden("shop.har.toml", &draft);
    assert!(!draft.contains("very-secret"), "{draft}");
    for dropped in ["user-agent", "referer", "origin", "sec-fetch", "host ="] {
        assert!(!draft.to_lowercase().contains(dropped), "{dropped}: {draft}");
    }
    let scenario = read(&draft);
    let expected = [
        "assets.static",
        "login.post",
        "orders.get-one",
        "orders.get-one-2",
        "orders.post",
        "root.get",
        "search.post",
    ];
    assert_eq!(names(&scenario), expected);
    let variables = [
        "HEAPSOAK_ACCESS_TOKEN",
        "HEAPSOAK_AUTHORIZATION",
        "HEAPSOAK_COOKIE",
        "HEAPSOAK_PASSWORD",
        "HEAPSOAK_SESSION_ID",
        "HEAPSOAK_X_CSRF_TOKEN",
    ];
    assert_eq!(scenario.variables(), variables);
    assert!(draft.contains("Left out, because they went to other servers: 1."), "{draft}");
    assert!(draft.contains("Left out, because of their method or for want of an answer: 2."), "{draft}");
    assert!(draft.contains("body = \"q=a%20b%26c&session_id={{env:HEAPSOAK_SESSION_ID}}\""), "{draft}");
    // Of a group of assets, each is asked for in turn.
    assert!(draft.contains("{{choice:/assets/app.1a2b3c4d.js|/assets/app.css?v=3|/logo.svg}}"), "{draft}");
}

#[test]
fn what_is_no_such_file_is_one_clear_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (name, from, text, expected) in [
        (
            "a.json",
            DraftSource::OpenApi,
            "{\"openapi\": \"3.1.0\"",
            "a.json:1:19: EOF while parsing an object",
        ),
        ("b.yaml", DraftSource::OpenApi, "openapi: 3.0.0\n  paths: {", "b.yaml:2:"),
        ("c.yaml", DraftSource::OpenApi, "", "c.yaml: the document is empty"),
        ("d.yaml", DraftSource::OpenApi, "title: x", "d.yaml: this is no OpenAPI document"),
        ("e.json", DraftSource::OpenApi, "{\"swagger\": \"2.0\"}", "e.json: this is a Swagger 2 document"),
        ("f.json", DraftSource::OpenApi, "{\"openapi\": \"3.0.0\"}", "f.json: the document has no 'paths'"),
        ("g.json", DraftSource::OpenApi, "{\"openapi\": \"3.0.0\", \"paths\": {}}", "have no operation"),
        ("h.json", DraftSource::OpenApi, "{\"openapi\": \"4.0.0\"}", "OpenAPI 4.0.0 is unknown"),
        (
            "i.har",
            DraftSource::Har,
            "{\"log\": {}}",
            "i.har:1:10: this is no HAR file: missing field `entries`",
        ),
        (
            "j.har",
            DraftSource::Har,
            "{\"log\": {\"entries\": []}}",
            "j.har: the HAR file has no HTTP request",
        ),
        ("k.har", DraftSource::Har, "<html>", "k.har:1:1: this is no HAR file: expected value"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let error = draft_scenario(from, &path).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{name}: {error}");
    }
    let error = draft_scenario(DraftSource::Har, Path::new("/nowhere/x.har")).unwrap_err().to_string();
    assert!(error.starts_with("can't read /nowhere/x.har: "), "{error}");
}
