//! Judgements of many programs, told in full and set beside what was told before: a rule that changes shows here, wanted
//! or not.

use heapsoak_record::Recording;

use crate::digest::Digest;

/// Recordings by name.
pub(crate) type Recordings = Vec<(String, Recording)>;

/// Adds a recording to a family.
pub(crate) fn add(recordings: &mut Recordings, name: &str, recording: Recording) {
    recordings.push((name.to_owned(), recording));
}

/// The judgements of a family, and how their evidence weighed, read as in its file. To accept what is said now:
/// `INSTA_UPDATE=always cargo test -p heapsoak-verdict as_before`.
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
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(family, digest.text()));
}
