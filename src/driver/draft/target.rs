use http::Uri;

/// Splits an address into where a server listens and the path below which it answers: `http://host:80` and `/v1`.
pub(super) fn split_url(url: &str) -> Option<(String, String)> {
    let uri: Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let base = uri.path().trim_end_matches('/').to_owned();
    Some((format!("{scheme}://{authority}"), base))
}

/// Whether an address is one of this machine: another is written down, but not soaked unasked.
pub(super) fn is_here(origin: &str) -> bool {
    let host = origin.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    origin.starts_with("http://") && (host == "localhost" || host == "[::1]" || host.starts_with("127."))
}
