//! A processor whose frame records are not known: stacks have no frames.

/// No frame.
pub(crate) fn registers() -> (usize, usize) {
    (0, 0)
}

/// Never asked.
pub(crate) fn code_address(recorded: usize) -> usize {
    recorded
}
