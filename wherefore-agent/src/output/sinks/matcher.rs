//! Patterns for labels of alerts. Owns their syntax and which labels they match.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use crate::message::alert::Alert;

/// `LABEL=PATTERN` or `LABEL!=PATTERN`.
#[derive(Debug, Clone, PartialEq)]
pub struct Matcher {
    label: String,
    pattern: Pattern,
    negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    Prefix(IpNet),
    Glob(String),
}

impl FromStr for Matcher {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (label, pattern) =
            text.split_once('=').ok_or("must have the form LABEL=PATTERN or LABEL!=PATTERN")?;
        let negated = label.ends_with('!');
        let label = label.trim_end_matches('!').trim();
        if label.is_empty() {
            return Err("the label before = is missing".to_owned());
        }
        let is_address = matches!(label, "src" | "dst");
        let prefix = is_address.then(|| prefix(pattern)).flatten();
        let pattern = prefix.map_or_else(|| Pattern::Glob(pattern.to_owned()), Pattern::Prefix);
        Ok(Self { label: label.to_owned(), pattern, negated })
    }
}

impl Matcher {
    pub(super) fn is_met(&self, alert: &Alert) -> bool {
        let value = match self.label.as_str() {
            "src" => &alert.src,
            "dst" => &alert.dst,
            "interface" => &alert.interface,
            "host" => &alert.host,
            "kind" => alert.kind.as_str(),
            "severity" => alert.severity.as_str(),
            "group_by" => alert.group_by.name(),
            label => alert.labels.get(label).map_or("", String::as_str),
        };
        self.pattern.holds(value) != self.negated
    }
}

impl Pattern {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Glob(glob) => glob_holds(glob.as_bytes(), value.as_bytes()),
            Self::Prefix(net) => prefix(value).is_some_and(|inner| net.contains(&inner)),
        }
    }
}

/// An address, with or without a port, or a prefix.
fn prefix(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok();
    let socket = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    text.parse().ok().or_else(|| address().or_else(socket).map(IpNet::from))
}

/// Matches a pattern: `*` stands for any text, `?` for any byte.
fn glob_holds(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to continue, after the last star, if the rest does not match.
    let mut star = None;
    while from < text.len() {
        match glob.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match &mut star {
                Some((after, skipped)) => {
                    *skipped += 1;
                    (at, from) = (*after, *skipped);
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.label, if self.negated { "!=" } else { "=" })?;
        match &self.pattern {
            Pattern::Prefix(net) if net.prefix_len() == net.max_prefix_len() => {
                write!(f, "{}", net.addr())
            }
            Pattern::Prefix(net) => write!(f, "{net}"),
            Pattern::Glob(glob) => f.write_str(glob),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_patterns_are_refused() {
        assert!(Matcher::from_str("src").is_err() && Matcher::from_str("!=x").is_err());
        assert!(prefix("[2001:db8::1]:443").is_some() && prefix("*").is_none());
    }

    #[test]
    fn globs_go_back_to_their_star() {
        for (glob, text, holds) in [
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?eth*", "veth0", true),
            ("?eth*", "eth0", false),
            ("", "a", false),
        ] {
            assert_eq!(glob_holds(glob.as_bytes(), text.as_bytes()), holds, "{glob} {text}");
        }
    }
}
