use std::time::Duration;

use super::http1::Answer;
use crate::scenario::Answers;

/// What an answer is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checked {
    /// Success, as the kind expects.
    Ok,
    /// An error, as the kind expects.
    ExpectedError,
    /// Not as the kind expects.
    Wrong { got: String, expected: String },
}

/// Compares an answer with what is expected of it.
pub(super) fn check(expect: &Answers, answer: &Answer, took: Duration) -> Checked {
    if answer.status == 0 {
        return check_line(expect, &answer.body);
    }
    if expect.error.contains(&answer.status) {
        return check_time(expect, took).unwrap_or(Checked::ExpectedError);
    }
    if !expect.ok.contains(&answer.status) {
        return Checked::Wrong {
            got: format!("status {}", answer.status),
            expected: format!("status {expect}"),
        };
    }
    check_headers(expect, answer)
        .or_else(|| check_json(expect, &answer.body))
        .or_else(|| check_time(expect, took))
        .unwrap_or(Checked::Ok)
}

fn check_line(expect: &Answers, line: &[u8]) -> Checked {
    let starts = |with: &[String]| with.iter().any(|start| line.starts_with(start.as_bytes()));
    if starts(&expect.line) {
        Checked::Ok
    } else if starts(&expect.error_line) {
        Checked::ExpectedError
    } else {
        let got = String::from_utf8_lossy(&line[..line.len().min(100)]).trim_end().to_owned();
        Checked::Wrong { got: format!("'{got}'"), expected: format!("a line that starts with {expect}") }
    }
}

fn check_headers(expect: &Answers, answer: &Answer) -> Option<Checked> {
    expect.headers.iter().find_map(|(name, wanted)| {
        let found = answer.header(name.as_str());
        if found.is_some_and(|value| value.contains(wanted.as_str())) {
            return None;
        }
        let got = found.map_or_else(|| format!("no header {name}"), |value| format!("{name}: {value}"));
        Some(Checked::Wrong { got, expected: format!("{name}: {wanted}") })
    })
}

fn check_json(expect: &Answers, body: &[u8]) -> Option<Checked> {
    if expect.json.is_empty() {
        return None;
    }
    let wrong = |got: String, expected: String| Some(Checked::Wrong { got, expected });
    let document: serde_json::Value = match serde_json::from_slice(body) {
        Ok(document) => document,
        Err(error) => return wrong(format!("a body that is no JSON: {error}"), "JSON".to_owned()),
    };
    expect.json.iter().find_map(|(pointer, wanted)| match document.pointer(pointer) {
        Some(found) if found == wanted => None,
        Some(found) => wrong(format!("{pointer} = {found}"), format!("{pointer} = {wanted}")),
        None => wrong(format!("nothing at {pointer}"), format!("{pointer} = {wanted}")),
    })
}

fn check_time(expect: &Answers, took: Duration) -> Option<Checked> {
    let most = expect.within?;
    (took > most).then(|| Checked::Wrong {
        got: format!("an answer after {} ms", took.as_millis()),
        expected: format!("an answer within {} ms", most.as_millis()),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let headers = vec![("content-type".to_owned(), b"application/json; charset=utf-8".to_vec())];
        Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()), reusable: true }
    }

    fn wrong(checked: Checked) -> String {
        match checked {
            Checked::Wrong { got, expected } => format!("{got} | {expected}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn status_headers_body_and_time_are_all_looked_at() {
        let expect = Answers {
            ok: vec![200],
            error: vec![409],
            headers: vec![(http::header::CONTENT_TYPE, "application/json".to_owned())],
            json: vec![("/state".to_owned(), "done".into()), ("/n".to_owned(), 3.into())],
            within: Some(Duration::from_millis(50)),
            ..Answers::default()
        };
        let fast = Duration::from_millis(5);
        assert_eq!(check(&expect, &answer(200, r#"{"state":"done","n":3}"#), fast), Checked::Ok);
        assert_eq!(check(&expect, &answer(409, ""), fast), Checked::ExpectedError);
        let said = |answer: &Answer, took| wrong(check(&expect, answer, took));
        assert_eq!(said(&answer(500, ""), fast), "status 500 | status 200 or 409");
        assert_eq!(
            said(&answer(200, r#"{"state":"open","n":3}"#), fast),
            r#"/state = "open" | /state = "done""#
        );
        assert_eq!(said(&answer(200, r#"{"state":"done"}"#), fast), "nothing at /n | /n = 3");
        assert!(said(&answer(200, "<html>"), fast).starts_with("a body that is no JSON"));
        let slow = said(&answer(200, r#"{"state":"done","n":3}"#), Duration::from_millis(51));
        assert_eq!(slow, "an answer after 51 ms | an answer within 50 ms");
        let bare = Answer { headers: Vec::new(), ..answer(200, "") };
        assert_eq!(said(&bare, fast), "no header content-type | content-type: application/json");
    }

    #[test]
    fn a_line_is_known_by_its_start() {
        let expect = Answers {
            line: vec!["+OK".to_owned()],
            error_line: vec!["-ERR".to_owned()],
            ..Answers::default()
        };
        let took = Duration::ZERO;
        assert_eq!(check(&expect, &answer(0, "+OK\r\n"), took), Checked::Ok);
        assert_eq!(check(&expect, &answer(0, "-ERR wrong\r\n"), took), Checked::ExpectedError);
        assert_eq!(
            wrong(check(&expect, &answer(0, ":1\r\n"), took)),
            "':1' | a line that starts with +OK or -ERR"
        );
    }
}
