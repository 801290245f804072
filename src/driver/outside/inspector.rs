use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::load::{Connection, Prepared};
use crate::target::{Address, Dial, Place};

/// Longest wait for an answer: a full collection of a large heap takes a while.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// How long a server that was just started may take to open its inspector.
const START_TIME: Duration = Duration::from_secs(5);

/// What is asked in the server for the figures V8 does not give by itself.
const MEMORY: &str = "JSON.stringify(process.memoryUsage())";

/// Node's inspector, which speaks the Chrome DevTools protocol over a websocket.
#[derive(Debug)]
pub(super) struct Inspector {
    socket: WebSocketStream<TcpStream>,
    last: u64,
}

impl Inspector {
    /// Connects to the inspector at `HOST:PORT`.
    pub(super) async fn connect(address: &str) -> Result<Inspector, String> {
        let server = format!("http://{address}").parse::<Address>().map_err(|error| error.to_string())?;
        let failed =
            |why: String| format!("Node's inspector at {address}: {why}: was Node started with --inspect?");
        let start = std::time::Instant::now();
        let list = loop {
            match Connection::new(Dial::plain(server.clone())).send(&Prepared::get("/json/list"), None).await
            {
                Ok(answer) => break answer.body,
                Err(error) if start.elapsed() > START_TIME => return Err(failed(error.to_string())),
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        let list: Value = serde_json::from_slice(&list).map_err(|error| failed(error.to_string()))?;
        let url = list
            .pointer("/0/webSocketDebuggerUrl")
            .and_then(Value::as_str)
            .ok_or_else(|| failed("it names no websocket".to_owned()))?;
        let Place::Tcp(place) = server.place else { return Err(failed("it has no port".to_owned())) };
        let stream = TcpStream::connect(place).await.map_err(|error| failed(error.to_string()))?;
        let (socket, _) =
            tokio_tungstenite::client_async(url, stream).await.map_err(|error| failed(error.to_string()))?;
        Ok(Inspector { socket, last: 0 })
    }

    /// Has V8 collect all garbage, then reads its figures: what is left is alive.
    pub(super) async fn collect_and_read(&mut self) -> Result<Vec<(&'static str, u64)>, String> {
        // The first collection runs finalizers whose objects the second one takes.
        for _ in 0..2 {
            self.call("HeapProfiler.collectGarbage", json!({})).await?;
        }
        let usage = self.call("Runtime.getHeapUsage", json!({})).await?;
        let evaluated = self.call("Runtime.evaluate", json!({ "expression": MEMORY })).await?;
        let memory = evaluated.pointer("/result/value").and_then(Value::as_str).unwrap_or("{}");
        let memory: Value = serde_json::from_str(memory).unwrap_or_default();
        let figure =
            |name, from: &Value, key: &str| from.get(key).and_then(Value::as_f64).map(|value| (name, value));
        let figures = [
            figure("heap.v8.used", &usage, "usedSize"),
            figure("v8.total", &usage, "totalSize"),
            figure("heap.v8.external", &memory, "external"),
        ];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes in bytes")]
        let whole =
            figures.into_iter().flatten().map(|(name, value)| (name, value.max(0.0) as u64)).collect();
        Ok(whole)
    }

    async fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.last += 1;
        let id = self.last;
        let text = json!({ "id": id, "method": method, "params": params }).to_string();
        let asking = async {
            self.socket.send(Message::text(text)).await.map_err(|error| error.to_string())?;
            loop {
                let message = match self.socket.next().await {
                    Some(message) => message.map_err(|error| error.to_string())?,
                    None => return Err("it closed the connection".to_owned()),
                };
                let Message::Text(text) = message else { continue };
                let answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
                // Events have no id.
                if answer.get("id").and_then(Value::as_u64) != Some(id) {
                    continue;
                }
                return match answer.get("error") {
                    Some(error) => Err(error.to_string()),
                    None => Ok(answer.get("result").cloned().unwrap_or_default()),
                };
            }
        };
        let answer = timeout(ANSWER_TIME, asking).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWER_TIME.as_secs())));
        answer.map_err(|error| format!("Node's inspector: {method}: {error}"))
    }
}
