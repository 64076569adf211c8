//! The address of a receiver. Owns its spelling, and the address for each kind of data.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use crate::output::sinks::http::proxies;

/// The ports of the protocol over HTTP and over gRPC (IANA), and of TLS.
const HTTP: u16 = 4318;
const GRPC: u16 = 4317;
const TLS: u16 = 443;

/// The kinds of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Logs,
    Metrics,
}

/// A receiver of OpenTelemetry's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// With `http` or `https`, and without a `/` at the end of the path.
    base: String,
    port: u16,
    is_grpc: bool,
    is_tls: bool,
}

impl Receiver {
    /// The TCP port to connect to; `None` if it is that of a proxy of the environment.
    pub fn tcp_port(&self) -> Option<u16> {
        let is_direct = self.is_grpc || proxies().is_empty();
        is_direct.then_some(self.port)
    }

    /// Whether it is gRPC, else HTTP.
    pub(super) fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    pub(super) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The address for this kind of data.
    ///
    /// # Errors
    /// If the host is no name.
    pub(super) fn url(&self, signal: Signal) -> Result<Url, String> {
        let path = match (self.is_grpc, signal) {
            (false, Signal::Logs) => "/v1/logs",
            (false, Signal::Metrics) => "/v1/metrics",
            (true, Signal::Logs) => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            (true, Signal::Metrics) => {
                "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
            }
        };
        Url::parse(&format!("{}{path}", self.base)).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base.strip_prefix("http").filter(|_| self.is_grpc) {
            Some(rest) => write!(f, "grpc{rest}"),
            None => f.write_str(&self.base),
        }
    }
}

impl FromStr for Receiver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not http://HOST:PORT, https://, grpc:// or grpcs://".to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (is_grpc, is_tls, port) = match scheme {
            "http" => (false, false, HTTP),
            "https" => (false, true, TLS),
            "grpc" => (true, false, GRPC),
            "grpcs" => (true, true, TLS),
            _ => return Err(wrong()),
        };
        // A scheme without a port of its own, as the port may be absent.
        let given = Url::parse(&format!("otlp://{rest}")).map_err(|_| wrong())?;
        if !given.username().is_empty() || given.password().is_some() {
            return Err("credentials belong in --otlp-header".to_owned());
        }
        let path = given.path().trim_end_matches('/');
        let is_plain = given.query().is_none() && given.fragment().is_none();
        let host = given.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let port = given.port().unwrap_or(port);
        if !is_plain || port == 0 || (is_grpc && !path.is_empty()) {
            return Err(wrong());
        }
        let base = format!("http{}://{host}:{port}{path}", if is_tls { "s" } else { "" });
        let receiver = Self { base, port, is_grpc, is_tls };
        receiver.url(Signal::Logs).map(|_| receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for (text, shown, logs) in [
            ("http://collector", "http://collector:4318", "http://collector:4318/v1/logs"),
            ("http://h:80/otlp/", "http://h:80/otlp", "http://h/otlp/v1/logs"),
            ("https://h/a/b", "https://h:443/a/b", "https://h/a/b/v1/logs"),
            (
                "http://[2001:db8::1]:99",
                "http://[2001:db8::1]:99",
                "http://[2001:db8::1]:99/v1/logs",
            ),
        ] {
            let receiver: Receiver = text.parse().unwrap();
            assert_eq!(receiver.to_string(), shown);
            assert_eq!(receiver.url(Signal::Logs).unwrap().as_str(), logs);
        }
        for (text, shown) in [
            ("grpc://192.0.2.1", "grpc://192.0.2.1:4317"),
            ("grpcs://h/", "grpcs://h:443"),
            ("grpc://h:4319", "grpc://h:4319"),
        ] {
            assert_eq!(text.parse::<Receiver>().unwrap().to_string(), shown);
        }
        for wrong in [
            "h:4318",
            "udp://h",
            "http://",
            "http://h:0",
            "http://h:x",
            "grpc://h/path",
            "http://h?a=b",
            "http://h#a",
            "http://a b/",
        ] {
            assert!(wrong.parse::<Receiver>().is_err(), "{wrong}");
        }
        let error = "https://user:pass@h".parse::<Receiver>().unwrap_err();
        assert!(error.contains("--otlp-header"), "{error}");
    }
}
