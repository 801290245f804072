/// The line of a prompt that says how a simulator behaves: `simulate: tools=5 end=ok`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Directive(Vec<(String, String)>);

impl Directive {
    /// Reads the first such line of a prompt; empty when there is none.
    pub(super) fn find(prompt: &str) -> Directive {
        let settings = prompt.lines().find_map(|line| line.trim().strip_prefix("simulate:"));
        let pairs = settings.unwrap_or_default().split_whitespace().filter_map(|word| word.split_once('='));
        Directive(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A setting by its name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A number by its name, or what goes without one.
    pub(super) fn number(&self, name: &str, otherwise: usize) -> usize {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    }
}

/// Words of filling text, `bytes` long in all.
pub(super) fn filling(bytes: usize) -> String {
    const WORDS: &str = "the change reads well and does what the issue asks for ";
    WORDS.chars().cycle().take(bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directive_of_a_prompt_counts() {
        let directive = Directive::find("Title\n  simulate: tools=5 end=error  \nsimulate: tools=9");
        assert_eq!(directive.get("end"), Some("error"));
        assert_eq!(directive.number("tools", 1), 5);
        assert_eq!(directive.number("text", 7), 7);
    }

    #[test]
    fn a_prompt_without_directive_has_no_settings() {
        assert_eq!(Directive::find("just do it"), Directive::default());
        assert_eq!(Directive::find("simulate: nonsense").get("end"), None);
    }

    #[test]
    fn filling_text_has_the_length_asked_for() {
        for bytes in [0, 1, 54, 55, 56, 4000] {
            assert_eq!(filling(bytes).len(), bytes);
        }
    }
}
