use std::fmt::Write as _;

use jiff::Timestamp;

use super::length::Length;
use super::part::Part;
use super::{Template, TemplateError};
use crate::draw::Draw;

/// What the parts of a flow's templates are filled in from.
#[derive(Debug)]
pub(crate) struct Values {
    draw: Draw,
    counter: u64,
    named: Vec<(String, String)>,
}

impl Values {
    pub(crate) fn new(draw: Draw, counter: u64) -> Values {
        Values { draw, counter, named: Vec::new() }
    }

    /// Gives a value a name for `{{$name}}`; the newest of a name wins.
    pub(crate) fn name(&mut self, name: &str, value: String) {
        self.named.push((name.to_owned(), value));
    }

    fn named(&self, name: &str) -> Result<&str, TemplateError> {
        let found = self.named.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| TemplateError(format!("'${name}' has no value")))
    }
}

impl Template {
    /// The text with every part filled in. `now_ms` is the server's clock.
    pub(crate) fn render(&self, values: &mut Values, now_ms: u64) -> Result<String, TemplateError> {
        let mut text = String::with_capacity(self.source.len() + 64);
        for part in &self.parts {
            append(&mut text, part, values, now_ms)?;
        }
        Ok(text)
    }
}

fn append(text: &mut String, part: &Part, values: &mut Values, now_ms: u64) -> Result<(), TemplateError> {
    match part {
        Part::Literal(literal) => text.push_str(literal),
        Part::Counter => append_number(text, values.counter),
        Part::Uuid => append_uuid(text, &mut values.draw),
        Part::Hex(length) => append_letters(text, &mut values.draw, *length, b"0123456789abcdef"),
        Part::Text(length) => append_letters(text, &mut values.draw, *length, TEXT),
        Part::Range(low, high) => append_number(text, values.draw.between(*low, *high)),
        Part::Zipf(count) => append_number(text, values.draw.zipf(*count)),
        Part::ZipfOf(count, exponent) => append_number(text, values.draw.zipf_of(*count, *exponent)),
        Part::Choice(words) => {
            let index = values.draw.between(0, words.len() as u64 - 1);
            text.push_str(&words[usize::try_from(index).unwrap_or(0)]);
        }
        Part::NowMs(offset) => append_number(text, now_ms.saturating_add_signed(*offset)),
        Part::NowS(offset) => append_number(text, (now_ms / 1000).saturating_add_signed(*offset)),
        Part::NowIso(offset) => {
            let time = i64::try_from(now_ms).ok().and_then(|now| now.checked_add(*offset));
            let time = time.and_then(|time| Timestamp::from_millisecond(time).ok());
            let time = time.ok_or_else(|| TemplateError(format!("'now-iso:{offset}' is no date")))?;
            write!(text, "{time:.3}").expect("a string can be written to");
        }
        Part::Environment(name) => match std::env::var(name) {
            Ok(value) => text.push_str(&value),
            Err(_) => return Err(TemplateError(format!("the environment has no variable {name}"))),
        },
        Part::Named(name) => text.push_str(values.named(name)?),
    }
    Ok(())
}

/// Letters by their frequency, roughly, with a space now and then.
const TEXT: &[u8] = b"eeetttaaooiinnsshhrrdlcumwfgypbvk       ";

fn append_letters(text: &mut String, draw: &mut Draw, length: Length, letters: &[u8]) {
    for _ in 0..length.draw(draw) {
        let index = draw.between(0, letters.len() as u64 - 1);
        text.push(char::from(letters[usize::try_from(index).unwrap_or(0)]));
    }
}

fn append_uuid(text: &mut String, draw: &mut Draw) {
    let high = draw.between(0, u64::MAX - 1) & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = draw.between(0, u64::MAX - 1) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    write!(
        text,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
    .expect("a string can be written to");
}

fn append_number(text: &mut String, number: u64) {
    write!(text, "{number}").expect("a string can be written to");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(template: &str, seed: u64) -> String {
        let mut values = Values::new(Draw::flow(seed, 1, 1), 42);
        values.name("session", "s-1".to_owned());
        template.parse::<Template>().unwrap().render(&mut values, 1_000_000).unwrap()
    }

    #[test]
    fn parts_are_filled_in_and_the_rest_stays() {
        assert_eq!(render("a{{counter}}b{{$session}}c", 1), "a42bs-1c");
        assert_eq!(render("{{now-ms}} {{now-ms:-600000}} {{now-ms:5}}", 1), "1000000 400000 1000005");
        assert_eq!(render("{{now-s}} {{now-s:-60}}", 1), "1000 940");
        assert_eq!(
            render("{{now-iso}} {{now-iso:-1}}", 1),
            "1970-01-01T00:16:40.000Z 1970-01-01T00:16:39.999Z"
        );
        assert_eq!(render("plain {json}", 1), "plain {json}");
        assert!(["x", "yy"].contains(&render("{{choice:x|yy}}", 3).as_str()));
    }

    #[test]
    fn a_uuid_has_the_form_of_version_four() {
        let uuid = render("{{uuid}}", 5);
        assert_eq!(uuid.len(), 36);
        let groups: Vec<&str> = uuid.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(groups[2].starts_with('4') && "89ab".contains(&groups[3][..1]), "{uuid}");
    }

    #[test]
    fn a_name_without_a_value_is_an_error() {
        let mut values = Values::new(Draw::flow(1, 1, 1), 0);
        let error = "{{$nobody}}".parse::<Template>().unwrap().render(&mut values, 0).unwrap_err();
        assert_eq!(error.to_string(), "'$nobody' has no value");
    }

    #[test]
    fn unknown_and_wrong_parts_are_refused_with_what_they_want() {
        for (template, message) in [
            ("{{nonsense}}", "is unknown: use counter"),
            ("{{hex:long}}", "wants a whole number"),
            ("{{range:5..5}}", "wants A..B with A below B"),
            ("{{zipf:0}}", "wants a number above zero"),
            ("{{zipf:9:0}}", "wants an exponent from 0.01 to 10"),
            ("{{zipf:9:NaN}}", "wants an exponent from 0.01 to 10"),
            ("{{text:log-normal:9}}", "wants log-normal:MEDIAN:SIGMA"),
            ("{{text:log-normal:9:wide}}", "wants a sigma from 0 to 5"),
            ("{{text:log-normal:0:1}}", "wants a length from 1"),
            ("{{text:exponential}}", "wants exponential:MEAN"),
            ("{{text:exponential:9:0}}", "wants a greatest length from 1"),
            ("{{text:9..3}}", "with A not above B"),
            ("{{text:99999999}}", "of at most 1048576"),
            ("{{now-ms:soon}}", "wants an offset in milliseconds"),
            ("{{now-s:soon}}", "wants an offset in seconds"),
            ("{{open", "has no '}}' behind it"),
            ("{{$}}", "wants a name"),
            ("{{env:}}", "wants the name of a variable"),
        ] {
            let error = template.parse::<Template>().unwrap_err().to_string();
            assert!(error.contains(message), "{template}: {error}");
        }
    }

    proptest! {
        #[test]
        fn the_same_seed_fills_in_the_same_text(seed: u64) {
            let template = "{{uuid}} {{hex:3..40}} {{text:10..90}} {{zipf:90}} {{zipf:90:1.3}} \
                            {{text:log-normal:40:1}} {{hex:exponential:40}} {{choice:a|b|c}}";
            prop_assert_eq!(render(template, seed), render(template, seed));
        }

        #[test]
        fn lengths_and_ranges_hold(seed: u64, low in 0_u64..50, more in 1_u64..50) {
            let high = low + more;
            let hex = render(&format!("{{{{hex:{low}..{high}}}}}"), seed);
            prop_assert!((low..=high).contains(&(hex.len() as u64)));
            prop_assert!(hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let number: u64 = render(&format!("{{{{range:{low}..{high}}}}}"), seed).parse().unwrap();
            prop_assert!((low..high).contains(&number));
        }

        #[test]
        fn texts_of_a_distribution_are_never_longer_than_asked(seed: u64, most in 1_u64..400) {
            for length in [format!("log-normal:200:2:{most}"), format!("exponential:200:{most}")] {
                let text = render(&format!("{{{{text:{length}}}}}"), seed);
                prop_assert!(text.len() as u64 <= most);
            }
        }

        #[test]
        fn text_needs_no_escape_in_json(seed: u64) {
            let text = render("{{text:0..300}}", seed);
            prop_assert_eq!(serde_json::to_string(&text).unwrap(), format!("\"{text}\""));
        }

        #[test]
        fn any_text_either_parses_or_is_refused(source in ".{0,60}") {
            if let Ok(template) = source.parse::<Template>() {
                prop_assert_eq!(template.to_string(), source);
            }
        }
    }
}
