use std::fmt;
use std::process::ExitCode;

/// The exit codes of heapsoak. This is the one place where they are defined.
///
/// A soak of several scenarios exits with the worst code among them; see [`Exit::worse`] for what is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Exit {
    /// 0: every scenario met its expectation, or nothing leaks.
    Clean = 0,
    /// 1: heapsoak itself failed.
    Internal = 1,
    /// 2: wrong usage, or an input that can't be used (scenario file, recording, port in use, folder not writable).
    Usage = 2,
    /// 3: a leak was found, or an expectation, a budget, the baseline or a suppression was not met.
    Leak = 3,
    /// 4: the run was too short or too noisy to say.
    Inconclusive = 4,
    /// 5: the target died or would not start.
    TargetDied = 5,
    /// 6: the recording was written by a newer heapsoak.
    UnreadableRecording = 6,
    /// 7: the run is invalid: its data are not good enough to judge, or it was interrupted.
    Invalid = 7,
}

impl Exit {
    /// Every code, mildest first.
    pub(crate) const BY_SEVERITY: [Exit; 8] = [
        Exit::Clean,
        Exit::Inconclusive,
        Exit::Leak,
        Exit::Invalid,
        Exit::UnreadableRecording,
        Exit::TargetDied,
        Exit::Usage,
        Exit::Internal,
    ];

    /// The worse of two codes: what keeps a run from being judged is worse than what the judgement says.
    #[must_use]
    pub(crate) fn worse(self, other: Exit) -> Exit {
        if other.severity() > self.severity() { other } else { self }
    }

    /// The number the process exits with.
    #[must_use]
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// What the code means, in one line.
    #[must_use]
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Clean => "clean: every scenario met its expectation, or nothing leaks",
            Exit::Internal => "internal error",
            Exit::Usage => "usage, or an input that can't be used",
            Exit::Leak => {
                "a leak was found, or an expectation, a budget, the baseline or a suppression was not met"
            }
            Exit::Inconclusive => "inconclusive: the run was too short or too noisy to say",
            Exit::TargetDied => "the target died or would not start",
            Exit::UnreadableRecording => "the recording was written by a newer heapsoak",
            Exit::Invalid => "invalid run: data not good enough to judge, or interrupted",
        }
    }

    /// The table of codes for `--help` and the manual page.
    #[must_use]
    pub(crate) fn table() -> String {
        let mut codes = Exit::BY_SEVERITY;
        codes.sort_by_key(|exit| exit.code());
        let lines = codes.map(|exit| format!("  {}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }

    fn severity(self) -> usize {
        Exit::BY_SEVERITY.iter().position(|exit| *exit == self).expect("the list holds every code")
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code(), self.meaning())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_one_severity_and_one_number() {
        let numbers: HashSet<u8> = Exit::BY_SEVERITY.map(Exit::code).into_iter().collect();
        assert_eq!(numbers, (0..8).collect());
    }

    #[test]
    fn a_dead_target_is_worse_than_a_leak_and_a_leak_worse_than_doubt() {
        assert_eq!(Exit::Leak.worse(Exit::TargetDied), Exit::TargetDied);
        assert_eq!(Exit::Leak.worse(Exit::Inconclusive), Exit::Leak);
        assert_eq!(Exit::Clean.worse(Exit::Clean), Exit::Clean);
    }

    #[test]
    fn the_readme_documents_every_code_in_the_same_words() {
        let readme = include_str!("../../README.md");
        for exit in Exit::BY_SEVERITY {
            let row = format!("| {} | {} |", exit.code(), exit.meaning());
            assert!(readme.contains(&row), "the README lacks: {row}");
        }
    }

    #[test]
    fn the_table_lists_each_code_once_in_order() {
        let table = Exit::table();
        let numbers: Vec<&str> =
            table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    }
}
