//! Reviews through real children: what they answer, and what is left of them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod simulated;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use autopilot::process::{HELD, RUNNING, Review, ReviewError, ReviewRequest, Reviews, Verdict};
use heapsoak_probe::clock;
use simulated::{alone, children, clean_up, command, config, descriptors, eventually, is_deaf, simulators};
use tokio::task::JoinHandle;

const FIVE_MINUTES: Duration = Duration::from_secs(300);

fn reviews(as_found: &str) -> Arc<Reviews> {
    Reviews::new(&config(std::env::temp_dir().as_path(), as_found))
}

fn request(directive: &str) -> ReviewRequest {
    let text = format!("Please review.\nsimulate: {directive}\nThe change.\n");
    ReviewRequest { text, models: vec!["alpha".to_owned()] }
}

/// The one review of a request for one model.
async fn ask(reviews: &Arc<Reviews>, directive: &str) -> Result<Verdict, ReviewError> {
    only(reviews.review(request(directive)).await)
}

fn only(mut answer: Vec<Review>) -> Result<Verdict, ReviewError> {
    assert_eq!(answer.len(), 1);
    answer.remove(0).verdict
}

/// Begins a review and lets its child come up.
async fn begin(reviews: &Arc<Reviews>, directive: &str) -> JoinHandle<Result<Verdict, ReviewError>> {
    let (reviews, directive) = (reviews.clone(), directive.to_owned());
    let review = tokio::spawn(async move { ask(&reviews, &directive).await });
    eventually("the reviewer runs", || !simulators().is_empty()).await;
    review
}

/// Begins a review whose child, or grandchild, takes no notice of SIGTERM, and waits until it doesn't.
async fn begin_deaf(reviews: &Arc<Reviews>, directive: &str) -> JoinHandle<Result<Verdict, ReviewError>> {
    let review = begin(reviews, directive).await;
    eventually("it is deaf", || simulators().into_iter().any(is_deaf)).await;
    review
}

/// What a test starts from, and has to come back to.
#[derive(Debug, PartialEq)]
struct Footing {
    descriptors: usize,
    children: usize,
    simulators: usize,
    running: i64,
    held: i64,
}

impl Footing {
    fn now() -> Footing {
        Footing {
            descriptors: descriptors(),
            children: children(),
            simulators: simulators().len(),
            running: RUNNING.get(),
            held: HELD.get(),
        }
    }

    /// After a first review, which leaves the runtime with what it needs to follow children.
    async fn take(reviews: &Arc<Reviews>) -> Footing {
        assert_eq!(ask(reviews, "end=ok").await.unwrap(), Verdict::Approve);
        eventually("the first child is gone", || simulators().is_empty() && children() == 0).await;
        Footing::now()
    }

    async fn is_back(&self) {
        eventually("everything is released", || Footing::now() == *self).await;
    }
}

#[test]
fn every_model_asked_gives_its_verdict() {
    alone(async {
        let reviews = reviews("none");
        let answer = reviews.review(ReviewRequest { text: "fine".to_owned(), models: Vec::new() }).await;
        let models: Vec<_> = answer.iter().map(|review| review.model.as_str()).collect();
        assert_eq!(models, ["alpha", "beta"]);
        assert!(answer.iter().all(|review| matches!(review.verdict, Ok(Verdict::Approve))));
        assert_eq!(ask(&reviews, "verdict=reject").await.unwrap(), Verdict::Reject);
    });
}

#[test]
fn a_reviewer_that_fails_is_quoted() {
    alone(async {
        let reviews = reviews("none");
        let footing = Footing::take(&reviews).await;
        let error = ask(&reviews, "end=fail").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the reviewer failed with exit status: 2: model alpha is not available"
        );
        footing.is_back().await;
    });
}

#[test]
fn a_reviewer_that_cannot_be_started_is_an_error() {
    alone(async {
        for as_found in ["none", "process"] {
            let mut config = config(std::env::temp_dir().as_path(), as_found);
            config.reviewer_command = command("/nowhere/reviewer");
            let error = ask(&Reviews::new(&config), "end=ok").await.unwrap_err();
            assert!(matches!(error, ReviewError::Start { .. }), "{error}");
        }
    });
}

#[test]
fn output_that_is_no_verdict_is_an_error() {
    alone(async {
        let error = ask(&reviews("none"), "verdict=perhaps").await.unwrap_err();
        assert!(matches!(&error, ReviewError::NoVerdict { start } if start == "PERHAPS"), "{error}");
    });
}

#[test]
fn a_talkative_reviewer_is_read_to_its_end() {
    alone(async {
        assert_eq!(ask(&reviews("none"), "output=2000000").await.unwrap(), Verdict::Approve);
    });
}

#[test]
fn a_child_that_does_not_read_its_stdin_is_a_normal_outcome() {
    alone(async {
        let reviews = reviews("none");
        let footing = Footing::take(&reviews).await;
        let mut request = request("end=no-stdin");
        request.text.push_str(&"x".repeat(400_000));
        let error = only(reviews.review(request).await).unwrap_err();
        assert!(matches!(error, ReviewError::Failed { .. }), "{error}");
        footing.is_back().await;
    });
}

#[test]
fn a_timed_out_review_leaves_nothing() {
    alone(async {
        let reviews = reviews("none");
        let footing = Footing::take(&reviews).await;
        let review = begin(&reviews, "end=hang").await;
        clock::advance(FIVE_MINUTES);
        assert!(matches!(review.await.unwrap(), Err(ReviewError::TimedOut { after: FIVE_MINUTES })));
        footing.is_back().await;
    });
}

#[test]
fn a_child_that_ignores_sigterm_is_killed() {
    alone(async {
        for as_found in ["none", "process.timers", "process.broken-pipe"] {
            let reviews = reviews(as_found);
            let footing = Footing::take(&reviews).await;
            let review = begin_deaf(&reviews, "end=ignore-term").await;
            clock::advance(FIVE_MINUTES);
            assert!(matches!(review.await.unwrap(), Err(ReviewError::TimedOut { .. })));
            // The first review's timer has fired as well, so there is nothing to be held any more.
            Footing { held: 0, ..footing }.is_back().await;
        }
    });
}

#[test]
fn a_grandchild_that_keeps_the_pipes_is_killed_with_its_group() {
    alone(async {
        let reviews = reviews("none");
        let footing = Footing::take(&reviews).await;
        assert_eq!(ask(&reviews, "end=grandchild").await.unwrap(), Verdict::Approve);
        footing.is_back().await;
    });
}

#[test]
fn a_dropped_review_takes_its_child_along() {
    alone(async {
        let reviews = reviews("none");
        let footing = Footing::take(&reviews).await;
        let review = begin_deaf(&reviews, "end=ignore-term").await;
        review.abort();
        footing.is_back().await;
    });
}

#[test]
fn a_stop_ends_what_is_under_way_and_refuses_the_rest() {
    alone(async {
        let reviews = reviews("none");
        let footing = Footing::take(&reviews).await;
        let review = begin(&reviews, "end=hang").await;
        reviews.shut_down().await;
        assert!(matches!(review.await.unwrap(), Err(ReviewError::Stopping)));
        assert!(matches!(ask(&reviews, "end=ok").await, Err(ReviewError::Stopping)));
        footing.is_back().await;
    });
}

#[test]
fn a_review_nobody_waits_for_ends_as_well() {
    alone(async {
        let reviews = reviews("none");
        let footing = Footing::take(&reviews).await;
        let one = reviews.start(request("end=ok"));
        let other = reviews.start(request("end=fail"));
        assert_ne!(one, other);
        footing.is_back().await;
    });
}

#[test]
fn as_found_a_review_is_held_until_its_time_out_has_passed() {
    alone(async {
        let reviews = reviews("process.timers");
        for _ in 0..3 {
            assert_eq!(ask(&reviews, "end=ok output=2000").await.unwrap(), Verdict::Approve);
        }
        assert_eq!(HELD.get(), 3);
        assert_eq!(children(), 0, "the children themselves are reaped");
        clock::advance(FIVE_MINUTES);
        eventually("the timers have fired", || HELD.get() == 0).await;
    });
}

#[test]
fn as_found_without_the_timers_nothing_is_held() {
    alone(async {
        let reviews = reviews("process.orphans,process.broken-pipe");
        let footing = Footing::take(&reviews).await;
        for directive in ["end=ok", "end=fail"] {
            let _ = ask(&reviews, directive).await;
        }
        footing.is_back().await;
        assert_eq!(footing.held, 0);
    });
}

#[test]
fn as_found_a_child_that_ignores_sigterm_is_never_released() {
    alone(async {
        let reviews = reviews("process.orphans");
        let footing = Footing::take(&reviews).await;
        let review = begin_deaf(&reviews, "end=ignore-term").await;
        clock::advance(FIVE_MINUTES);
        assert!(matches!(review.await.unwrap(), Err(ReviewError::TimedOut { .. })));
        // Longer than the fixed server needs.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let left = Footing::now();
        assert_eq!((left.children, left.simulators, left.held), (1, 1, 1));
        assert!(left.descriptors >= footing.descriptors + 2, "{footing:?} {left:?}");
        clean_up().await;
        footing.is_back().await;
    });
}

#[test]
fn as_found_a_grandchild_that_keeps_the_pipes_is_never_released() {
    alone(async {
        let reviews = reviews("process.orphans");
        let footing = Footing::take(&reviews).await;
        let review = begin_deaf(&reviews, "end=grandchild").await;
        eventually("the child itself has ended", || children() == 0).await;
        assert!(!review.is_finished(), "it waits for the pipes");
        clock::advance(FIVE_MINUTES);
        assert!(matches!(review.await.unwrap(), Err(ReviewError::TimedOut { .. })));
        tokio::time::sleep(Duration::from_millis(500)).await;
        let left = Footing::now();
        assert_eq!((left.children, left.simulators, left.held), (0, 1, 1));
        assert_eq!(left.descriptors, footing.descriptors + 2);
        clean_up().await;
        footing.is_back().await;
    });
}

#[test]
fn as_found_a_child_that_heeds_sigterm_is_released() {
    alone(async {
        let reviews = reviews("process.orphans");
        let footing = Footing::take(&reviews).await;
        let review = begin(&reviews, "end=hang").await;
        clock::advance(FIVE_MINUTES);
        assert!(matches!(review.await.unwrap(), Err(ReviewError::TimedOut { .. })));
        footing.is_back().await;
    });
}

/// Set in the process that is to die.
const DOOMED: &str = "AUTOPILOT_TEST_DOOMED";

#[test]
fn as_found_a_child_that_does_not_read_its_stdin_kills_the_server() {
    if std::env::var_os(DOOMED).is_some() {
        return alone(async {
            let mut request = request("end=no-stdin");
            request.text.push_str(&"x".repeat(400_000));
            let _ = reviews("process.broken-pipe").review(request).await;
            tokio::time::sleep(Duration::from_secs(10)).await;
        });
    }
    alone(async {
        let name = "as_found_a_child_that_does_not_read_its_stdin_kills_the_server";
        let mut server = Command::new(std::env::current_exe().unwrap());
        let output = server.args(["--exact", name, "--nocapture"]).env(DOOMED, "1").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("unhandled error event: write to the reviewer's stdin"), "{stderr}");
    });
}
