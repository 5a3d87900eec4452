//! An authority that speaks ACME (RFC 8555) and asks for TLS-ALPN-01 (RFC 8737): it checks signatures, nonces and
//! proofs as the documents say, and misbehaves as a test wants.

use crate::authority::{Authority, pem};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use sessiond::http::exchange::{Reply, Request};
use sessiond::http::server::Dispatch;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::aws_lc_rs as provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// How the authority behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Fair,
    /// Takes no orders.
    Refusing,
    /// Answers with something that is no JSON.
    Broken,
    /// Takes no proof.
    Unconvinced,
    /// Offers another kind of challenge.
    WithoutOurChallenge,
    IssuingForOtherKey,
    IssuingForOtherHost,
    IssuingExpired,
    /// Issues text.
    IssuingNonsense,
    /// Takes every other nonce only.
    ForgettingNonces,
}

#[derive(Default)]
struct State {
    mood: Mood,
    requests: usize,
    made: u64,
    nonces: HashSet<String>,
    accounts: Vec<Account>,
    /// Id and key of the account that a new one has to be bound to.
    external: Option<(String, Vec<u8>)>,
    orders: Vec<Order>,
    issued: Vec<Vec<u8>>,
    base: String,
}

struct Account {
    jwk: Value,
    contact: Value,
}

struct Order {
    account: usize,
    host: String,
    token: String,
    /// The state of its only authorization.
    proof: &'static str,
    chain: Option<String>,
}

pub(super) struct AcmeServer {
    authority: Authority,
    state: Mutex<State>,
    front: OnceLock<SocketAddr>,
}

type Answer = Result<Reply, Refusal>;

/// A status, and the kind of problem (RFC 8555, 6.7).
struct Refusal(u16, &'static str);

impl AcmeServer {
    pub(super) fn new() -> Self {
        Self { authority: Authority::new(), state: Mutex::default(), front: OnceLock::new() }
    }

    /// Where it finds every host that it is asked about.
    pub(super) fn reaches(&self, front: SocketAddr) {
        self.front.set(front).expect("one front door");
    }

    pub(super) fn behave(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Opens accounts only for whoever has this one already.
    pub(super) fn demand_external_account(&self, key_id: &str, key: &[u8]) {
        self.state().external = Some((key_id.to_owned(), key.to_vec()));
    }

    pub(super) fn issued(&self) -> Vec<Vec<u8>> {
        self.state().issued.clone()
    }

    pub(super) fn requests(&self) -> usize {
        self.state().requests
    }

    pub(super) fn accounts(&self) -> usize {
        self.state().accounts.len()
    }

    pub(super) fn contacts(&self) -> Vec<Value> {
        self.state().accounts.iter().map(|account| account.contact.clone()).collect()
    }

    /// The hosts of all orders.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.state().orders.iter().map(|order| order.host.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panicked with it")
    }

    async fn answer(&self, request: &Request) -> Answer {
        let path = request.path.trim_start_matches('/');
        let (what, number) = path.split_once('/').unwrap_or((path, "0"));
        let number: usize = number.parse().map_err(|_| Refusal(404, "malformed"))?;
        if self.state().mood == Mood::Broken && what != "dir" {
            return Ok(Reply::text(StatusCode::OK, "<html>We are upgrading.</html>"));
        }
        match (what, &request.method) {
            ("dir", &Method::GET) => return Ok(self.directory()),
            ("nonce", &Method::HEAD) => return Ok(reply(200, &json!({}))),
            (_, &Method::POST) => {}
            _ => return Err(Refusal(405, "malformed")),
        }
        let Signed { account, jwk, payload } = self.verified(request)?;
        if what == "account" {
            return Ok(self.open_account(jwk, &payload));
        }
        let account = account.ok_or(Refusal(400, "malformed"))?;
        if what == "order" && !payload.is_null() {
            return self.take_order(account, &payload);
        }
        if self.state().orders.get(number).is_none_or(|order| order.account != account) {
            return Err(Refusal(404, "malformed"));
        }
        match what {
            "order" => {}
            "authz" => return Ok(self.authorization(number)),
            "challenge" => return Ok(self.challenge(number).await),
            "finalize" => self.issue(number, &payload)?,
            "certificate" => return self.certificate(number),
            _ => return Err(Refusal(404, "malformed")),
        }
        Ok(reply(200, &order_document(&self.state(), number)))
    }

    fn directory(&self) -> Reply {
        let base = self.state().base.clone();
        let at = |name: &str| format!("{base}/{name}");
        let (nonce, account, order, revoke) = (at("nonce"), at("account"), at("order"), at("revoke"));
        reply(200, &json!({"newNonce": nonce, "newAccount": account, "newOrder": order, "revokeCert": revoke}))
    }

    /// Checks a request's signature, nonce and URL (RFC 8555, 6).
    fn verified(&self, request: &Request) -> Result<Signed, Refusal> {
        let malformed = || Refusal(400, "malformed");
        let kind = request.headers.get("content-type").and_then(|value| value.to_str().ok());
        if kind != Some("application/jose+json") {
            return Err(Refusal(415, "malformed"));
        }
        let jws: Value = serde_json::from_slice(&request.body).map_err(|_| malformed())?;
        let part = |name: &str| jws[name].as_str().ok_or_else(malformed);
        let decoded = |text: &str| BASE64.decode(text).map_err(|_| malformed());
        let protected: Value = serde_json::from_slice(&decoded(part("protected")?)?).map_err(|_| malformed())?;
        let mut state = self.state();
        let url = format!("{}{}", state.base, request.path);
        if protected["alg"] != "ES256" || protected["url"] != url.as_str() {
            return Err(malformed());
        }
        let is_known = state.nonces.remove(protected["nonce"].as_str().unwrap_or_default());
        let is_forgotten = state.mood == Mood::ForgettingNonces && state.requests.is_multiple_of(2);
        if !is_known || is_forgotten {
            return Err(Refusal(400, "badNonce"));
        }
        let account = protected["kid"].as_str().map(|kid| {
            let number = kid.strip_prefix(&format!("{}/account/", state.base)).and_then(|text| text.parse().ok());
            number.filter(|number: &usize| *number < state.accounts.len()).ok_or(Refusal(400, "accountDoesNotExist"))
        });
        let account = account.transpose()?;
        let jwk = match account {
            Some(number) => state.accounts[number].jwk.clone(),
            None => protected["jwk"].clone(),
        };
        let coordinate = |name: &str| decoded(jwk[name].as_str().unwrap_or_default());
        let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
        let signed = format!("{}.{}", part("protected")?, part("payload")?);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &decoded(part("signature")?)?)
            .map_err(|_| Refusal(401, "unauthorized"))?;
        let payload = decoded(part("payload")?)?;
        let payload =
            if payload.is_empty() { Value::Null } else { serde_json::from_slice(&payload).map_err(|_| malformed())? };
        Ok(Signed { account, jwk, payload })
    }

    fn open_account(&self, jwk: Value, payload: &Value) -> Reply {
        if payload["termsOfServiceAgreed"] != true {
            return Refusal(403, "userActionRequired").reply();
        }
        let mut state = self.state();
        if let Some((key_id, key)) = &state.external
            && !is_bound(&payload["externalAccountBinding"], &jwk, (key_id, key), &format!("{}/account", state.base))
        {
            return Refusal(403, "externalAccountRequired").reply();
        }
        state.accounts.push(Account { jwk, contact: payload["contact"].clone() });
        let location = format!("{}/account/{}", state.base, state.accounts.len() - 1);
        with(reply(201, &json!({"status": "valid"})), "location", &location)
    }

    fn take_order(&self, account: usize, payload: &Value) -> Answer {
        let identifiers = payload["identifiers"].as_array().ok_or(Refusal(400, "malformed"))?;
        let [identifier] = identifiers.as_slice() else { return Err(Refusal(400, "malformed")) };
        let host = identifier["value"].as_str().unwrap_or_default().to_owned();
        let mut state = self.state();
        let token = BASE64.encode(Sha256::digest(format!("{host} {}", state.orders.len())));
        let is_refused = state.mood == Mood::Refusing || host == "refused.test";
        state.orders.push(Order { account, host, token, proof: "pending", chain: None });
        if is_refused {
            return Err(Refusal(429, "rateLimited"));
        }
        let number = state.orders.len() - 1;
        let location = format!("{}/order/{number}", state.base);
        Ok(with(reply(201, &order_document(&state, number)), "location", &location))
    }

    fn authorization(&self, number: usize) -> Reply {
        let state = self.state();
        let Order { host, proof, .. } = &state.orders[number];
        let challenge = challenge_document(&state, number);
        reply(200, &json!({"identifier": {"type": "dns", "value": host}, "status": proof, "challenges": [challenge]}))
    }

    /// Connects to the host and looks at what it shows.
    async fn challenge(&self, number: usize) -> Reply {
        let (host, expected) = {
            let state = self.state();
            let Order { host, token, account, .. } = &state.orders[number];
            (host.clone(), Sha256::digest(format!("{token}.{}", thumbprint(&state.accounts[*account].jwk))))
        };
        let found = shown(*self.front.get().expect("a front door"), &host, &["acme-tls/1"]).await;
        // id-pe-acmeIdentifier, critical, with the hash in an octet string (RFC 8737, 3).
        let mut extension = vec![6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 0x1f, 1, 1, 0xff, 4, 0x22, 4, 0x20];
        extension.extend_from_slice(&expected);
        let holds = |der: &[u8], part: &[u8]| der.windows(part.len()).any(|window| window == part);
        let is_proof = found.is_some_and(|der| holds(&der, &extension) && holds(&der, host.as_bytes()));
        let mut state = self.state();
        let is_convinced = is_proof && state.mood != Mood::Unconvinced;
        state.orders[number].proof = if is_convinced { "valid" } else { "invalid" };
        reply(200, &challenge_document(&state, number))
    }

    fn issue(&self, number: usize, payload: &Value) -> Result<(), Refusal> {
        let mut state = self.state();
        if state.orders[number].proof != "valid" {
            return Err(Refusal(403, "orderNotReady"));
        }
        let request = BASE64.decode(payload["csr"].as_str().unwrap_or_default()).map_err(|_| Refusal(400, "badCSR"))?;
        let host = state.orders[number].host.clone();
        let name = if state.mood == Mood::IssuingForOtherHost { "other.test" } else { &host };
        let until = if state.mood == Mood::IssuingExpired { (2023, 11) } else { (2024, 2) };
        let certificate = match state.mood {
            Mood::IssuingForOtherKey => self.authority.issue_between(&[name], (2023, 11), until).certificate,
            mood => {
                let from = if mood == Mood::IssuingExpired { (2023, 8) } else { (2023, 11) };
                self.authority.issue_to(&request, &host, name, from, until).ok_or(Refusal(400, "badCSR"))?
            }
        };
        let chain = pem("CERTIFICATE", &certificate) + &pem("CERTIFICATE", &self.authority.der);
        let is_nonsense = state.mood == Mood::IssuingNonsense;
        state.orders[number].chain = Some(if is_nonsense { "Thank you for your order.".to_owned() } else { chain });
        state.issued.push(certificate);
        Ok(())
    }

    fn certificate(&self, number: usize) -> Answer {
        let chain = self.state().orders[number].chain.clone().ok_or(Refusal(404, "malformed"))?;
        Ok(Reply::bare(StatusCode::OK, "application/pem-certificate-chain", chain.into()))
    }
}

struct Signed {
    account: Option<usize>,
    jwk: Value,
    /// Null for an empty one.
    payload: Value,
}

impl Dispatch for AcmeServer {
    async fn dispatch(&self, request: Request) -> Reply {
        {
            let mut state = self.state();
            state.requests += 1;
            let host = request.headers.get("host").and_then(|value| value.to_str().ok()).expect("a host");
            state.base = format!("http://{host}");
        }
        let answer = self.answer(&request).await.unwrap_or_else(|refusal| refusal.reply());
        let mut state = self.state();
        state.made += 1;
        let nonce = BASE64.encode(format!("nonce {}", state.made));
        state.nonces.insert(nonce.clone());
        with(answer, "replay-nonce", &nonce)
    }
}

/// Checks the binding of a new account (RFC 8555, 7.3.4).
fn is_bound(binding: &Value, jwk: &Value, (key_id, key): (&str, &[u8]), url: &str) -> bool {
    let part = |name: &str| binding[name].as_str().unwrap_or_default();
    let json = |text: &str| BASE64.decode(text).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let signed = format!("{}.{}", part("protected"), part("payload"));
    let signature = BASE64.decode(part("signature")).unwrap_or_default();
    let is_genuine = hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes(), &signature).is_ok();
    let protected = json(part("protected")).unwrap_or_default();
    is_genuine
        && protected == json!({"alg": "HS256", "kid": key_id, "url": url})
        && json(part("payload")).as_ref() == Some(jwk)
}

fn order_document(state: &State, number: usize) -> Value {
    let (base, order) = (&state.base, &state.orders[number]);
    let status = match (order.proof, &order.chain) {
        ("invalid", _) => "invalid",
        (_, Some(_)) => "valid",
        ("valid", None) => "ready",
        _ => "pending",
    };
    let mut document = json!({
        "status": status,
        "identifiers": [{"type": "dns", "value": order.host}],
        "authorizations": [format!("{base}/authz/{number}")],
        "finalize": format!("{base}/finalize/{number}"),
    });
    if order.chain.is_some() {
        document["certificate"] = format!("{base}/certificate/{number}").into();
    }
    document
}

fn challenge_document(state: &State, number: usize) -> Value {
    let Order { token, proof, .. } = &state.orders[number];
    let kind = if state.mood == Mood::WithoutOurChallenge { "dns-01" } else { "tls-alpn-01" };
    json!({"type": kind, "url": format!("{}/challenge/{number}", state.base), "token": token, "status": proof})
}

/// RFC 7638.
fn thumbprint(jwk: &Value) -> String {
    let text = format!("{{\"crv\":{},\"kty\":{},\"x\":{},\"y\":{}}}", jwk["crv"], jwk["kty"], jwk["x"], jwk["y"]);
    BASE64.encode(Sha256::digest(text))
}

fn reply(status: u16, body: &Value) -> Reply {
    let status = StatusCode::from_u16(status).expect("a status");
    Reply::bare(status, "application/json", body.to_string().into_bytes().into())
}

impl Refusal {
    fn reply(&self) -> Reply {
        let Self(status, kind) = self;
        let kind = format!("urn:ietf:params:acme:error:{kind}");
        reply(*status, &json!({"type": kind, "detail": "as asked", "status": status}))
    }
}

fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    reply.headers.push((HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")));
    reply
}

/// The certificate that a client sees which asks for this host and speaks these protocols; `None` if the handshake
/// fails or another protocol is chosen.
pub(super) async fn shown(address: SocketAddr, host: &str, protocols: &[&str]) -> Option<Vec<u8>> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions");
    let mut config = config.dangerous().with_custom_certificate_verifier(Arc::new(Trusting)).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(host.to_owned()).expect("a name");
    let stream = TcpStream::connect(address).await.expect("the front door accepts");
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let session = stream.get_ref().1;
    session.alpn_protocol().filter(|agreed| protocols.iter().any(|offered| offered.as_bytes() == *agreed))?;
    let certificate = session.peer_certificates()?.first()?.to_vec();
    if protocols == ["acme-tls/1"] {
        // RFC 8737, 3: such a connection carries nothing, or requests would pass a certificate that nobody has issued.
        let mut said = Vec::new();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: front.test\r\nconnection: close\r\n\r\n").await;
        let _ = stream.read_to_end(&mut said).await;
        assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
    }
    Some(certificate)
}

/// Trusts everybody: what is shown is compared, not believed.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
