use proptest::prelude::*;

use super::*;
use crate::testing::config;

fn sign(secret: &str, body: &[u8]) -> String {
    let mut keyed = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    keyed.update(body);
    hex::encode(keyed.finalize().into_bytes())
}

fn verifier(as_found: &str) -> Verifier {
    let folder = tempfile::tempdir().unwrap();
    Verifier::new(&config(folder.path(), as_found))
}

fn body(number: u64, timestamp: u64) -> Vec<u8> {
    format!(r#"{{"action":"create","type":"Comment","number":{number},"webhookTimestamp":{timestamp}}}"#)
        .into_bytes()
}

fn send(verifier: &Verifier, number: u64) -> (String, Vec<u8>) {
    let body = body(number, clock::unix_ms());
    let signature = sign("secret", &body);
    assert!(verifier.accept(Some(&signature), &body).is_ok());
    (signature, body)
}

#[test]
fn a_replayed_signature_is_refused() {
    for as_found in ["none", "verifier", "verifier.no-expiry", "verifier.lenient-hex"] {
        let verifier = verifier(as_found);
        let (signature, body) = send(&verifier, 1);
        assert_eq!(verifier.accept(Some(&signature), &body), Err(Refusal::Replayed), "as found: {as_found}");
        assert_eq!(verifier.remembered(), 1);
    }
}

#[test]
fn a_wrong_or_missing_signature_is_refused_and_not_remembered() {
    let verifier = verifier("none");
    let body = body(1, clock::unix_ms());
    assert_eq!(verifier.accept(None, &body), Err(Refusal::Unsigned));
    let good = sign("secret", &body);
    let other = sign("another secret", &body);
    for bad in ["", "00", &other, &good[..62], &format!("{good}00"), &good.replace(|_| true, "g")] {
        assert_eq!(verifier.accept(Some(bad), &body), Err(Refusal::BadSignature), "{bad:?}");
    }
    assert_eq!(verifier.remembered(), 0);
}

#[test]
fn the_signature_is_checked_before_anything_is_parsed() {
    let verifier = verifier("none");
    assert_eq!(verifier.accept(Some(&"0".repeat(64)), b"{not json"), Err(Refusal::BadSignature));
    let signature = sign("secret", b"{not json");
    assert!(matches!(verifier.accept(Some(&signature), b"{not json"), Err(Refusal::Malformed(_))));
}

#[test]
fn a_webhook_outside_of_the_window_is_refused() {
    let verifier = verifier("none");
    let now = clock::unix_ms();
    for (offset, accepted) in [(-310_000, false), (-290_000, true), (50_000, true), (70_000, false)] {
        let body = body(1, now.saturating_add_signed(offset));
        let answer = verifier.accept(Some(&sign("secret", &body)), &body);
        assert_eq!(answer.is_ok(), accepted, "{offset} ms: {answer:?}");
    }
}

#[test]
fn junk_behind_the_signature_is_refused() {
    let verifier = verifier("none");
    let (signature, body) = send(&verifier, 1);
    for spelling in [format!("{signature}zz"), format!("{signature} "), signature.to_uppercase()] {
        assert_eq!(verifier.accept(Some(&spelling), &body), Err(Refusal::BadSignature));
    }
}

#[test]
fn as_found_junk_behind_the_signature_is_accepted_again_and_kept_at_full_length() {
    for as_found in ["verifier.lenient-hex", "verifier"] {
        let verifier = verifier(as_found);
        let (signature, body) = send(&verifier, 1);
        for junk in ["zz", "-1", &"x".repeat(10_000)] {
            assert!(verifier.accept(Some(&format!("{signature}{junk}")), &body).is_ok(), "{as_found}");
        }
        assert!(verifier.accept(Some(&signature.to_uppercase()), &body).is_ok(), "{as_found}");
        assert_eq!(verifier.remembered(), 5);
    }
}

#[test]
fn as_found_the_newest_5000_stay_after_10000_and_older_ones_are_accepted_again() {
    let verifier = verifier("verifier.no-expiry");
    let first = send(&verifier, 0);
    for number in 1..10_000 {
        send(&verifier, number);
    }
    assert_eq!(verifier.remembered(), 10_000);
    assert_eq!(verifier.accept(Some(&first.0), &first.1), Err(Refusal::Replayed));
    send(&verifier, 10_000);
    assert_eq!(verifier.remembered(), 5_000);
    assert!(verifier.accept(Some(&first.0), &first.1).is_ok());
}

#[test]
fn signatures_are_forgotten_when_their_webhook_would_be_too_old_and_not_before() {
    let mut memory = fixed::Expiring::<[u8; 32]>::new(300_000, 10);
    let seen = |number: u8, timestamp| Sighting { signature: [number; 32], header: "", timestamp };
    assert_eq!(memory.remember(&seen(1, 1_000_000), 1_000_000), Ok(()));
    assert_eq!(memory.remember(&seen(2, 1_100_000), 1_100_000), Ok(()));
    memory.expire(1_300_000);
    assert_eq!(memory.len(), 2, "at the very end of its window a webhook is still accepted");
    memory.expire(1_300_001);
    assert_eq!(memory.len(), 1);
    memory.expire(2_000_000);
    assert_eq!(memory.len(), 0);
    assert_eq!(
        memory.remember(&seen(2, 1_100_000), 1_100_000),
        Err(NotRemembered::Known),
        "a clock that is set back must not let forgotten webhooks in again"
    );
}

#[test]
fn a_webhook_that_could_not_be_served_may_be_sent_again() {
    let verifier = verifier("none");
    let body = body(1, clock::unix_ms());
    let signature = sign("secret", &body);
    let accepted = verifier.accept(Some(&signature), &body).unwrap();
    verifier.forget(&accepted, &signature);
    assert_eq!(verifier.remembered(), 0);
    assert!(verifier.accept(Some(&signature), &body).is_ok());
}

#[test]
fn a_full_memory_refuses_instead_of_forgetting() {
    let mut memory = fixed::Expiring::<[u8; 32]>::new(300_000, 2);
    let seen = |number: u8, timestamp| Sighting { signature: [number; 32], header: "", timestamp };
    assert_eq!(memory.remember(&seen(1, 1_000), 1_000), Ok(()));
    assert_eq!(memory.remember(&seen(2, 1_000), 1_000), Ok(()));
    assert_eq!(memory.remember(&seen(3, 1_000), 1_000), Err(NotRemembered::Full));
    assert_eq!(memory.remember(&seen(1, 1_000), 1_000), Err(NotRemembered::Known));
    assert_eq!(memory.remember(&seen(3, 302_000), 302_000), Ok(()), "room comes back with time");
}

proptest! {
    #[test]
    fn only_64_lower_case_hex_digits_are_decoded(text in "[0-9a-fA-F]{60,68}|\\PC{0,80}") {
        let strict = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        prop_assert_eq!(fixed::decode(&text).is_some(), strict);
    }

    #[test]
    fn both_decoders_read_what_was_encoded(signature in any::<[u8; 32]>(), junk in "[g-z][ -~]{0,40}") {
        let text = hex::encode(signature);
        prop_assert_eq!(fixed::decode(&text), Some(signature));
        prop_assert_eq!(as_found::decode(&text), Some(signature));
        let spelling = format!("{text}{junk}");
        prop_assert_eq!(as_found::decode(&spelling), Some(signature));
        prop_assert_eq!(fixed::decode(&spelling), None);
    }

    #[test]
    fn the_lenient_decoder_stops_at_the_first_bad_digit(text in "\\PC{0,80}") {
        let good = text.bytes().take_while(u8::is_ascii_hexdigit).count() / 2;
        prop_assert_eq!(as_found::decode(&text).is_some(), good == 32);
    }
}
