//! Executes control requests on the running server.

use crate::app::OpenStore;
use crate::config::BaseConfig;
use crate::context::Context;
use crate::control::client::Greeting;
use crate::control::server::{Handler, Reporter};
use crate::control::task_context::TaskContext;
use crate::control::{Request, doctor, tasks, upkeep};
use crate::stop::StopSwitch;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What control requests act on.
pub struct Operator {
    context: Arc<Context>,
    store: OpenStore,
    config: Arc<BaseConfig>,
    greeting: Greeting,
    serving: AtomicBool,
    stop: StopSwitch,
}

impl Operator {
    /// An operator for a server that does not serve yet.
    #[must_use]
    pub fn new(
        context: Arc<Context>,
        store: OpenStore,
        config: Arc<BaseConfig>,
        greeting: Greeting,
        stop: StopSwitch,
    ) -> Self {
        Self { context, store, config, greeting, serving: AtomicBool::new(false), stop }
    }

    /// Records whether requests are answered now.
    pub fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Release);
    }

    /// Ready means that requests are answered and the store can be read.
    async fn greeting(&self) -> Greeting {
        let mut greeting = self.greeting.clone();
        greeting.reason = if self.serving.load(Ordering::Acquire) {
            let probe = crate::store::Key::of(crate::store::Keyspace::Meta);
            self.context.store.begin().get(&probe).await.err().map(|error| error.to_string())
        } else {
            Some("starting or stopping".to_owned())
        };
        greeting.ready = greeting.reason.is_none();
        greeting
    }
}

#[async_trait]
impl Handler for Operator {
    async fn handle(&self, request: Request, progress: &Reporter) -> Result<Value, String> {
        match request {
            Request::Ready => Ok(json!(self.greeting().await)),
            Request::Stop => {
                self.stop.press();
                Ok(json!({ "pid": self.greeting.pid }))
            }
            Request::Config => Ok(effective(&self.config)),
            Request::Doctor => doctor::examine(&self.context).await,
            Request::Backup { to } => upkeep::backup(&self.store, to, progress.as_report()).await,
            Request::Compact => upkeep::compact(&self.store, progress.as_report()).await,
            Request::Check => upkeep::check(&self.store, progress.as_report()).await,
            Request::Task(task) => {
                let task_context = TaskContext { context: &self.context, report: progress.as_report(), served: true };
                tasks::run(&task_context, task).await
            }
        }
    }
}

/// Settings as `sessiond config` shows them.
#[must_use]
pub fn effective(config: &BaseConfig) -> Value {
    let settings = config.effective_settings().into_iter();
    let rows: Vec<Value> = settings
        .map(|setting| json!({ "key": setting.key, "value": setting.value, "from": setting.origin.to_string() }))
        .collect();
    let file = config.config_path.as_ref().map(|path| path.display().to_string());
    json!({ "configFile": file, "settings": rows })
}
