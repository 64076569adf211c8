//! Mail as text: addresses, and what is not ASCII (RFC 2047, RFC 2045). Owns that no value can begin
//! a header of its own; refuses to send.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lettre::Address;

/// Octets of text in an encoded word, which may be 75 characters long.
const WORD: usize = 45;
/// Octets in a line of 76 characters of base64.
const LINE: usize = 57;

/// `ADDRESS` or `NAME <ADDRESS>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<String>,
    /// Where mail goes.
    pub(super) address: Address,
}

impl FromStr for Mailbox {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = match text.trim().strip_suffix('>').map(|text| text.split_once('<')) {
            Some(Some((name, address))) => (name.trim().trim_matches('"'), address),
            _ => ("", text.trim()),
        };
        let address = address.parse().map_err(|error| format!("no address: {error}"))?;
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), address })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = &self.name else { return write!(f, "{}", self.address) };
        let is_atom = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_');
        if name.chars().all(is_atom) {
            write!(f, "{name} <{}>", self.address)
        } else {
            write!(f, "{} <{}>", words(name), self.address)
        }
    }
}

/// A header's text: as it is where it is short and plain, else in encoded words.
pub(super) fn encoded_words(text: &str) -> String {
    let is_plain = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    if is_plain && text.len() <= 200 && !text.contains("=?") {
        text.to_owned()
    } else {
        words(text)
    }
}

fn words(text: &str) -> String {
    let mut parts = vec![String::new()];
    for character in text.chars() {
        match parts.last_mut() {
            // No character is split.
            Some(part) if part.len() + character.len_utf8() <= WORD => part.push(character),
            _ => parts.push(character.to_string()),
        }
    }
    let word = |part: &String| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(part));
    parts.iter().map(word).collect::<Vec<_>>().join("\r\n ")
}

/// A body in base64.
pub(super) fn encoded_body(text: &str) -> String {
    let text = text.replace('\n', "\r\n");
    let line = |octets: &[u8]| BASE64_STANDARD.encode(octets) + "\r\n";
    text.as_bytes().chunks(LINE).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let shown = |text: &str| text.parse::<Mailbox>().map(|mailbox| mailbox.to_string());
        assert_eq!(shown("a@b.c").unwrap(), "a@b.c");
        assert_eq!(shown("A B <a@b.c>").unwrap(), "A B <a@b.c>");
        assert_eq!(shown("\"Ä\" <a@b.c>").unwrap(), "=?utf-8?B?w4Q=?= <a@b.c>");
        assert!(shown("a\r\nBcc: x@y.z").is_err() && shown("a <b>").is_err());
        assert!(!shown("a\r\nBcc: x <a@b.c>").unwrap().contains("Bcc"));
    }

    #[test]
    fn no_line_is_long_and_no_character_is_split() {
        let encoded = encoded_words(&"ä".repeat(100));
        assert!(encoded.lines().all(|line| line.len() <= 76), "{encoded}");
        assert_eq!(encoded_words("a -> b"), "a -> b");
        assert!(encoded_body(&"x\n".repeat(100)).lines().all(|line| line.len() <= 76));
    }
}
