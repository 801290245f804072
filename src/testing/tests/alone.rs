//! A soak that has its process to itself judges what the system lends. One test: any other would be in its counts.

use std::fs::File;

use heapsoak_testing::{Soak, Soaked};

heapsoak_testing::allocator!();

/// Opens a file for each iteration, and keeps one in four.
fn soak(alone: bool, keeps: bool) -> Soaked {
    let mut kept = Vec::with_capacity(10_000);
    let soak = Soak::new("reader").warm_up(20).iterations(200);
    let soak = if alone { soak.alone_in_its_process() } else { soak };
    soak.run(|iteration| {
        let file = File::open("/dev/null").expect("it can be opened");
        if keeps && iteration.is_multiple_of(4) {
            kept.push(file);
        }
    })
}

#[test]
fn descriptors_that_stay_open_fail_a_soak_that_is_alone_and_no_other() {
    let failure = soak(true, true).failure().expect("descriptors are kept");
    assert!(failure.contains("'reader' leaks") && failure.contains("fds"), "{failure}");
    assert_eq!(soak(true, false).failure(), None, "what is closed again is not held against it");
    let beside = soak(false, true);
    assert_eq!(beside.failure(), None, "the descriptors of a whole process are not judged unasked");
    let resources = |soaked: &Soaked| soaked.recording().snapshots[0].resources.len();
    assert_eq!(resources(&beside), 0);
}
