//! The server's side of the control plane.

use crate::control::endpoint::{Connection, Listener};
use crate::control::protocol::MAX_LINE;
use crate::control::{Frame, Report, Request, WorkProgress};
use crate::domain::secret::Secret;
use async_trait::async_trait;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

/// Frames that may wait for a slow client before further progress is dropped.
const WAITING_FRAMES: usize = 64;
/// The longest first line of a TCP client, in bytes: a token has 43. Nothing more is read from one without it.
const MAX_TOKEN_LINE: u64 = 256;
/// How long a TCP client may take to send the token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(2);

/// Executes requests.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Executes `request`. The error is one sentence for the operator, with the cause and the way out.
    async fn handle(&self, request: Request, progress: &Reporter) -> Result<Value, String>;
}

/// Reports the progress of long work to the client.
#[derive(Clone)]
pub struct Reporter(mpsc::Sender<Frame>);

impl Reporter {
    /// Reports progress; drops it silently when the client does not keep up or has gone.
    pub fn report(&self, progress: WorkProgress) {
        let _ = self.0.try_send(Frame::Progress(progress));
    }

    /// The same as a function, for work on other threads.
    #[must_use]
    pub fn as_report(&self) -> Report {
        let reporter = self.clone();
        Arc::new(move |progress| reporter.report(progress))
    }
}

/// Answers control connections until dropped.
pub async fn serve(listener: Listener, handler: Arc<dyn Handler>) {
    loop {
        match listener.accept().await {
            Ok((connection, token)) => {
                tokio::spawn(serve_connection(connection, token.cloned(), Arc::clone(&handler)));
            }
            Err(error) => {
                tracing::warn!(%error, "control socket: cannot accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn serve_connection(connection: Connection, token: Option<Secret<String>>, handler: Arc<dyn Handler>) {
    let (read, mut write) = tokio::io::split(connection);
    let mut read = BufReader::new(read);
    if let Some(token) = token {
        let first = tokio::time::timeout(TOKEN_TIMEOUT, line(&mut read, MAX_TOKEN_LINE)).await;
        let Ok(Some(presented)) = first.map(|line| line.map(Secret::new)) else { return };
        if !token.matches(presented.expose().as_bytes()) {
            tracing::warn!("control port: a connection with a wrong token was closed");
            return;
        }
    }
    while let Some(text) = line(&mut read, MAX_LINE).await {
        let (frames, mut waiting) = mpsc::channel(WAITING_FRAMES);
        tokio::spawn(answer(text, Arc::clone(&handler), frames));
        while let Some(frame) = waiting.recv().await {
            // invariant: frames hold only serialisable data with string keys
            let mut bytes = serde_json::to_vec(&frame).unwrap_or_default();
            bytes.push(b'\n');
            if write.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }
}

/// One line without its terminator; `None` at the end of the stream, on an error, or when it is too long.
async fn line(read: &mut (impl AsyncBufRead + Unpin), longest: u64) -> Option<String> {
    let mut text = String::new();
    read.take(longest).read_line(&mut text).await.ok()?;
    text.ends_with('\n').then(|| text.trim_end().to_owned())
}

async fn answer(text: String, handler: Arc<dyn Handler>, frames: mpsc::Sender<Frame>) {
    let outcome = match serde_json::from_str::<Request>(&text) {
        Ok(request) => {
            tracing::debug!(?request, "control request");
            handler.handle(request, &Reporter(frames.clone())).await
        }
        // A newer command line may send requests that this server does not know.
        Err(error) => {
            Err(format!("the running server does not understand this request ({error}); is it an older version?"))
        }
    };
    let last = match outcome {
        Ok(value) => Frame::Done(value),
        Err(sentence) => Frame::Failed(sentence),
    };
    let _ = frames.send(last).await;
}
