//! How functions are named to people.

/// The function a closure or an async block stands in; any other function itself.
pub(crate) fn whole(function: &str) -> &str {
    function.trim_end_matches("::{{closure}}")
}

/// A function's path without closures and traits: `a::Kept::remember` for `<a::Kept as b::Memory>::remember::{{closure}}`.
#[must_use]
pub fn bare_path(function: &str) -> String {
    let function = whole(function);
    match function.strip_prefix('<').and_then(|inner| inner.split_once(" as ")) {
        Some((kind, rest)) => format!("{kind}::{}", rest.rsplit("::").next().unwrap_or_default()),
        None => function.to_owned(),
    }
}

/// The last two names of it: `Kept::remember`.
#[must_use]
pub fn short_path(function: &str) -> String {
    let path = bare_path(function);
    let mut names: Vec<&str> = path.rsplit("::").take(2).collect();
    names.reverse();
    names.join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_known_without_its_trait_and_its_closures() {
        assert_eq!(bare_path("<a::b::Kept as a::Memory>::remember"), "a::b::Kept::remember");
        assert_eq!(bare_path("a::Sessions::begin::{{closure}}"), "a::Sessions::begin");
    }

    #[test]
    fn a_function_is_shortened_to_its_type_and_its_name() {
        assert_eq!(short_path("server::session::History::keep"), "History::keep");
        assert_eq!(short_path("server::add::{{closure}}::{{closure}}"), "server::add");
        assert_eq!(short_path("<server::verifier::Kept as server::Memory>::remember"), "Kept::remember");
        assert_eq!(short_path("main"), "main");
    }
}
