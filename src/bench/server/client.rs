//! The requests.

use std::fmt::Write;

use axum::body::Body;
use http::{Request, header};

use super::cache::WARM;

/// Bodies that differ.
const BODIES: u32 = 16;
/// The header in which a driver names the kind of a request. Every subject sends it; the probe alone reads it.
const KIND_HEADER: &str = "heapsoak-kind";
/// One request in so many asks for a project that no one asked for before.
const COLD: u32 = 8;

/// Makes requests: the same ones in every process.
#[derive(Debug)]
pub struct Client {
    bodies: Vec<String>,
}

impl Default for Client {
    fn default() -> Client {
        Client::new()
    }
}

impl Client {
    /// Writes the bodies beforehand: they come from elsewhere.
    #[must_use]
    pub fn new() -> Client {
        Client { bodies: (0..BODIES).map(body).collect() }
    }

    /// The request of this number.
    #[must_use]
    pub fn request(&self, number: u32) -> Request<Body> {
        let project =
            if number.is_multiple_of(COLD) { 1_000_000 + number } else { number.wrapping_mul(7) % WARM };
        let body = &self.bodies[(number % BODIES) as usize];
        Request::post(format!("/projects/{project}/tasks"))
            .header(header::HOST, "tasks.example.org")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::AUTHORIZATION, "Bearer Ada.Lovelace:read+write+assign")
            .header(header::USER_AGENT, "bench/1.0")
            .header("x-request-id", format!("{number:016x}"))
            .header(
                KIND_HEADER,
                ["task.created", "task.urgent", "task.bulk", "task.retried"][(number % 4) as usize],
            )
            .body(Body::from(body.clone()))
            .expect("the path and the headers are well formed")
    }
}

fn body(number: u32) -> String {
    let mut fields = String::new();
    for field in 0..6 {
        let comma = if field == 0 { "" } else { "," };
        write!(fields, "{comma}\"field-{field}\":\"{}\"", "v".repeat((8 + field * 9 + number) as usize))
            .expect("a string grows");
    }
    let description = "What is to be done, in a few words. ".repeat(4 + (number % 5) as usize);
    format!(
        "{{\"title\":\" Task {number} \",\"description\":\"{description}\",\"priority\":\"High\",\
         \"labels\":[\"Bug \",\"Memory\",\"Release-{number}\",\"Customer\"],\
         \"watchers\":[{{\"name\":\"Grace Hopper\",\"address\":\"grace@example.org\"}},\
         {{\"name\":\"Alan Turing\",\"address\":\"alan@example.org\"}},\
         {{\"name\":\"Barbara Liskov\",\"address\":\"barbara@example.org\"}}],\
         \"fields\":{{{fields}}}}}"
    )
}
