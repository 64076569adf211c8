//! Splits a filter expression into words. Owns their boundaries; refuses to know their meaning.

/// A word or sign, and its position in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// The tokens of a text, in order. Every byte except white space is in one of them.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            ' ' | '\t' | '\r' | '\n' => {
                at += 1;
                continue;
            }
            '\\' => rest.find(ends_name).unwrap_or(rest.len()),
            _ if is_word(first) => rest.find(|other| !is_word(other)).unwrap_or(rest.len()),
            _ if ["&&", "||", "!="].iter().any(|sign| rest.starts_with(sign)) => 2,
            _ => first.len_utf8(),
        };
        tokens.push(Token { text: &rest[..length], at });
        at += length;
    }
    tokens
}

/// Whether a character can be part of a name, number or address.
fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | ':' | '-' | '\\')
}

/// Whether a character ends a name after a backslash, which marks a keyword as a name.
fn ends_name(character: char) -> bool {
    matches!(character, ' ' | '!' | '(' | ')' | '\n' | '\t')
}
