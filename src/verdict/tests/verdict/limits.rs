//! Detection limits, which are tried out on the recording.

use crate::server::{Soak, Step, soak};
use heapsoak_verdict::{Policy, judge_with};

/// The detection limit of a leak of one kind, and the number of its tests that could find one, at a level.
fn limit(shrinks: bool, alpha: f64) -> f64 {
    let mut block = None;
    let recording =
        Soak { cycles: 40, per_cycle: 100, ..soak(&[("a.b", 1)]) }.run(|server, step| match step {
            Step::Start => block = Some(server.alloc("a", 90_000)),
            Step::Request(_, number) => {
                if shrinks {
                    server.resize(block.as_mut().expect("made at the start"), 90_000 - 10 * number);
                }
                if number % 100 == 0 {
                    std::mem::forget(server.alloc("a", 1_000));
                }
            }
            _ => {}
        });
    let policy = Policy { alpha, ..Policy::default() };
    let judgement = judge_with(&recording, &policy);
    judgement.components[0].minimum_detectable_bytes_per_1000_requests
}

#[test]
fn the_detection_limit_rises_with_the_number_of_tests_that_share_the_level() {
    assert_eq!([1e-6, 1e-7, 1e-8].map(|alpha| limit(false, alpha).round()), [39_819.0, 46_747.0, 52_592.0]);
    assert_eq!([1e-6, 1e-7, 1e-8].map(|alpha| limit(true, alpha).round()), [27_570.0, 32_367.0, 36_414.0]);
}
