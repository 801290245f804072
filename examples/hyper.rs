//! An upper-casing service on bare hyper. Started with `EXAMPLE_LEAK=1`, what it was asked with GET it remembers for ever.

use std::alloc::System;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use heapsoak_probe::{Component, Probe};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

#[global_allocator]
static ALLOCATOR: Probe<System> = Probe::new(System);

static CASES: Component = Component::new("cases");

static REFUSED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[tokio::main]
async fn main() -> std::io::Result<()> {
    heapsoak_probe::start();
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = ServiceBuilder::new()
            .layer(heapsoak_probe::layer())
            .layer(CASES.layer())
            .service(service_fn(answer));
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            if let Err(error) = connection.await {
                eprintln!("a connection failed: {error}");
            }
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::POST {
        if std::env::var_os("EXAMPLE_LEAK").is_some() {
            let uri = request.uri().to_string();
            REFUSED.lock().unwrap_or_else(PoisonError::into_inner).push(uri);
        }
        return Ok(respond(StatusCode::METHOD_NOT_ALLOWED, "send a text with POST".into()));
    }
    Ok(match request.into_body().collect().await {
        Ok(body) => respond(StatusCode::OK, body.to_bytes().to_ascii_uppercase().into()),
        Err(_) => respond(StatusCode::BAD_REQUEST, "the text broke off".into()),
    })
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
