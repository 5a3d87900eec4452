//! An SMTP server of the tests' own: plain or with TLS, on a free port of the loopback interface, and as unpleasant as a
//! test wants.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a test waits for a mail.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the server says, and where it fails.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    /// Its first line.
    pub(crate) greeting: String,
    /// Its extensions, besides its name.
    pub(crate) extensions: Vec<String>,
    /// Its reply to a sign-in.
    pub(crate) signed_in: String,
    /// Its reply to a recipient.
    pub(crate) recipient: String,
    /// Its reply to the end of a mail.
    pub(crate) taken: String,
    /// Closes the connection in place of the reply to this command (`CONNECT`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`,
    /// `.`); a mail that was transmitted is taken all the same.
    pub(crate) hang_up_at: Option<&'static str>,
    /// Never answers this command.
    pub(crate) silent_at: Option<&'static str>,
    /// How it speaks TLS, if it does.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Whether TLS begins with the connection, and not with `STARTTLS`.
    pub(crate) is_implicit: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            greeting: "220 mx.test ESMTP".to_owned(),
            extensions: vec!["8BITMIME".to_owned(), "AUTH PLAIN LOGIN".to_owned()],
            signed_in: "235 2.7.0 welcome".to_owned(),
            recipient: "250 2.1.5 ok".to_owned(),
            taken: "250 2.0.0 queued as 4711".to_owned(),
            hang_up_at: None,
            silent_at: None,
            tls: None,
            is_implicit: false,
        }
    }
}

/// A mail that was transmitted completely.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// The account and password that were given.
    pub(crate) account: Option<(String, String)>,
    /// The arguments of `MAIL`.
    pub(crate) from: String,
    /// The arguments of each `RCPT`.
    pub(crate) to: Vec<String>,
    /// The mail itself, lines ended by `\n`.
    pub(crate) data: String,
    /// Whether it came over TLS.
    pub(crate) is_encrypted: bool,
    /// When its last line had arrived.
    pub(crate) at: Option<Instant>,
}

struct Shared {
    manners: Mutex<Manners>,
    received: Mutex<Vec<Received>>,
    arrived: Condvar,
    connections: Mutex<usize>,
    /// Lines that came without TLS.
    in_the_clear: Mutex<Vec<String>>,
}

/// The running server; stops listening when dropped.
pub(crate) struct SmtpServer {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl SmtpServer {
    pub(crate) fn start() -> Self {
        Self::with(Manners::default())
    }

    pub(crate) fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            manners: Mutex::new(manners),
            received: Mutex::default(),
            arrived: Condvar::new(),
            connections: Mutex::default(),
            in_the_clear: Mutex::default(),
        });
        let weak = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(shared) = weak.upgrade() else { return };
                *lock(&shared.connections) += 1;
                // The client may go away at any time.
                std::thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { port, shared }
    }

    /// Changes what it says from the next connection on.
    pub(crate) fn behave(&self, manners: Manners) {
        *lock(&self.shared.manners) = manners;
    }

    /// The mails so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// The connections so far.
    pub(crate) fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }

    /// The lines that came without TLS so far.
    pub(crate) fn in_the_clear(&self) -> Vec<String> {
        lock(&self.shared.in_the_clear).clone()
    }

    /// Waits until it has so many mails.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        let (deadline, mut received) = (Instant::now() + PATIENCE, lock(&self.shared.received));
        while received.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {count} mails in {PATIENCE:?}", received.len());
            received = self.shared.arrived.wait_timeout(received, left).unwrap().0;
        }
        received.clone()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // Wakes the listener, which then finds nobody left to serve for.
        let port = self.port;
        std::thread::spawn(move || TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection, before or after it is encrypted.
enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Line {
    fn encrypted(self, config: &Arc<ServerConfig>) -> Self {
        match self {
            Self::Plain(stream) => {
                let session = ServerConnection::new(Arc::clone(config)).unwrap();
                Self::Tls(Box::new(StreamOwned::new(session, stream)))
            }
            Self::Tls(_) => panic!("it is encrypted already"),
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A conversation with one client.
struct Conversation {
    reader: BufReader<Line>,
    manners: Manners,
}

impl Conversation {
    /// Replies to a command, if the manners allow it; `None` ends the conversation.
    fn reply(&mut self, command: &str, text: &str) -> Option<()> {
        if self.manners.silent_at == Some(command) {
            // Until the client goes away.
            while self.line().is_some() {}
            return None;
        }
        if self.manners.hang_up_at == Some(command) {
            return None;
        }
        self.write(text)
    }

    fn write(&mut self, text: &str) -> Option<()> {
        let line = self.reader.get_mut();
        line.write_all(format!("{text}\r\n").as_bytes()).and_then(|()| line.flush()).ok()
    }

    fn is_encrypted(&self) -> bool {
        matches!(self.reader.get_ref(), Line::Tls(_))
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Asks for a part of a sign-in.
    fn ask(&mut self, prompt: &str) -> Option<String> {
        self.write(&format!("334 {}", STANDARD.encode(prompt)))?;
        Some(decoded(&self.line()?))
    }

    fn data(&mut self) -> Option<String> {
        let mut data = String::new();
        loop {
            match self.line()?.as_str() {
                "." => return Some(data),
                line => data.push_str(line.strip_prefix('.').unwrap_or(line)),
            }
            data.push('\n');
        }
    }

    fn account(&mut self, arguments: &str) -> Option<(String, String)> {
        if let Some(initial) = arguments.strip_prefix("PLAIN ") {
            let text = decoded(initial);
            let mut parts = text.split('\0').skip(1).map(str::to_owned);
            return Some((parts.next()?, parts.next()?));
        }
        Some((self.ask("Username:")?, self.ask("Password:")?))
    }
}

fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

fn serve(stream: TcpStream, shared: &Shared) -> Option<()> {
    let manners = lock(&shared.manners).clone();
    let tls = manners.tls.clone();
    let mut line = Line::Plain(stream);
    if let Some(config) = tls.as_ref().filter(|_| manners.is_implicit) {
        line = line.encrypted(config);
    }
    let mut with = Conversation { reader: BufReader::new(line), manners };
    with.reply("CONNECT", &with.manners.greeting.clone())?;
    let mut mail = Received::default();
    loop {
        let line = with.line()?;
        if !with.is_encrypted() {
            lock(&shared.in_the_clear).push(line.clone());
        }
        let (command, arguments) = line.split_once(' ').unwrap_or((&line, ""));
        match command.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let mut lines = vec!["mx.test".to_owned()];
                lines.extend(with.manners.extensions.clone());
                let last = lines.len() - 1;
                let text = lines
                    .iter()
                    .enumerate()
                    .map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }));
                with.reply("EHLO", &text.collect::<Vec<_>>().join("\r\n"))?;
            }
            "STARTTLS" => {
                with.reply("STARTTLS", "220 go on")?;
                let Conversation { reader, manners } = with;
                let line = reader.into_inner().encrypted(tls.as_ref()?);
                with = Conversation { reader: BufReader::new(line), manners };
            }
            "AUTH" => {
                mail.account = with.account(arguments);
                with.reply("AUTH", &with.manners.signed_in.clone())?;
            }
            "MAIL" => {
                mail = Received { account: mail.account, from: arguments.to_owned(), ..Received::default() };
                with.reply("MAIL", "250 ok")?;
            }
            "RCPT" => {
                mail.to.push(arguments.to_owned());
                with.reply("RCPT", &with.manners.recipient.clone())?;
            }
            "DATA" => {
                with.reply("DATA", "354 go on")?;
                mail.data = with.data()?;
                mail.is_encrypted = with.is_encrypted();
                mail.at = Some(Instant::now());
                if with.manners.taken.starts_with('2') {
                    lock(&shared.received).push(mail.clone());
                    shared.arrived.notify_all();
                }
                with.reply(".", &with.manners.taken.clone())?;
            }
            "QUIT" => return with.reply("QUIT", "221 bye"),
            _ => with.reply("", "250 ok")?,
        }
    }
}

impl Received {
    /// The lines of the header, unfolded.
    pub(crate) fn headers(&self) -> Vec<String> {
        let head = self.data.split("\n\n").next().unwrap();
        head.replace("\n ", " ").replace("\n\t", " ").lines().map(str::to_owned).collect()
    }

    /// The value of a header.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let found: Vec<_> =
            self.headers().iter().filter_map(|line| line.strip_prefix(&start).map(str::to_owned)).collect();
        assert_eq!(found.len(), 1, "{name} in {}", self.data);
        found[0].clone()
    }

    /// The decoded part with this content type.
    #[track_caller]
    pub(crate) fn part(&self, content_type: &str) -> String {
        let kind = self.header("Content-Type");
        let boundary = kind.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        for part in self.data.split(&format!("--{boundary}")).skip(1) {
            let Some((head, body)) = part.split_once("\n\n") else { continue };
            if head.contains(content_type) {
                return match head {
                    _ if head.contains("quoted-printable") => unquoted(body),
                    _ if head.contains("base64") => decoded(&body.replace('\n', "")),
                    _ => body.to_owned(),
                };
            }
        }
        panic!("no {content_type} in {}", self.data);
    }
}

/// Undoes the quoted-printable encoding.
fn unquoted(text: &str) -> String {
    let (text, mut bytes) = (text.replace("=\n", ""), Vec::new());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
