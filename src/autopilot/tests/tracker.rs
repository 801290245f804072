//! The tracker's client against the simulated tracker, and against servers that misbehave.
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod simulated;

use std::time::Duration;

use autopilot::tracker::{Client, TrackerError};
use heapsoak_probe::clock;
use simulated::{alone, descriptors, eventually, tracker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A client of a server that answers every request with these bytes and closes.
async fn client_of(answer: Vec<u8>) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    Client::new(&url).unwrap()
}

#[test]
fn a_key_is_looked_up() {
    alone(async {
        let value = tracker().await.look_up("users", "ada lovelace/1").await.unwrap().unwrap();
        assert_eq!(value["id"], "ada lovelace/1");
        assert_eq!(value["namespace"], "users");
    });
}

#[test]
fn a_key_the_tracker_does_not_know_is_none() {
    alone(async {
        assert_eq!(tracker().await.look_up("users", "MISSING-1").await.unwrap(), None);
    });
}

#[test]
fn a_comment_is_taken_or_its_refusal_passed_on() {
    alone(async {
        let tracker = tracker().await;
        tracker.comment("ISSUE-1", "hello").await.unwrap();
        let error = tracker.comment("FAIL-1", "hello").await.unwrap_err();
        let expected = "the tracker answered 500 Internal Server Error to /issues/FAIL-1/comments";
        assert_eq!(error.to_string(), expected);
    });
}

#[test]
fn a_tracker_that_never_answers_is_given_up() {
    alone(async {
        let tracker = tracker().await.with_time_out(Duration::from_secs(60));
        let asked = tokio::spawn(async move { tracker.comment("HANG-1", "hello").await });
        let before = descriptors();
        eventually("it has connected", || descriptors() > before).await;
        clock::advance(Duration::from_secs(60));
        let error = asked.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the tracker did not answer within 60 s");
    });
}

#[test]
fn nobody_at_the_address_is_an_error_that_names_it() {
    alone(async {
        let error = Client::new("http://127.0.0.1:1").unwrap().look_up("users", "1").await.unwrap_err();
        assert!(error.to_string().starts_with("can't reach the tracker at 127.0.0.1:1:"), "{error}");
    });
}

#[test]
fn an_answer_beyond_the_limit_is_refused() {
    alone(async {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n\"".to_vec();
        answer.resize(1_000_000, b'x');
        let error = client_of(answer).await.look_up("users", "1").await.unwrap_err();
        assert!(matches!(error, TrackerError::TooLarge { limit: 262_144 }), "{error}");
    });
}

#[test]
fn an_answer_that_is_no_json_or_no_http_is_refused() {
    alone(async {
        let error = client_of(b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()).await.look_up("users", "1").await;
        assert!(matches!(error, Err(TrackerError::NotJson(_))), "{error:?}");
        let error = client_of(b"hello\r\n\r\n".to_vec()).await.look_up("users", "1").await;
        assert!(matches!(error, Err(TrackerError::Broken(_))), "{error:?}");
    });
}

#[test]
fn a_request_leaves_no_connection_behind() {
    alone(async {
        let tracker = tracker().await;
        tracker.look_up("users", "1").await.unwrap();
        let mut before = descriptors();
        eventually("the tracker has closed its end", || {
            let (now, stands) = (descriptors(), descriptors() == before);
            before = now;
            stands
        })
        .await;
        for number in 0..50 {
            tracker.look_up("users", &number.to_string()).await.unwrap();
        }
        eventually("every connection is closed", || descriptors() <= before).await;
    });
}
