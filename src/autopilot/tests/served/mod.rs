//! A server in this process, with simulators behind it, asked over real HTTP.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of it")]

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use autopilot::{Config, ServeError, Server};
use bytes::Bytes;
use heapsoak_probe::clock;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::simulated;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub struct Running {
    pub address: SocketAddr,
    pub folder: TempDir,
    pub config: Config,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ServeError>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub json: Value,
}

impl Running {
    pub async fn healthy() -> Running {
        Running::new("none", |_| {}).await
    }

    pub async fn new(as_found: &str, change: impl FnOnce(&mut Config)) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let tracker = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = simulated::config(folder.path(), as_found);
        config.tracker_url = format!("http://{}", tracker.local_addr().unwrap());
        tokio::spawn(autopilot::simulator::tracker::serve(tracker));
        change(&mut config);
        Running::start(folder, config).await
    }

    async fn start(folder: TempDir, config: Config) -> Running {
        let server = Server::bind(config.clone()).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Running { address, folder, config, stop, serving }
    }

    /// Stops the server, and starts another one on the same data.
    pub async fn restart(self) -> Running {
        let (folder, config) = self.end().await;
        Running::start(folder, config).await
    }

    /// Stops the server and returns what it leaves behind.
    pub async fn end(self) -> (TempDir, Config) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.serving).await.expect("it stops in time").unwrap().unwrap();
        (self.folder, self.config)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path), "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Request::post(path), body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Request::delete(path), "").await
    }

    /// Sends a webhook with its right signature.
    pub async fn webhook(&self, body: &str) -> Answer {
        self.signed(&sign(body), body).await
    }

    pub async fn signed(&self, signature: &str, body: &str) -> Answer {
        self.ask(Request::post("/webhook").header("Linear-Signature", signature), body.to_owned()).await
    }

    pub async fn ask(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = request.header("Host", self.address.to_string()).body(Full::new(body.into())).unwrap();
        let response = tokio::time::timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        connection.abort();
        let json = serde_json::from_slice(&body).unwrap_or_else(|error| {
            panic!("{status} without JSON: {error}: {}", String::from_utf8_lossy(&body))
        });
        Answer { status, json }
    }

    /// Asks until the answer is as wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let asked = async {
            loop {
                let answer = self.get(path).await;
                if wanted(&answer.json) {
                    return answer.json;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(json) => json,
            Err(_) => panic!("{path} never came to that: {}", self.get(path).await.json),
        }
    }

    /// Makes the queue's file unwritable: moves it aside, and puts a folder that is not empty in its place.
    pub fn obstruct(&self) {
        let path = self.queue_file();
        fs::rename(&path, path.with_extension("aside")).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("in-the-way"), "").unwrap();
    }

    /// Puts the queue's file back.
    pub fn restore(&self) {
        let path = self.queue_file();
        fs::remove_dir_all(&path).unwrap();
        fs::rename(path.with_extension("aside"), path).unwrap();
    }

    fn queue_file(&self) -> PathBuf {
        self.folder.path().join(autopilot::queue::FILE)
    }
}

impl Answer {
    /// The answer's error, after a check that it is one with this status.
    #[track_caller]
    pub fn error(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        self.json["error"].as_str().expect("an error is a sentence")
    }

    /// The answer, after a check of its status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> &Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        &self.json
    }

    /// The id in the answer.
    #[track_caller]
    pub fn id(&self) -> &str {
        self.json["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.json))
    }
}

/// The signature of a webhook.
pub fn sign(body: &str) -> String {
    let keyed = Hmac::<sha2::Sha256>::new_from_slice(b"secret").unwrap().chain_update(body);
    hex::encode(keyed.finalize().into_bytes())
}

/// A webhook's body, `age_ms` old.
pub fn event(kind: &str, id: &str, age_ms: i64) -> String {
    json!({
        "action": "create",
        "type": kind,
        "data": { "id": id, "title": "a title", "description": "simulate: tools=1 text=20", "priority": "high" },
        "webhookTimestamp": clock::unix_ms().saturating_add_signed(-age_ms),
    })
    .to_string()
}
