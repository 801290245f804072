//! A synchronous server, a thread for each request, without any runtime. Started with `EXAMPLE_LEAK=1`, a thread whose
//! request names no file forgets to give its buffer back.

use std::alloc::System;
use std::io::Read as _;

use heapsoak_probe::{Component, Probe, RequestKind};
use tiny_http::{Method, Request, Response, Server};

#[global_allocator]
static ALLOCATOR: Probe<System> = Probe::new(System);

static FILES: Component = Component::new("files");

/// Largest body read.
const LARGEST: u64 = 64 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    heapsoak_probe::start();
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let server = Server::http(format!("127.0.0.1:{port}"))?;
    for request in server.incoming_requests() {
        std::thread::spawn(move || {
            let kind = request.headers().iter().find(|header| header.field.equiv("heapsoak-kind"));
            let _kind = kind.map(|header| RequestKind::named(header.value.as_str()).enter());
            FILES.scope(|| answer(request));
        });
    }
    Ok(())
}

fn answer(mut request: Request) {
    let mut buffer = Vec::with_capacity(512);
    let read = request.as_reader().take(LARGEST).read_to_end(&mut buffer);
    let (status, text) = match (request.method(), read) {
        (_, Err(error)) => (400, error.to_string()),
        (Method::Put, Ok(length)) if request.url() != "/" => (200, format!("{length} bytes taken")),
        _ => {
            if std::env::var_os("EXAMPLE_LEAK").is_some() {
                std::mem::forget(buffer);
            }
            (404, "PUT a file by its name".to_owned())
        }
    };
    // A client that has gone needs no answer.
    let _gone = request.respond(Response::from_string(text).with_status_code(status));
}
