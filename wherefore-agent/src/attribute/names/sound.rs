//! Checks names of hosts. Owns the rules by which they are refused.

/// The length of the longest name (RFC 1035), without the dot at its end.
const LONGEST: usize = 253;

/// Returns a name in lower case, or `None` if it is not a valid host name or could harm a terminal.
pub(crate) fn sound(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_sound = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'*');
    let is_name = !name.is_empty() && name.len() <= LONGEST && name.bytes().all(is_sound);
    is_name.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_none_are_refused() {
        assert_eq!(sound("WWW.Example.org.").as_deref(), Some("www.example.org"));
        for bad in ["", ".", "a b", "a\u{1b}[31m", "ä.example", "a\"b", "a\nb", &"a".repeat(254)] {
            assert_eq!(sound(bad), None, "{bad:?}");
        }
    }
}
