use std::ops::Deref;
use std::str::FromStr;

/// A program and its first arguments, as configured for agents and reviewers.
///
/// Read from a JSON array of strings (`["/opt/my agent", "--quick"]`), or from plain words separated by spaces. It is
/// never given to a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine(Vec<String>);

/// A command line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a command: {why}; write a program with its arguments, or a JSON array of strings")]
pub struct UnreadableCommand {
    text: String,
    why: String,
}

impl CommandLine {
    /// A command from its words, the program first.
    ///
    /// # Errors
    ///
    /// Fails if there is no program.
    pub fn new(words: Vec<String>) -> Result<CommandLine, UnreadableCommand> {
        match words.first() {
            Some(program) if !program.is_empty() => Ok(CommandLine(words)),
            _ => Err(UnreadableCommand { text: words.join(" "), why: "it names no program".to_owned() }),
        }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// The arguments that come before any others.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        self.0.get(1..).unwrap_or_default()
    }
}

impl Deref for CommandLine {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for CommandLine {
    type Err = UnreadableCommand;

    fn from_str(text: &str) -> Result<CommandLine, UnreadableCommand> {
        let words = if text.trim_start().starts_with('[') {
            serde_json::from_str(text)
                .map_err(|error| UnreadableCommand { text: text.to_owned(), why: error.to_string() })?
        } else {
            text.split_whitespace().map(str::to_owned).collect()
        };
        CommandLine::new(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_json_arrays_are_read() {
        let plain: CommandLine = "heapsoak __agent --quick".parse().unwrap();
        assert_eq!((plain.program(), plain.arguments().len()), ("heapsoak", 2));
        let json: CommandLine = r#"["/opt/my tools/agent","--quick"]"#.parse().unwrap();
        assert_eq!(json.program(), "/opt/my tools/agent");
        assert_eq!(json.arguments(), ["--quick"]);
    }

    #[test]
    fn a_command_without_a_program_is_refused() {
        for text in ["", "   ", "[]", r#"[""]"#, "[1]", r#"["open"#] {
            assert!(text.parse::<CommandLine>().is_err(), "{text:?} was accepted");
        }
    }
}
