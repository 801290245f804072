/// A word as the names of components and request kinds have it: lower case, digits, hyphens.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    let mut before = ' ';
    for letter in text.chars() {
        // `listPets` is two words.
        if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            slug.push('-');
        }
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        before = letter;
    }
    slug.truncate(48);
    slug.trim_end_matches('-').to_owned()
}

/// A text that a template leaves as it is.
pub(super) fn literal(text: &str) -> String {
    text.replace("{{", "{{choice:{{}}")
}

/// Whether a word may stand in a `{{choice:…}}`.
pub(super) fn may_be_chosen(word: &str) -> bool {
    !word.is_empty() && !word.contains(['|', '{', '}', '\n', '\r'])
}

/// The name among those taken that is free: with a number behind it, if need be.
pub(super) fn make_unique(name: String, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(&name) {
        return name;
    }
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    numbered.into_iter().find(|name| !is_taken(name)).unwrap_or(name)
}

/// As it may stand in a path or query.
pub(super) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words_with_hyphens() {
        for (text, expected) in [
            ("listPets", "list-pets"),
            ("Pet Store / v2", "pet-store-v2"),
            ("GET /users/{id}", "get-users-id"),
            ("üñ", ""),
        ] {
            assert_eq!(slug(text), expected);
        }
    }

    #[test]
    fn a_literal_survives_the_template() {
        let template: crate::template::Template = literal("a {{b}} c").parse().unwrap();
        let mut values = crate::template::Values::new(crate::draw::Draw::flow(1, 1, 1), 0);
        assert_eq!(template.render(&mut values, 0).unwrap(), "a {{b}} c");
    }
}
