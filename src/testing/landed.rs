/// Whether an iteration went as it should.
///
/// An iteration may return nothing (it went well, or it would have panicked), a `bool`, or a `Result`.
pub trait Landed {
    /// Whether it did.
    fn landed(&self) -> bool;
}

impl Landed for () {
    fn landed(&self) -> bool {
        true
    }
}

impl Landed for bool {
    fn landed(&self) -> bool {
        *self
    }
}

impl<T, E> Landed for Result<T, E> {
    fn landed(&self) -> bool {
        self.is_ok()
    }
}
