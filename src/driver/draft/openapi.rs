//! A draft from an OpenAPI document of version 3.

use serde_json::{Map, Value};

use super::sample::{Document, example};
use super::target::{is_here, split_url};
use super::words::{literal, make_unique, percent_encode, slug};
use super::{Draft, DraftKind, DraftStep, Mistake};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Weight of a request as the document has it.
const USUAL: u64 = 4;

/// Weight of one that goes wrong on purpose.
const WRONG: u64 = 1;

/// An operation of the document.
#[derive(Debug, Clone, Copy)]
struct Operation<'a> {
    document: Document<'a>,
    base: &'a str,
    path: &'a str,
    method: &'a str,
    /// Of the path, for all its operations.
    shared: &'a Value,
    spec: &'a Value,
}

/// Drafts a scenario.
pub(super) fn draft(root: &Value) -> Result<Draft, Mistake> {
    check_version(root)?;
    let document = Document(root);
    let paths = root.get("paths").and_then(Value::as_object);
    let paths =
        paths.ok_or_else(|| Mistake::of_all("the document has no 'paths': there is nothing to ask"))?;
    let mut draft = Draft { title: title(root), ..Draft::default() };
    let (url, base) = server(root, &mut draft.notes);
    draft.url = url;
    for (path, item) in paths {
        let item = document.resolve(item);
        for method in METHODS {
            let Some(spec) = item.get(method) else { continue };
            let operation = Operation { document, base: &base, path, method, shared: item, spec };
            let taken = |name: &str| draft.kinds.iter().any(|kind| kind.name == name);
            let name = make_unique(operation.name(), taken);
            let kinds = operation.kinds(&name, paths);
            draft.kinds.extend(kinds);
        }
    }
    if draft.kinds.is_empty() {
        return Err(Mistake::of_all("the document's paths have no operation: there is nothing to ask"));
    }
    if let Some(note) = security(root) {
        draft.notes.push(note);
    }
    Ok(draft)
}

fn check_version(root: &Value) -> Result<(), Mistake> {
    match (root.get("openapi").and_then(Value::as_str), root.get("swagger")) {
        (Some(version), _) if version.starts_with("3.") => Ok(()),
        (Some(version), _) => {
            Err(Mistake::of_all(format!("OpenAPI {version} is unknown: a document of version 3 is read")))
        }
        (None, Some(_)) => Err(Mistake::of_all(
            "this is a Swagger 2 document: convert it to OpenAPI 3 first, e.g. with swagger2openapi",
        )),
        (None, None) => {
            Err(Mistake::of_all("this is no OpenAPI document: it has no 'openapi' with its version"))
        }
    }
}

fn title(root: &Value) -> String {
    let about = |key: &str| root.pointer(&format!("/info/{key}")).and_then(Value::as_str);
    match (about("title"), about("version")) {
        (Some(title), Some(version)) => format!("{title} {version}: every operation of its OpenAPI document"),
        (Some(title), None) => format!("{title}: every operation of its OpenAPI document"),
        (None, _) => "every operation of an OpenAPI document".to_owned(),
    }
}

/// Where the server listens, if the document says so, and the path below which it answers.
fn server(root: &Value, notes: &mut Vec<String>) -> (Option<String>, String) {
    let Some(url) = root.pointer("/servers/0/url").and_then(Value::as_str) else {
        return (None, String::new());
    };
    if let Some((origin, base)) = split_url(url) {
        if is_here(&origin) {
            return (Some(origin), base);
        }
        notes
            .push(format!("The document's server is {url}: in [target], name the one that is to be soaked."));
        return (None, base);
    }
    let base = url.trim_end_matches('/').to_owned();
    (None, if base.starts_with('/') && !base.contains('{') { base } else { String::new() })
}

fn security(root: &Value) -> Option<String> {
    let schemes = root.pointer("/components/securitySchemes")?.as_object()?;
    let names: Vec<&str> = schemes.keys().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "The document has security schemes ({}): what they want is taken from the environment.",
            names.join(", ")
        )
    })
}

impl<'a> Operation<'a> {
    /// `component.what`: its first tag, or the first word of its path, and its name.
    fn name(self) -> String {
        let tag = self.spec.pointer("/tags/0").and_then(Value::as_str).map(slug);
        let words = self.path.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'));
        let component =
            tag.filter(|tag| !tag.is_empty()).or_else(|| words.map(slug).find(|word| !word.is_empty()));
        let id = self.spec.get("operationId").and_then(Value::as_str).map(slug).filter(|id| !id.is_empty());
        let what = id.unwrap_or_else(|| slug(&format!("{} {}", self.method, self.path)));
        format!("{}.{what}", component.unwrap_or_else(|| "root".to_owned()))
    }

    /// The request as the document has it, and those that are wrong on purpose where it says how they are answered.
    fn kinds(self, name: &str, paths: &'a Map<String, Value>) -> Vec<DraftKind> {
        let (mut step, mut comments) = self.step();
        let summary = ["summary", "description"].iter().find_map(|key| self.spec.get(*key)?.as_str());
        comments.splice(0..0, summary.and_then(|summary| summary.lines().next()).map(str::to_owned));
        let mut wrong = Vec::new();
        if step.error.contains(&404) && step.path.contains("{{") {
            let comments = vec!["The same for something that does not exist.".to_owned()];
            let missing =
                DraftStep { error: vec![404], ok: Vec::new(), path: self.path_to_nothing(), ..step.clone() };
            wrong.push(DraftKind {
                name: format!("{name}-unknown"),
                weight: WRONG,
                comments,
                setup: None,
                step: missing,
            });
        }
        let mut refusal: Vec<u16> = [400, 422].into_iter().filter(|code| step.error.contains(code)).collect();
        if let (Some(body), false) = (&step.body, refusal.is_empty()) {
            // Which of the two is looked at first, the document does not say.
            refusal.extend(wrong.first().map(|_| 404));
            refusal.sort_unstable();
            let comments = vec!["The same with a body that is cut off.".to_owned()];
            let cut = DraftStep { body: Some(cut_off(body)), ok: Vec::new(), error: refusal, ..step.clone() };
            wrong.push(DraftKind {
                name: format!("{name}-malformed"),
                weight: WRONG,
                comments,
                setup: None,
                step: cut,
            });
        }
        let setup = self.maker(paths);
        if let Some((parameter, _)) = &setup {
            step.path = self.path_with(|name| (name == parameter).then(|| format!("{{{{${parameter}}}}}")));
        }
        let setup = setup.map(|(_, setup)| setup);
        let usual = DraftKind { name: name.to_owned(), weight: USUAL, comments, setup, step };
        [usual].into_iter().chain(wrong).collect()
    }

    fn step(self) -> (DraftStep, Vec<String>) {
        let mut comments = Vec::new();
        let mut headers = self.credentials();
        for parameter in
            self.parameters().filter(|parameter| parameter["in"] == "header" && is_required(parameter))
        {
            let name = parameter["name"].as_str().unwrap_or_default().to_ascii_lowercase();
            if !["accept", "content-type", "authorization"].contains(&name.as_str()) && is_header(&name) {
                headers.push((name, self.value_of(parameter)));
            }
        }
        let optional =
            self.parameters().filter(|parameter| parameter["in"] == "query" && !is_required(parameter));
        let optional: Vec<&str> = optional.filter_map(|parameter| parameter["name"].as_str()).collect();
        if !optional.is_empty() {
            comments.push(format!("Parameters left out: {}.", optional.join(", ")));
        }
        let (mut ok, mut error) = self.answers();
        if ok.is_empty() && error.is_empty() {
            ok.push(200);
        }
        error.dedup();
        let body = self.body(&mut headers, &mut comments);
        let (method, path) = (self.method.to_ascii_uppercase(), self.path_with(|_| None));
        (DraftStep { method, path, headers, body, ok, error, remember: None }, comments)
    }

    fn parameters(self) -> impl Iterator<Item = &'a Value> {
        let own = self.spec.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let shared = self.shared.get("parameters").and_then(Value::as_array).into_iter().flatten();
        // What an operation says of a parameter counts before what its path says: it is found first.
        own.chain(shared).map(move |parameter| self.document.resolve(parameter))
    }

    fn value_of(self, parameter: &'a Value) -> String {
        let with_example = example(parameter).map(|_| parameter);
        self.document.word(with_example.or_else(|| parameter.get("schema")).unwrap_or(&Value::Null))
    }

    /// The path with its parameters and required query filled in; first by what is given for a name.
    fn path_with(self, given: impl Fn(&str) -> Option<String>) -> String {
        let mut path = self.base.to_owned();
        let mut rest = self.path;
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((name, after)) = behind.split_once('}') else { break };
            path.push_str(before);
            let parameter = self.parameters().find(|one| one["name"] == name && one["in"] == "path");
            let value = given(name);
            path.push_str(&value.unwrap_or_else(|| {
                parameter.map_or_else(|| "{{hex:8}}".to_owned(), |one| self.value_of(one))
            }));
            rest = after;
        }
        path.push_str(rest);
        let query =
            self.parameters().filter(|parameter| parameter["in"] == "query" && is_required(parameter));
        let query = query.filter_map(|parameter| {
            Some(format!("{}={}", percent_encode(parameter["name"].as_str()?), self.value_of(parameter)))
        });
        let query: Vec<String> = query.collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// With values that nothing has.
    fn path_to_nothing(self) -> String {
        self.path_with(|name| {
            let parameter = self.parameters().find(|one| one["name"] == name && one["in"] == "path")?;
            let schema = self.document.resolve(parameter.get("schema")?);
            let is_number = schema["type"] == "integer" || schema["type"] == "number";
            let nothing = match schema["format"].as_str() {
                Some("uuid") => "{{uuid}}",
                _ if is_number => "{{range:900000000..999999999}}",
                _ => "no-such-{{hex:8}}",
            };
            Some(nothing.to_owned())
        })
    }

    fn body(self, headers: &mut Vec<(String, String)>, comments: &mut Vec<String>) -> Option<String> {
        let body = self.document.resolve(self.spec.get("requestBody")?);
        let content = body.get("content")?.as_object()?;
        let json = content.iter().find(|(name, _)| name.contains("json"));
        let (name, media) = json.or_else(|| content.iter().next())?;
        if name != "application/json" {
            headers.push(("content-type".to_owned(), name.clone()));
        }
        let schema = media.get("schema").unwrap_or(&Value::Null);
        if name.contains("json") {
            let example = example(media);
            return Some(
                example.map_or_else(|| self.document.json(schema), |example| literal(&example.to_string())),
            );
        }
        if name.contains("x-www-form-urlencoded") {
            return Some(self.document.form(schema));
        }
        comments.push(format!("Its body is {name}: write it, or name a file with body-file."));
        let text = example(media).and_then(Value::as_str).map(literal);
        Some(text.unwrap_or_else(|| "{{text:100..400}}".to_owned()))
    }

    /// Status codes of success and of errors the document has for it.
    fn answers(self) -> (Vec<u16>, Vec<u16>) {
        let codes = self.spec.get("responses").and_then(Value::as_object).into_iter().flatten();
        let code = |(code, _): (&String, &Value)| match code.to_ascii_uppercase().as_str() {
            "2XX" => Some(200),
            "4XX" => Some(400),
            other => other.parse().ok().filter(|code| (100..600).contains(code)),
        };
        codes.filter_map(code).partition(|code| *code < 400)
    }

    /// What the first security requirement wants, from the environment.
    fn credentials(self) -> Vec<(String, String)> {
        let required = self.spec.get("security").or_else(|| self.document.0.get("security"));
        let first = required.and_then(Value::as_array).and_then(|all| all.first()).and_then(Value::as_object);
        let schemes = first.into_iter().flatten().filter_map(|(name, _)| {
            let scheme = self.document.0.pointer("/components/securitySchemes")?.get(name)?;
            let scheme = self.document.resolve(scheme);
            match (scheme["type"].as_str()?, scheme["scheme"].as_str(), scheme["in"].as_str()) {
                ("http", Some(kind), _) if kind.eq_ignore_ascii_case("basic") => {
                    Some(("authorization".to_owned(), "Basic {{env:HEAPSOAK_BASIC}}".to_owned()))
                }
                ("http" | "oauth2" | "openIdConnect", _, _) => {
                    Some(("authorization".to_owned(), "Bearer {{env:HEAPSOAK_TOKEN}}".to_owned()))
                }
                ("apiKey", _, Some("header")) => {
                    let header = scheme["name"].as_str()?.to_ascii_lowercase();
                    is_header(&header).then(|| (header, "{{env:HEAPSOAK_API_KEY}}".to_owned()))
                }
                _ => None,
            }
        });
        schemes.collect()
    }

    /// For a path that ends with a parameter, the request that makes what it names: `POST /pets` for `/pets/{id}`.
    fn maker(self, paths: &'a Map<String, Value>) -> Option<(String, DraftStep)> {
        let (above, last) = self.path.split_once("/{")?;
        let (parameter, _) = last.split_once('}')?;
        let item = self.document.resolve(paths.get(above)?);
        let maker = Operation { path: above, method: "post", shared: item, spec: item.get("post")?, ..self };
        let responses = maker.spec.get("responses")?.as_object()?;
        let made = responses.iter().find(|(code, _)| code.starts_with('2'))?.1;
        let content = self.document.resolve(made).get("content")?.as_object()?;
        let (_, media) = content.iter().find(|(name, _)| name.contains("json"))?;
        let schema = self.document.resolve(media.get("schema")?);
        let field = [parameter, "id"].into_iter().find(|name| self.document.has_property(schema, name))?;
        let (step, _) = maker.step();
        let remember = Some((parameter.to_owned(), format!("/{field}")));
        Some((parameter.to_owned(), DraftStep { error: Vec::new(), remember, ..step }))
    }
}

fn is_required(parameter: &Value) -> bool {
    parameter["required"] == true
}

fn is_header(name: &str) -> bool {
    http::HeaderName::try_from(name).is_ok()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A body without its end, cut where no template part is cut with it.
fn cut_off(body: &str) -> String {
    body.trim_end().trim_end_matches('}').trim_end_matches(']').to_owned()
        + if body.ends_with("}}}") { "}}" } else { "" }
}
