//! What somebody probably meant who wrote a word that is none.

/// Least likeness of a word that is worth proposing, from 0 to 1.
const ALIKE: f64 = 0.6;

/// The word among those known that is most like the one given, as a question.
pub(super) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let alike = |word: &str| strsim::normalized_damerau_levenshtein(given, word).max(start(given, word));
    let (likeness, word) = known
        .into_iter()
        .map(|word| (alike(word), word))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (likeness >= ALIKE).then(|| format!("did you mean '{word}'?"))
}

/// Likeness of two words of which one begins with the other, half of it at least.
fn start(one: &str, other: &str) -> f64 {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if long.starts_with(short) && short.len() >= 3 && 2 * short.len() >= long.len() { ALIKE } else { 0.0 }
}

/// The same for a message of the TOML reader, which lists in backticks first what it found and then what it expected.
pub(super) fn did_you_mean_in(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let given = words.next()?;
    did_you_mean(given, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_slip_is_told_the_one_it_is_like() {
        let known = ["cycles", "max-cycles", "requests-per-cycle", "concurrency"];
        for (given, meant) in [
            ("cylces", "cycles"),
            ("requests-per-cycles", "requests-per-cycle"),
            ("request_per_cycle", "requests-per-cycle"),
            ("concurrent", "concurrency"),
        ] {
            assert_eq!(did_you_mean(given, known), Some(format!("did you mean '{meant}'?")), "{given}");
        }
        assert_eq!(did_you_mean("timeout", known), None);
    }

    #[test]
    fn the_words_are_read_out_of_the_readers_message() {
        let message = "unknown variant `GTE`, expected one of `GET`, `POST`";
        assert_eq!(did_you_mean_in(message), Some("did you mean 'GET'?".to_owned()));
        assert_eq!(did_you_mean_in("invalid type: string \"two\", expected u32"), None);
    }
}
