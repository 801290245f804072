//! The same server over whatever a driver may speak: HTTP/1.1 or HTTP/2, plain or under TLS, on TCP or a unix socket.
//!
//! Arguments after `__web`: `--listen PLACE` (a port or the path of a socket), `--tls FILE` (certificate and key in PEM),
//! `--log FILE` appends a line per request: version, number of the connection, and what the other server logs.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

use crate::{State, http};

/// A body with the trailer gRPC ends its answers with.
type Body = http_body_util::combinators::BoxBody<Bytes, Infallible>;

/// Serves for ever.
pub(crate) fn serve(listen: &str, pem: Option<&str>, state: &Arc<Mutex<State>>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(accept(listen, pem, state));
}

async fn accept(listen: &str, pem: Option<&str>, state: &Arc<Mutex<State>>) {
    let tls = pem.map(read_tls);
    let mut connection = 0;
    if let Ok(port) = listen.parse::<u16>() {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        loop {
            let (stream, _) = listener.accept().await.expect("it listens");
            connection += 1;
            tokio::spawn(secure(stream, tls.clone(), connection, Arc::clone(state)));
        }
    }
    let listener = UnixListener::bind(listen).expect("the socket can be made");
    loop {
        let (stream, _) = listener.accept().await.expect("it listens");
        connection += 1;
        tokio::spawn(secure(stream, tls.clone(), connection, Arc::clone(state)));
    }
}

fn read_tls(path: &str) -> TlsAcceptor {
    let certificates =
        CertificateDer::pem_file_iter(path).expect("it is PEM").map(|one| one.expect("it is a certificate"));
    let key = PrivateKeyDer::from_pem_file(path).expect("it holds a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .expect("ring knows them")
        .with_no_client_auth()
        .with_single_cert(certificates.collect(), key)
        .expect("they belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn secure<S>(stream: S, tls: Option<TlsAcceptor>, connection: u32, state: Arc<Mutex<State>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match tls {
        None => answer_all(stream, connection, state).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                answer_all(stream, connection, state).await;
            }
        }
    }
}

async fn answer_all<S>(stream: S, connection: u32, state: Arc<Mutex<State>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, connection, Arc::clone(&state)));
    // However it ends.
    let _ended = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    connection: u32,
    state: Arc<Mutex<State>>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let log = |what: &str| {
        let line = format!("{:?} {connection} {what}\n", head.version);
        if let Some(log) = &mut state.lock().expect("no thread panics").log {
            log.write_all(line.as_bytes()).expect("the log can be written");
        }
    };
    let Ok(body) = body.collect().await else {
        log("broke off");
        return Ok(Response::new(Full::new(Bytes::new()).boxed()));
    };
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let request = http::Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
    };
    let connection_header = request.header("connection").unwrap_or("-").to_owned();
    if request.path == "/hang" {
        log("hangs");
        std::future::pending::<()>().await;
    }
    log(&format!("{connection_header} {} {}", request.path, request.body));
    let (status, body) = crate::answer(&request, &mut state.lock().expect("no thread panics"));
    let mut trailers = hyper::HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().expect("it is a header"));
    let frames = [Ok(Frame::data(Bytes::from(body))), Ok(Frame::trailers(trailers))];
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
    let mut response = Response::new(body.boxed());
    *response.status_mut() = hyper::StatusCode::from_u16(status).expect("it is a status");
    Ok(response)
}
