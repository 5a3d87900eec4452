//! From settings to a running server and back: start, wait, stop.
//!
//! Order at start: settings, logs, port reserved, store opened, keys unlocked, directory loaded, port opened, control
//! socket, `.started` file, start lines. Order at stop: port closed, requests drained, jobs ended, store closed,
//! `Goodbye`, control socket and `.started` file removed.

mod announce;
mod certificate_files;
mod handles;
mod listen;
mod own_hosts;
mod signals;

use crate::app::{self, OpenStore, StartError};
use crate::config::{self, BaseConfig, ConfigError, FrontOpening, Limits, Loaded, Problem, Sources, TlsSource};
use crate::context::Context;
use crate::control::client::Greeting;
use crate::control::endpoint::{ControlFile, Instance, Listener, Transport};
use crate::control::operator::Operator;
use crate::control::server::Handler;
use crate::control::started::{Started, StartedFile};
use crate::domain::entropy::random_bytes;
use crate::domain::loopback::is_loopback;
use crate::fault::Fault;
use crate::http::cdi::Cdi;
use crate::http::fdi::Fdi;
use crate::http::server;
use crate::http::tls::Tls;
use crate::logs::LogFiles;
use crate::stop::{FailSwitch, StopSwitch};
use crate::store::{Fatal, OnProgress};
use crate::{control, jobs, logs};
use announce::Announcer;
use certificate_files::CertificateFiles;
use listen::{ReserveError, Reserved};
use signals::Signals;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Exit code of a server that was stopped without waiting for its requests, or before it served, as in shells for an
/// interrupted command.
const EXIT_FORCED: u8 = 130;

/// The choices of the command line besides settings.
#[derive(Clone)]
pub struct Launch {
    /// The sources of settings.
    pub sources: Sources,
    /// Whether to allow test mode on addresses that others can reach.
    pub dev_anywhere: bool,
    /// Whether `sessiond start` started it: then it leaves the terminal and logs to files.
    pub detached: bool,
    /// Called with the progress of a folder's recovery.
    pub progress: OnProgress,
}

/// Runs a server until it is asked to stop. The exit code is 0 after a graceful stop, 1 when it could not start or the
/// store failed, 130 when it was asked twice, or while its store was still being opened.
#[must_use]
pub fn main(launch: &Launch) -> ExitCode {
    let loaded = match load(launch) {
        Ok(loaded) => loaded,
        Err(error) => return crash(Announcer::plain(), &error),
    };
    let announcer = Announcer::new(&loaded.config.log);
    let guard = match logs::start(&loaded.config.log) {
        Ok(guard) => guard,
        Err(error) => return crash(Announcer::plain(), &error.into()),
    };
    log_panics();
    let mut presence = Presence::default();
    let code = match serve(launch, loaded, announcer, guard.files(), &mut presence) {
        Ok(code) => code,
        Err(error) => crash(announcer, &error),
    };
    // The files by which other processes find this one are removed last: when they are gone, logs are written and the
    // folder is free.
    drop(guard);
    drop(presence);
    code
}

/// Logs a panic like any other line, in the format and destination of the log.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic: {}", panic.payload_as_str().unwrap_or("no message"));
    }));
}

fn crash(announcer: Announcer, error: &StartError) -> ExitCode {
    let causes = match error {
        StartError::Config(ConfigError::Refused(problems)) => problems.iter().map(Problem::line).collect(),
        error => vec![error.to_string()],
    };
    for cause in causes {
        announcer.error(format!("What caused the crash: {cause}"));
    }
    ExitCode::FAILURE
}

fn load(launch: &Launch) -> Result<Loaded, StartError> {
    let mut loaded = config::load(&launch.sources)?;
    let config = &mut loaded.config;
    config::may_bind(&config.host, config.test_mode, launch.dev_anywhere).map_err(StartError::Refused)?;
    if launch.detached {
        detach();
        // The console is gone after the start, so "no path" means our own files. In the foreground it means the
        // console.
        let logs = config.data_dir.join("logs");
        config.log.info_path.get_or_insert_with(|| logs.join("info.log"));
        config.log.error_path.get_or_insert_with(|| logs.join("error.log"));
    }
    Ok(loaded)
}

/// Leaves the terminal's session, so that closing the terminal does not end the server.
fn detach() {
    #[cfg(unix)]
    if let Err(error) = rustix::process::setsid() {
        tracing::warn!(%error, "cannot leave the terminal's session");
    }
}

fn serve(
    launch: &Launch,
    loaded: Loaded,
    announcer: Announcer,
    logs: LogFiles,
    presence: &mut Presence,
) -> Result<ExitCode, StartError> {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("serve")
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let outcome = runtime.block_on(run(launch, Arc::new(loaded.config), announcer, logs, presence));
    if matches!(outcome, Err(StartError::StoreFailed(_))) {
        // Ending its tasks would close the store; see `run`.
        std::mem::forget(runtime);
        return outcome;
    }
    // Blocking work left behind by a second signal must not delay the exit.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

/// How long a server goes on after its store has failed, so that the replies to requests that waited for the disk are
/// sent.
const LAST_REPLIES: Duration = Duration::from_millis(100);

async fn run(
    launch: &Launch,
    config: Arc<BaseConfig>,
    announcer: Announcer,
    logs: LogFiles,
    presence: &mut Presence,
) -> Result<ExitCode, StartError> {
    let stop = StopSwitch::default();
    let certificate = CertificateFiles::of(&config)?;
    let reload = certificate.as_ref().map(|(files, _)| files.reload());
    match Signals::new() {
        Ok(signals) => drop(tokio::spawn(signals::handle(signals, stop.clone(), launch.detached, logs, reload))),
        Err(error) => tracing::warn!(%error, "signals cannot be received; stop with \"sessiond stop\""),
    }
    let reserved = listen::reserve(&config.host, config.port)
        .await
        .map_err(|error| start_error(&config.host, config.port, error))?;
    let front = reserve_front(&config).await?;
    let failure = FailSwitch::default();
    let Some(store) = open_store(&config, &stop, &failure, Arc::clone(&launch.progress)).await? else {
        return Ok(ExitCode::from(EXIT_FORCED));
    };
    let context = Arc::new(app::over(&config, &store).await?);
    let certificate_files = certificate.map(|(files, certificate)| {
        files.adopt(&context, certificate);
        files
    });
    let front = front.map(|reserved| (reserved, certificate_files));
    let mut attending =
        Box::pin(serve_until_stopped(&config, &context, &store, &stop, announcer, (reserved, front), presence));
    let ended = tokio::select! {
        ended = &mut attending => ended,
        reason = failure.failed() => {
            let _ = tokio::time::timeout(LAST_REPLIES, attending).await;
            // The index must not be closed on a failing disk: it would panic, or write. The process ends anyway.
            std::mem::forget(context);
            return Err(StartError::StoreFailed(reason));
        }
    };
    let closing = context.store.close();
    if matches!(ended, Ok(EXIT_FORCED)) {
        // A quick stop has to be quick: what was acknowledged is on disk, and the next start finds it.
        let _ = tokio::time::timeout(Duration::from_secs(1), closing).await;
        return Ok(ExitCode::from(EXIT_FORCED));
    }
    closing.await?;
    let code = ended?;
    announcer.say("Goodbye");
    Ok(ExitCode::from(code))
}

fn start_error(host: &str, port: u16, error: ReserveError) -> StartError {
    let host = host.to_owned();
    match error {
        ReserveError::UnknownHost(source) => StartError::UnknownHost { host, source },
        ReserveError::Bind(source) => StartError::Bind { host, port, source },
    }
}

/// Reserves the front door's port; `None` if the front door stays closed. One that nobody asked for does so, too, when
/// its port is busy: a second server on this machine starts as it always did.
async fn reserve_front(config: &BaseConfig) -> Result<Option<Reserved>, StartError> {
    let front = &config.front;
    if front.opening == FrontOpening::Closed {
        return Ok(None);
    }
    match listen::reserve(&front.host, front.port).await {
        Ok(reserved) => {
            if config.values().is("account_linking", "always") {
                tracing::warn!(
                    "account_linking is always: whoever signs up with somebody else's address is signed in to their \
                     account. Unless addresses are checked elsewhere, set it to verified"
                );
            }
            Ok(Some(reserved))
        }
        Err(ReserveError::Bind(error)) if front.opening == FrontOpening::Development => {
            let port = front.port;
            tracing::warn!(%error, "the front door stays closed: port {port} is not free. Set front_port, or front to off");
            Ok(None)
        }
        Err(error) => Err(start_error(&front.host, front.port, error)),
    }
}

/// Opens the store on a separate thread, because recovery takes time; `None` when asked to stop meanwhile. Recovery may
/// be interrupted at any point.
async fn open_store(
    config: &Arc<BaseConfig>,
    stop: &StopSwitch,
    failure: &FailSwitch,
    progress: OnProgress,
) -> Result<Option<OpenStore>, StartError> {
    let failure = failure.clone();
    let fatal: Fatal = Arc::new(move |reason| failure.fail(reason));
    let config = Arc::clone(config);
    let opening = tokio::task::spawn_blocking(move || OpenStore::open(&config, progress, fatal));
    tokio::select! {
        opened = opening => opened.map_err(|error| Fault::new("opening the store", error))?.map(Some),
        () = stop.clone().pressed(1) => Ok(None),
    }
}

/// The files by which other processes find this server; removed when dropped.
#[derive(Default)]
struct Presence {
    _control: Option<ControlFile>,
    _started: Option<StartedFile>,
}

/// Serves from the time the store is open until the last request is answered.
async fn serve_until_stopped(
    config: &Arc<BaseConfig>,
    context: &Arc<Context>,
    store: &OpenStore,
    stop: &StopSwitch,
    announcer: Announcer,
    (reserved, front): (Reserved, Option<(Reserved, Option<CertificateFiles>)>),
    presence: &mut Presence,
) -> Result<u8, StartError> {
    let cdi = Arc::new(
        Cdi::new(Arc::clone(context), own_hosts::read()).map_err(|error| Fault::new("joining the routes", error))?,
    );
    let port = reserved.port;
    let listeners =
        reserved.open().map_err(|error| start_error(&config.host, config.port, ReserveError::Bind(error)))?;
    let (front, certificate_files) = front.unzip();
    let front_port = front.as_ref().map(|front| front.port);
    let front_listeners = front
        .map(Reserved::open)
        .transpose()
        .map_err(|error| start_error(&config.front.host, config.front.port, ReserveError::Bind(error)))?;
    let operator = Operator::new(
        Arc::clone(context),
        store.clone(),
        Arc::clone(config),
        Greeting::new(config, port),
        stop.clone(),
    );
    let operator = Arc::new(operator);
    *presence = announce_presence(config, context, &operator, port);

    let boot_id = u32::from_be_bytes(random_bytes(&*context.entropy));
    let wanted = [config.limits.connections, config.front.connections];
    let [connections, front_connections] = handles::connections(wanted, front_listeners.is_some());
    let limits = |connections| Limits { connections, ..config.limits };
    let server = server::serve(listeners, limits(connections), boot_id, cdi, None, stop.clone().pressed(1));
    let tls = config.front.tls.as_ref().map(|source| {
        let has_acme = matches!(source, TlsSource::Acme(_));
        Tls::new(Arc::clone(&context.certificates), has_acme)
    });
    let tls = tls.transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let front_door = async {
        if let (Some(listeners), Some(port)) = (front_listeners, front_port) {
            let fdi = Arc::new(Fdi::new(Arc::clone(context), port));
            let limits = limits(front_connections);
            server::serve(listeners, limits, boot_id, fdi, tls, stop.clone().pressed(1)).await;
        }
    };
    let certificates = certificate_files::watch(certificate_files.flatten(), context);
    operator.set_serving(true);
    let address = format!("{}:{port}", config.host);
    let folder = if config.ephemeral { "memory only".to_owned() } else { config.data_dir.display().to_string() };
    let open = who_may_call(config);
    announcer.say(format!("Started sessiond {} on {address}, data: {folder}{open}", env!("CARGO_PKG_VERSION")));
    if let Some(port) = front_port {
        let purpose = if config.is_front_local() {
            " (for development: pages of this machine only; mails that are not sent: /auth/dev/mail)"
        } else {
            ""
        };
        announcer.say(format!("Started the front door on {scheme}://{}:{port}{purpose}", config.front.host));
    }
    // Printed last, and in the original's words: its command line, images and test set-ups wait for a line that begins
    // like this.
    announcer.say(format!("Started SuperTokens on {address} with PID: {}", std::process::id()));

    let jobs = jobs::start(context);
    let code = tokio::select! {
        () = async { tokio::join!(server, front_door, stopping(stop, &operator, announcer)); } => 0,
        () = stop.clone().pressed(2) => EXIT_FORCED,
        never = certificates => match never {},
    };
    jobs.end(context).await;
    Ok(code)
}

/// The part of the start line that states who may call when no key is needed; also warns if anyone on the network may.
fn who_may_call(config: &BaseConfig) -> &'static str {
    if !config.is_open() {
        return "";
    }
    if is_loopback(&config.host) {
        return ", no API key: programs on this machine may call, web pages may not";
    }
    let host = &config.host;
    tracing::warn!(
        "No API key is set: anyone who can reach {host} may call, except for web pages. Set api_keys (openssl rand \
         -hex 20 makes one)"
    );
    ", no API key: anyone who can connect may call, web pages may not"
}

async fn stopping(stop: &StopSwitch, operator: &Operator, announcer: Announcer) {
    stop.clone().pressed(1).await;
    operator.set_serving(false);
    announcer.say("Stopping webserver...");
}

/// Writes the files by which other processes find this one. A server that cannot be controlled still serves, so
/// failures are warnings.
fn announce_presence(config: &BaseConfig, context: &Context, operator: &Arc<Operator>, port: u16) -> Presence {
    let instance = if config.ephemeral { Instance::Ephemeral(std::process::id()) } else { Instance::Store };
    let folder = &config.data_dir;
    let control = Listener::bind(folder, instance, Transport::for_folder(folder), &*context.entropy)
        .inspect_err(|error| tracing::warn!(%error, "no control socket: commands cannot reach this server"))
        .ok();
    let handler: Arc<dyn Handler> = Arc::clone(operator) as _;
    let started =
        Started { host: config.host.clone(), port, pid: std::process::id(), base_path: config.base_path.clone() };
    let started = StartedFile::write(folder, &started)
        .inspect_err(|error| tracing::warn!(%error, "no .started file: sessiond list will not show this server"))
        .ok();
    let control = control.map(|(listener, file)| {
        tokio::spawn(control::server::serve(listener, handler));
        file
    });
    Presence { _control: control, _started: started }
}
