//! The brokers and the topic. Owns their spelling.

use std::fmt;
use std::str::FromStr;

/// The usual port of brokers.
const PORT: u16 = 9092;
/// The longest name of a topic.
const LONGEST: usize = 249;

/// Brokers, of which one that answers is enough, and the topic of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    brokers: Vec<String>,
    pub(super) topic: Topic,
}

/// The name of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic(pub(super) String);

impl Target {
    /// As librdkafka wants them.
    pub(super) fn brokers(&self) -> String {
        self.brokers.join(",")
    }

    /// The topic of alerts, unless another one is named.
    pub(super) fn alert_topic(&self) -> Topic {
        Topic(format!("{}-alerts", self.topic.0))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.brokers(), self.topic.0)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (brokers, topic) = text.split_once('/').ok_or("not HOST:PORT,HOST:PORT/TOPIC")?;
        let brokers = brokers.split(',').map(|one| broker(one.trim()).ok_or(one));
        let brokers = brokers.collect::<Result<_, _>>();
        let brokers = brokers.map_err(|one| format!("{one:?} is not HOST or HOST:PORT"))?;
        Ok(Self { brokers, topic: topic.parse()? })
    }
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_name = !text.is_empty() && ![".", ".."].contains(&text);
        if is_name && text.len() <= LONGEST && text.chars().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("a topic has at most {LONGEST} letters, digits, '.', '_' and '-'"))
    }
}

/// With its port; an IPv6 address is in brackets.
fn broker(text: &str) -> Option<String> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (format!("[{host}]"), rest)
        }
        None => {
            let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (host.to_owned(), rest)
        }
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if rest.is_empty() => PORT,
        None => return None,
    };
    let is_named = !host.is_empty() && !host.contains(['@', ' ', '/']);
    is_named.then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_and_topic_are_read_and_shown() {
        for (text, shown) in [
            ("kafka/flows", "kafka:9092/flows"),
            ("a:1,b,[2001:db8::1]:3/net.flows_1-x", "a:1,b:9092,[2001:db8::1]:3/net.flows_1-x"),
            ("192.0.2.1:9093, 192.0.2.2/f", "192.0.2.1:9093,192.0.2.2:9092/f"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), shown);
            assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        }
        for wrong in [
            "kafka", "kafka/", "/flows", "a,,b/f", "a:0/f", "a:x/f", "a/b/c", "a/ü", "u@h/f",
            "::1/f",
        ] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
        let target: Target = "kafka/flows".parse().unwrap();
        assert_eq!(target.alert_topic().0, "flows-alerts");
    }
}
