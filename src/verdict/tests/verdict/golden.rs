//! Judgements of many programs, told in full and set beside what was told before: a rule that changes shows here, wanted
//! or not.

use std::fs;
use std::path::Path;

use heapsoak_record::Recording;

use crate::digest::Digest;

/// Recordings by name.
pub(crate) type Recordings = Vec<(String, Recording)>;

/// Adds a recording to a family.
pub(crate) fn add(recordings: &mut Recordings, name: &str, recording: Recording) {
    recordings.push((name.to_owned(), recording));
}

/// The judgements of a family, and how their evidence weighed, read as in its file. To accept what is said now:
/// `HEAPSOAK_ACCEPT=1 cargo test -p heapsoak-verdict as_before`.
pub(crate) fn assert_as_before(family: &str, recordings: &Recordings) {
    assert_told(family, recordings, Digest::add);
}

/// The same, without how the evidence weighed.
pub(crate) fn assert_judged_as_before(family: &str, recordings: &Recordings) {
    assert_told(family, recordings, Digest::add_judgement);
}

/// The same, of the resources and findings alone.
pub(crate) fn assert_resources_as_before(family: &str, recordings: &Recordings) {
    assert_told(family, recordings, Digest::add_resources);
}

fn assert_told(family: &str, recordings: &Recordings, tell: fn(&mut Digest, &str, &Recording)) {
    let mut digest = Digest::default();
    for (name, recording) in recordings {
        tell(&mut digest, name, recording);
    }
    assert_same(family, &digest.text());
}

fn assert_same(family: &str, now: &str) {
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdict/golden").join(family).with_extension("txt");
    if std::env::var_os("HEAPSOAK_ACCEPT").is_some() {
        fs::write(&golden, now).expect("the folder of the golden files can be written");
    }
    let before = fs::read_to_string(&golden).unwrap_or_default();
    if now == before {
        return;
    }
    let line = now.lines().zip(before.lines()).take_while(|(one, other)| one == other).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or("(its end)").to_owned();
    let which = now.lines().take(line + 1).filter(|line| line.starts_with("== ")).last().unwrap_or_default();
    panic!("{}:{}: {which}\nwas {}\nis  {}", golden.display(), line + 1, at(&before), at(now));
}
