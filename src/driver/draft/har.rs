//! A draft from a HAR file: what a browser, or a proxy, recorded.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::credentials::{is_dropped, is_secret, placeholder, without_secret_parameters, without_secrets};
use super::target::{is_here, split_url};
use super::words::{literal, make_unique, may_be_chosen, percent_encode, slug};
use super::{Draft, DraftKind, DraftStep, Mistake};

/// Methods a scenario can send.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Endings of files that do not change from request to request.
const STATIC: &[&str] = &[
    "css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "woff", "woff2",
    "ttf", "otf", "mp4", "webm", "wasm",
];

/// Paths of one kind that are told apart, at most.
const PATHS: usize = 40;

#[derive(Debug, Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Debug, Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    request: Request,
    response: Response,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    post_data: Option<PostData>,
}

#[derive(Debug, Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: String,
    /// Fields of a form; some recorders give these in place of the text.
    #[serde(default)]
    params: Vec<Parameter>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    name: String,
    #[serde(default)]
    value: String,
}

impl PostData {
    fn body(&self) -> String {
        if !self.text.is_empty() {
            return self.text.clone();
        }
        let fields = self.params.iter();
        let fields =
            fields.map(|field| format!("{}={}", percent_encode(&field.name), percent_encode(&field.value)));
        fields.collect::<Vec<_>>().join("&")
    }
}

#[derive(Debug, Deserialize)]
struct Response {
    status: i32,
    #[serde(default)]
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    mime_type: String,
}

/// Requests that differ in nothing but names and numbers of what they ask for.
#[derive(Debug)]
struct Group<'a> {
    is_static: bool,
    paths: Vec<String>,
    bodies: Vec<String>,
    first: &'a Entry,
    count: u64,
    ok: Vec<u16>,
    error: Vec<u16>,
}

/// Drafts a scenario.
pub(super) fn draft(text: &str) -> Result<Draft, Mistake> {
    let archive: Archive = serde_json::from_str(text).map_err(|error| {
        let mistake = Mistake::from(error);
        Mistake { message: format!("this is no HAR file: {}", mistake.message), ..mistake }
    })?;
    let entries = archive.log.entries;
    let origin = busiest(&entries).ok_or_else(|| Mistake::of_all("the HAR file has no HTTP request"))?;
    let mut draft = Draft {
        title: format!("what was recorded of {origin}"),
        url: Some(origin.clone()),
        ..Draft::default()
    };
    if !is_here(&origin) {
        draft.notes.push(format!("Recorded at {origin}: in [target], name the server that is to be soaked."));
        draft.url = None;
    }
    let (mut others, mut unsendable) = (0, 0);
    let mut groups: Vec<(String, Group<'_>)> = Vec::new();
    for entry in &entries {
        if split_url(&entry.request.url).is_none_or(|(other, _)| other != origin) {
            others += 1;
            continue;
        }
        let status = u16::try_from(entry.response.status).ok().filter(|status| (100..600).contains(status));
        let Some(status) = status.filter(|_| METHODS.contains(&entry.request.method.as_str())) else {
            unsendable += 1;
            continue;
        };
        let path = path_of(&entry.request.url, &origin);
        let is_static = is_static(entry, &path);
        let shape = if is_static {
            "static".to_owned()
        } else {
            format!("{} {}", entry.request.method, shape(&path))
        };
        let place = groups.iter().position(|(known, _)| *known == shape).unwrap_or_else(|| {
            groups.push((shape, Group::new(entry, is_static)));
            groups.len() - 1
        });
        groups[place].1.add(entry, path, status);
    }
    if others > 0 {
        draft.notes.push(format!("Left out, because they went to other servers: {others}."));
    }
    if unsendable > 0 {
        draft
            .notes
            .push(format!("Left out, because of their method or for want of an answer: {unsendable}."));
    }
    if groups.iter().any(|(_, group)| group.has_secrets()) {
        draft.notes.push(
            "Cookies, tokens and passwords were left out: they are taken from the environment.".to_owned(),
        );
    }
    for (shape, group) in &groups {
        let taken = |name: &str| draft.kinds.iter().any(|kind| kind.name == name);
        let name = make_unique(group.name(shape), taken);
        draft.kinds.push(group.kind(name));
    }
    if draft.kinds.is_empty() {
        return Err(Mistake::of_all("the HAR file has no request that a scenario can send"));
    }
    Ok(draft)
}

/// The server most requests went to.
fn busiest(entries: &[Entry]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        if let Some((origin, _)) =
            split_url(&entry.request.url).filter(|(origin, _)| origin.starts_with("http"))
        {
            *counts.entry(origin).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(origin, _)| origin)
}

/// Path and query, without what nobody else should read.
fn path_of(url: &str, origin: &str) -> String {
    let path = url.strip_prefix(origin).unwrap_or("/").split('#').next().unwrap_or("/");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    match path.split_once('?') {
        Some((path, query)) => format!("{path}?{}", without_secret_parameters(query)),
        None => path,
    }
}

fn is_static(entry: &Entry, path: &str) -> bool {
    let file = path.split('?').next().unwrap_or(path);
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let kind = &entry.response.content.mime_type;
    let by_kind = ["image/", "font/", "text/css", "text/javascript", "application/javascript", "video/"];
    entry.request.method == "GET"
        && (ending.is_some_and(|ending| STATIC.contains(&ending.as_str()))
            || by_kind.iter().any(|start| kind.starts_with(start)))
}

/// A path with a star for every word that names one of many, and the names of its parameters.
fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let words: Vec<&str> = path.split('/').map(|word| if names_one(word) { "*" } else { word }).collect();
    let mut parameters: Vec<&str> = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|one| one.split('=').next())
        .collect();
    parameters.sort_unstable();
    format!("{}?{}", words.join("/"), parameters.join("&"))
}

/// Numbers, UUIDs, long words of hex digits.
fn names_one(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    (!word.is_empty() && digits == word.len())
        || (word.len() >= 8
            && digits > 0
            && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
}

impl<'a> Group<'a> {
    fn new(first: &'a Entry, is_static: bool) -> Group<'a> {
        Group {
            is_static,
            paths: Vec::new(),
            bodies: Vec::new(),
            first,
            count: 0,
            ok: Vec::new(),
            error: Vec::new(),
        }
    }

    fn add(&mut self, entry: &'a Entry, path: String, status: u16) {
        self.count += 1;
        if !self.paths.contains(&path) {
            self.paths.push(path);
        }
        let body = entry.request.post_data.as_ref().map(PostData::body).unwrap_or_default();
        if !body.is_empty() && !self.bodies.contains(&body) {
            self.bodies.push(body);
        }
        // A browser asks whether what it keeps is still right; a scenario asks for the thing itself.
        let status = if status == 304 { 200 } else { status };
        let codes = if status < 400 { &mut self.ok } else { &mut self.error };
        if !codes.contains(&status) {
            codes.push(status);
            codes.sort_unstable();
        }
    }

    fn has_secrets(&self) -> bool {
        let header =
            |header: &Header| is_secret(&header.name) && !is_dropped(&header.name.to_ascii_lowercase());
        let body = self.bodies.first().map(|body| without_secrets(body, self.content_type()));
        self.first.request.headers.iter().any(header)
            || self.paths.iter().any(|path| path.contains("{{env:"))
            || body.is_some_and(|body| body.contains("{{env:HEAPSOAK_"))
    }

    fn content_type(&self) -> &str {
        self.first.request.post_data.as_ref().map_or("", |body| body.mime_type.as_str())
    }

    fn name(&self, shape: &str) -> String {
        if self.is_static {
            return "assets.static".to_owned();
        }
        let path = shape.split([' ', '?']).nth(1).unwrap_or("/");
        let words = path.split('/').map(slug).filter(|word| !word.is_empty() && word != "api");
        // `/api/v1/users` is about users.
        let is_version =
            |word: &String| word.starts_with('v') && word[1..].bytes().all(|byte| byte.is_ascii_digit());
        let words: Vec<String> = words.filter(|word| !is_version(word)).collect();
        let component = words.first().cloned().unwrap_or_else(|| "root".to_owned());
        let method = self.first.request.method.to_ascii_lowercase();
        let one = if path.contains('*') { vec!["one".to_owned()] } else { Vec::new() };
        let what =
            [method].into_iter().chain(words.into_iter().skip(1)).chain(one).collect::<Vec<_>>().join("-");
        format!("{component}.{what}")
    }

    fn kind(&self, name: String) -> DraftKind {
        let times = if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) };
        let mut comments = vec![format!("Recorded {times}.")];
        if self.bodies.len() > 1 {
            comments.push(format!("Of {} different bodies this is the first.", self.bodies.len()));
        }
        let chosen: Vec<&str> =
            self.paths.iter().map(String::as_str).filter(|path| may_be_chosen(path)).take(PATHS).collect();
        let path = match (chosen.as_slice(), self.paths.first()) {
            ([_, _, ..], _) => {
                if chosen.len() < self.paths.len() {
                    comments.push(format!("{} of {} paths.", chosen.len(), self.paths.len()));
                }
                format!("{{{{choice:{}}}}}", chosen.join("|"))
            }
            // A path with a part of a template in it is one already.
            (_, Some(first)) if first.contains("{{env:HEAPSOAK_") => first.clone(),
            (_, first) => first.map_or_else(|| "/".to_owned(), |path| literal(path)),
        };
        let headers = self.headers();
        let body = self.bodies.first().map(|body| without_secrets(body, self.content_type()));
        let step = DraftStep {
            method: self.first.request.method.clone(),
            path,
            headers,
            body,
            ok: self.ok.clone(),
            error: self.error.clone(),
            remember: None,
        };
        DraftKind { name, weight: self.count, comments, setup: None, step }
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        for Header { name, value } in &self.first.request.headers {
            let name = name.to_ascii_lowercase();
            let known = headers.iter().any(|(known, _)| *known == name);
            let can_be_sent =
                http::HeaderName::try_from(&name).is_ok() && http::HeaderValue::from_str(value).is_ok();
            if known || !can_be_sent || is_dropped(&name) || (self.is_static && !is_secret(&name)) {
                continue;
            }
            let value = if is_secret(&name) { placeholder(&name) } else { literal(value) };
            headers.push((name, value));
        }
        headers
    }
}
