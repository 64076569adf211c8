//! Syslog (RFC 5424) through the local socket, UDP (RFC 5426) or TCP (RFC 6587, with byte counts). Owns the
//! format. Cannot know whether the receiver keeps the messages.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};

use super::settings::{Routing, duration};
use super::sink::{Attempt, AttemptFuture, Sink};
use super::wording::{cut, line};
use crate::message::alert::{Alert, Severity, Status};

/// The longest message that every receiver should accept, in bytes (RFC 5424, section 6.1).
const MESSAGE: usize = 2048;
/// The longest text, in characters, so that the header and the structured data fit too.
const TEXT: usize = 1000;
/// The longest value in the structured data, in characters.
const VALUE: usize = 100;

/// Settings of syslog.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// Address of the receiver: the path of a socket, `udp:HOST:PORT` or `tcp:HOST:PORT`.
    #[arg(long, value_name = "ADDRESS", default_value = "/dev/log")]
    pub address: Address,
    /// Facility: user, daemon, auth, local0 to local7.
    #[arg(long, value_name = "NAME", default_value = "daemon")]
    pub facility: Facility,
    /// How long sending may take.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// Address of a syslog receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A datagram socket in the file system.
    Path(PathBuf),
    /// `HOST:PORT`; one datagram for each message.
    Udp(String),
    /// `HOST:PORT`; one connection for each message.
    Tcp(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_socket = |address: &str| {
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            matches!(port, Some(Ok(_)))
        };
        match text.split_once(':') {
            _ if text.starts_with('/') => Ok(Self::Path(text.into())),
            Some(("udp", address)) if is_socket(address) => Ok(Self::Udp(address.to_owned())),
            Some(("tcp", address)) if is_socket(address) => Ok(Self::Tcp(address.to_owned())),
            _ => Err("must be the path of a socket, udp:HOST:PORT or tcp:HOST:PORT".to_owned()),
        }
    }
}

/// The number of a facility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility(u8);

impl FromStr for Facility {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        /// The first of eight for local use.
        const LOCAL: u8 = 16;
        let local = || text.strip_prefix("local")?.parse::<u8>().ok().filter(|n| *n < 8);
        match text {
            "user" => Ok(Self(1)),
            "daemon" => Ok(Self(3)),
            "auth" => Ok(Self(4)),
            _ => local().map(|number| Self(LOCAL + number)).ok_or_else(|| {
                "not a facility: must be user, daemon, auth, or local0 to local7".to_owned()
            }),
        }
    }
}

/// A receiver.
pub(super) struct Syslog {
    settings: Settings,
}

impl Syslog {
    pub(super) fn open(settings: &Settings) -> Self {
        Self { settings: settings.clone() }
    }

    fn message(&self, alert: &Alert) -> String {
        let priority = self.settings.facility.0 * 8 + severity(alert);
        let (time, host) = (microseconds(&alert.time), name(&alert.host, 255));
        let process = std::process::id();
        let facts = structured(alert);
        let text = cut(&line(alert), TEXT);
        let mut message = format!(
            "<{priority}>1 {time} {host} wherefore {process} {} {facts} \u{feff}{text}",
            alert.kind.as_str()
        );
        while message.len() > MESSAGE {
            message.pop();
        }
        message
    }

    async fn send(&self, message: &str) -> Result<()> {
        match &self.settings.address {
            Address::Path(path) => {
                let socket = UnixDatagram::unbound()?;
                socket
                    .connect(path)
                    .with_context(|| format!("cannot connect to syslog at {}", path.display()))?;
                socket.send(message.as_bytes()).await?;
            }
            Address::Udp(address) => {
                let target = tokio::net::lookup_host(address).await?.next();
                let target = target.context("the name has no address")?;
                let own = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(own).await?;
                socket.connect(target).await?;
                socket.send(message.as_bytes()).await?;
            }
            Address::Tcp(address) => {
                let mut stream = TcpStream::connect(address).await?;
                let framed = format!("{} {message}", message.len());
                stream.write_all(framed.as_bytes()).await?;
                stream.shutdown().await?;
            }
        }
        Ok(())
    }

    async fn try_once(&self, alert: &Alert) -> Attempt {
        let message = self.message(alert);
        match tokio::time::timeout(self.settings.timeout, self.send(&message)).await {
            Ok(Ok(())) => Attempt::Delivered(format!("{} bytes sent", message.len())),
            Ok(Err(error)) => Attempt::later(error.context("cannot send to syslog")),
            Err(_) => Attempt::later(anyhow::anyhow!("syslog did not accept the message in time")),
        }
    }
}

/// The severity of RFC 5424: critical, warning, notice or informational.
pub(super) fn severity(alert: &Alert) -> u8 {
    match (alert.status, alert.severity) {
        (Status::Resolved, _) => 5,
        (_, Severity::Critical) => 2,
        (_, Severity::Warning) => 4,
        (_, Severity::Info) => 6,
    }
}

/// RFC 5424 allows at most six decimals.
fn microseconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, decimals)) => {
            let digits = decimals.trim_end_matches('Z');
            format!("{seconds}.{}Z", digits.get(..6).unwrap_or(digits))
        }
        None => time.to_owned(),
    }
}

/// Printable ASCII without spaces; `-` if it is empty.
fn name(text: &str, most: usize) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

fn structured(alert: &Alert) -> String {
    let fixed = [
        ("key", alert.key.clone()),
        ("status", alert.status.as_str().to_owned()),
        ("severity", alert.severity.as_str().to_owned()),
        ("src", alert.src.clone()),
        ("dst", alert.dst.clone()),
        ("interface", alert.interface.clone()),
        ("bytes", alert.bytes.to_string()),
        ("probability", alert.probability.to_string()),
    ];
    let shown = |(name, value): &(&str, String)| format!(" {name}=\"{}\"", escaped(value));
    // RFC 5612 reserves this number for documentation. Wherefore has no number of its own.
    format!("[wherefore@32473{}]", fixed.iter().map(shown).collect::<String>())
}

fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for character in cut(value, VALUE).chars() {
        if matches!(character, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(if character.is_control() { ' ' } else { character });
    }
    escaped
}

impl Sink for Syslog {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        Box::pin(self.try_once(alert))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_facilities_are_read() {
        assert_eq!("/dev/log".parse(), Ok(Address::Path("/dev/log".into())));
        assert_eq!("udp:[::1]:514".parse(), Ok(Address::Udp("[::1]:514".to_owned())));
        assert!("udp:host".parse::<Address>().is_err() && "host:1".parse::<Address>().is_err());
        assert_eq!("local7".parse(), Ok(Facility(23)));
        assert!("local8".parse::<Facility>().is_err());
    }

    #[test]
    fn values_are_escaped_and_times_shortened() {
        assert_eq!(escaped("a\"b]c\\d\n"), "a\\\"b\\]c\\\\d ");
        assert_eq!(microseconds("2026-11-24T00:00:00.123456789Z"), "2026-11-24T00:00:00.123456Z");
    }
}
