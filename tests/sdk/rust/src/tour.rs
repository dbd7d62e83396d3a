//! What every chapter of the tour uses: connections to the broker under test, and checks that name what is wrong.
use iggy::prelude::*;
use std::fmt::{self, Debug, Display};
use std::panic::Location;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

pub const ROOT: (&str, &str) = ("iggy", "iggy");
/// Options for a client that calls while a poll of its consumer is given up half-way. The poll may be where it holds back all
/// other calls (see `consume_by_callback`), but only if another task calls in that moment: here the heartbeat would.
pub const NO_HEARTBEAT: &str = "?heartbeat_interval=1h";
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// Where the end may never come.
const QUIC_END_TIMEOUT: Duration = Duration::from_secs(10);
/// A chapter takes seconds, on a busy machine up to half a minute.
const CHAPTER_TIMEOUT: Duration = Duration::from_secs(90);

/// Why a step failed, with the line of the tour.
pub struct Failure(String);

pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    #[track_caller]
    pub fn new(message: impl Display) -> Self {
        Self(format!("{}: {message}", Location::caller()))
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(format!("unexpected error {error:?} ({error})"))
    }
}

/// The step that was reported last.
static LAST_STEP: Mutex<Option<String>> = Mutex::new(None);

/// Reports a step whose checks all held.
pub fn ok(step: &str) {
    println!("ok {step}");
    *LAST_STEP.lock().unwrap_or_else(PoisonError::into_inner) = Some(step.to_owned());
}

/// Runs the steps of a chapter: the calls of the SDK have no limit of time of their own.
pub async fn chapter(name: &str, steps: impl Future<Output = Outcome>) -> Outcome {
    if let Ok(outcome) = timeout(CHAPTER_TIMEOUT, steps).await {
        return outcome;
    }
    let last = LAST_STEP.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
    let limit = CHAPTER_TIMEOUT.as_secs();
    Err(Failure::new(format!("the chapter {name} did not end within {limit} s; the last step was \"{last}\"")))
}

#[track_caller]
pub fn equal<T: PartialEq + Debug>(what: &str, actual: T, expected: T) -> Outcome {
    if actual == expected {
        return Ok(());
    }
    Err(Failure::new(format!("{what} is {actual:?} instead of {expected:?}")))
}

#[track_caller]
pub fn holds(what: &str, condition: bool) -> Outcome {
    if condition {
        return Ok(());
    }
    Err(Failure::new(format!("this does not hold: {what}")))
}

#[track_caller]
pub fn present<T>(what: &str, value: Option<T>) -> Outcome<T> {
    value.ok_or_else(|| Failure::new(format!("{what} is absent")))
}

/// The call must fail with this error number of the protocol.
#[track_caller]
pub fn refused<T: Debug>(what: &str, result: Result<T, IggyError>, code: u32) -> Outcome {
    match result {
        Ok(value) => Err(Failure::new(format!("{what} succeeded with {value:?} instead of error {code}"))),
        Err(error) => equal(&format!("the error of: {what} ({error})"), number_of(&error), code),
    }
}

/// Over HTTP the SDK hands on the body, which has the number of the error as `"id":42`.
fn number_of(error: &IggyError) -> u32 {
    let (IggyError::HttpResponseError(_, body) | IggyError::ResourceNotFound(body)) = error else {
        return error.as_code();
    };
    let id = body.split("\"id\":").nth(1).unwrap_or_default();
    let digits: String = id.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(error.as_code())
}

/// Waits until `condition` gives true, which what a background task of the SDK does takes a moment to bring about.
pub async fn eventually(what: &str, condition: impl AsyncFn() -> Outcome<bool>) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition().await? {
        if Instant::now() > deadline {
            return Err(Failure::new(format!("this did not happen within 10 seconds: {what}")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

pub fn id(name: &str) -> Outcome<Identifier> {
    Ok(Identifier::named(name)?)
}

pub fn number(value: u32) -> Outcome<Identifier> {
    Ok(Identifier::numeric(value)?)
}

#[derive(Clone, Copy, PartialEq)]
pub enum Transport {
    Tcp,
    Quic,
    WebSocket,
    Http,
}

impl FromStr for Transport {
    type Err = Failure;

    fn from_str(name: &str) -> Outcome<Self> {
        match name {
            "tcp" => Ok(Self::Tcp),
            "quic" => Ok(Self::Quic),
            "ws" => Ok(Self::WebSocket),
            "http" => Ok(Self::Http),
            _ => Err(Failure::new(format!("unknown transport {name}: tcp, quic, ws or http"))),
        }
    }
}

/// The broker under test.
pub struct Tour {
    pub transport: Transport,
    pub address: String,
}

impl Tour {
    /// Whether a client is one connection, with a session: HTTP has no `me`, and none of its clients can be a member.
    pub fn has_sessions(&self) -> bool {
        self.transport != Transport::Http
    }

    /// A connected client that is not logged in.
    pub async fn guest(&self) -> Outcome<IggyClient> {
        let address = self.address.clone();
        // The SDK answers error 40 by connecting again, by default only 5 seconds after it last did.
        let at_once = IggyDuration::from(0);
        let client = match self.transport {
            Transport::Tcp => {
                IggyClient::builder().with_tcp().with_server_address(address).with_reestablish_after(at_once).build()?
            }
            Transport::Quic => IggyClient::builder()
                .with_quic()
                .with_server_address(address)
                .with_reestablish_after(at_once)
                .build()?,
            Transport::WebSocket => IggyClient::builder()
                .with_websocket()
                .with_server_address(address)
                .with_reestablish_after(at_once)
                .build()?,
            Transport::Http => IggyClient::builder().with_http().with_api_url(format!("http://{address}")).build()?,
        };
        client.connect().await?;
        Ok(client)
    }

    /// A client that logged in by name and password.
    pub async fn login(&self, (username, password): (&str, &str)) -> Outcome<IggyClient> {
        let client = self.guest().await?;
        client.login_user(username, password).await?;
        Ok(client)
    }

    /// Ends a client.
    pub async fn end(&self, client: &IggyClient) -> Outcome {
        self.ended("shutdown", client.shutdown()).await
    }

    /// Ends the connection of a client.
    pub async fn disconnect(&self, client: &IggyClient) -> Outcome {
        self.ended("disconnect", client.disconnect()).await
    }

    /// Over QUIC the SDK waits until its endpoint has no connection: a heartbeat in that moment makes a new one, and then it
    /// waits for ever, with nothing left to do.
    async fn ended(&self, what: &str, ending: impl Future<Output = Result<(), IggyError>>) -> Outcome {
        let is_quic = self.transport == Transport::Quic;
        match timeout(if is_quic { QUIC_END_TIMEOUT } else { END_TIMEOUT }, ending).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) if is_quic => Ok(()),
            Err(_) => Err(Failure::new(format!("the {what} of a client does not end"))),
        }
    }

    /// A client from a connection string, with `options` at its end, which logs in by itself when it connects.
    pub async fn with_credentials(&self, credentials: &str, options: &str) -> Outcome<IggyClient> {
        let protocol = match self.transport {
            Transport::Tcp => "tcp",
            Transport::Quic => "quic",
            Transport::WebSocket => "ws",
            Transport::Http => "http",
        };
        let text = format!("iggy+{protocol}://{credentials}@{}{options}", self.address);
        let client = IggyClient::from_connection_string(&text)?;
        client.connect().await?;
        Ok(client)
    }
}
