//! Masks secrets in answers and errors: whole and in parts, in each form in which a server may repeat them.
//! Owns the forms; refuses to know where a secret is used.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;

/// Shorter texts are not masked, because that would make answers unreadable.
const SHORTEST: usize = 4;
/// Shorter parts of a header's value, an argument or a template are taken for words.
const SHORTEST_PART: usize = 6;
/// In a template, a word of at least this length with a digit in it is taken for a key.
const SHORTEST_KEY: usize = 16;
/// Shorter secrets are masked only as they are, not in upper or lower case.
const SHORTEST_IN_ANY_CASE: usize = 8;
/// The number of times that an escape may itself be escaped.
const ROUNDS: usize = 3;
/// Replaces a secret.
const MASK: &str = "***";
/// Words that are not secret: authentication schemes, and parts of common paths.
const WORDS: [&str; 34] = [
    "alert",
    "alertmanager",
    "alerts",
    "apikey",
    "application",
    "basic",
    "bearer",
    "bot",
    "charset",
    "digest",
    "enqueue",
    "event",
    "events",
    "geniekey",
    "hook",
    "hooks",
    "incoming",
    "integration",
    "integrations",
    "json",
    "notify",
    "opsgenie",
    "pagerduty",
    "secret",
    "send",
    "services",
    "slack",
    "test",
    "token",
    "triggers",
    "webhook",
    "webhooks",
    "wherefore",
    "workflows",
];

/// Texts that are masked.
#[derive(Clone, Default)]
pub(in crate::output) struct Masks {
    /// The longest first, because it may contain a shorter one.
    texts: Vec<String>,
}

impl Masks {
    /// Hides a secret in all its forms.
    pub(in crate::output) fn hide(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let decoded = percent_decode_str(secret).decode_utf8_lossy().into_owned();
        for text in [secret, &decoded] {
            self.add(text.to_owned());
            self.add(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
            self.add(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().to_lowercase());
            self.add(text.bytes().map(|byte| format!("{byte:02x}")).collect());
            self.add(text.bytes().map(|byte| format!("{byte:02X}")).collect());
            let json = serde_json::Value::from(text).to_string();
            self.add(json[1..json.len() - 1].to_owned());
            self.add(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
            self.add(format!("{text:?}").trim_matches('"').to_owned());
            in_base64(text).into_iter().for_each(|encoded| self.add(encoded));
        }
        self.texts.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        self.texts.dedup();
    }

    fn add(&mut self, text: String) {
        if text.len() >= SHORTEST {
            self.texts.push(text);
        }
    }

    /// Hides the parts of a URL that may be secret: everything after the host, and the user.
    pub(in crate::output) fn hide_url(&mut self, url: &Url) {
        self.hide(url.as_str());
        self.hide(url.path());
        let pairs = url.query().into_iter().flat_map(|query| query.split('&'));
        url.query().iter().for_each(|query| self.hide(query));
        for pair in pairs {
            self.hide(pair.split_once('=').map_or(pair, |(_, value)| value));
        }
        for part in url.path_segments().into_iter().flatten() {
            self.hide_unless_word(part);
            part.split([':', '=', ';', ',', '@'])
                .skip(1)
                .for_each(|part| self.hide_unless_word(part));
        }
        let (user, password) = (url.username(), url.password().unwrap_or_default());
        self.hide(password);
        self.hide(user);
        if !user.is_empty() || !password.is_empty() {
            let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let pair = format!("{}:{}", decode(user), decode(password));
            self.hide(&pair);
            // The user and password are sent in this form, which may be encoded once more.
            self.hide(&BASE64_STANDARD_NO_PAD.encode(&pair));
        }
    }

    /// Hides the value of a header, and the part after the scheme or a name.
    pub(in crate::output) fn hide_header(&mut self, value: &str) {
        self.hide(value);
        if let Some((_, rest)) = value.split_once(char::is_whitespace) {
            self.hide_unless_word(rest.trim());
        }
        let separators = |c: char| c.is_whitespace() || matches!(c, '=' | ',' | ';' | '"' | ':');
        for part in value.split(separators).filter(|part| part.len() >= SHORTEST_PART) {
            self.hide_unless_word(part);
        }
        // Basic authentication: a server may repeat the decoded text.
        let last = value.split_whitespace().last().unwrap_or_default().trim_end_matches('=');
        let decoded = BASE64_STANDARD_NO_PAD.decode(last).ok();
        if let Some(pair) = decoded.and_then(|bytes| String::from_utf8(bytes).ok())
            && let Some((_, password)) = pair.split_once(':')
        {
            self.hide(password);
            self.hide(&pair);
        }
    }

    /// Hides the parts of a longer text that look like a key.
    pub(super) fn hide_keys(&mut self, text: &str) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.~+/:".contains(c);
        for part in text.split(|c| !is_part(c)) {
            if part.len() >= SHORTEST_KEY && part.bytes().any(|byte| byte.is_ascii_digit()) {
                self.hide(part);
            }
        }
    }

    /// Hides the part after `=` in a program's argument, and the secret parts of a URL.
    pub(super) fn hide_argument(&mut self, argument: &str) {
        let value = argument.split_once('=').map_or(argument, |(_, value)| value);
        if value.len() < argument.len() && value.len() >= SHORTEST_PART {
            self.hide(value);
        }
        if let Some(url) = Url::parse(value).ok().filter(Url::has_host) {
            self.hide_url(&url);
        }
        self.hide_keys(argument);
    }

    fn hide_unless_word(&mut self, text: &str) {
        if !WORDS.contains(&text.to_ascii_lowercase().as_str()) {
            self.hide(text);
        }
    }

    /// Returns the text without secrets; only the mask if the text contains a secret in escapes that are not
    /// masked by themselves.
    pub(in crate::output) fn mask(&self, text: &str) -> String {
        let mask = |text: String, secret: &String| text.replace(secret, MASK);
        let masked = self.texts.iter().fold(text.to_owned(), mask);
        let rounds = std::iter::successors(Some(masked.clone()), |text| Some(unescaped(text)));
        if rounds.take(1 + ROUNDS).any(|text| self.is_in(&text)) {
            return format!("{MASK} (it repeats a secret)");
        }
        masked
    }

    /// Whether the text contains a secret, in upper or lower case.
    fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let long = self.texts.iter().filter(|secret| secret.len() >= SHORTEST_IN_ANY_CASE);
        long.map(|secret| secret.to_lowercase()).any(|secret| text.contains(&secret))
    }

    /// The length of the longest secret: a text that was cut may end in a part of it.
    pub(super) fn longest(&self) -> usize {
        self.texts.first().map_or(0, String::len)
    }
}

/// The text with the escapes of URLs, JSON and HTML replaced by their letters.
fn unescaped(text: &str) -> String {
    let text = percent_decode_str(text).decode_utf8_lossy();
    let mut plain = String::new();
    let mut rest = &*text;
    while let Some(at) = rest.find(['\\', '&']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (letter, length) = escape(rest).unwrap_or((char::from(rest.as_bytes()[0]), 1));
        plain.push(letter);
        rest = &rest[length..];
    }
    plain + rest
}

/// The letter of the escape at the beginning of a text, and the escape's length.
fn escape(text: &str) -> Option<(char, usize)> {
    const NAMES: [(&str, char); 5] =
        [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&apos;", '\'')];
    if let Some((name, letter)) = NAMES.into_iter().find(|(name, _)| text.starts_with(name)) {
        return Some((letter, name.len()));
    }
    let (digits, radix, length) = if let Some(rest) = text.strip_prefix("\\u") {
        (rest.get(..4)?, 16, 6)
    } else {
        let (number, _) = text.strip_prefix("&#")?.split_once(';')?;
        let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |hex| (hex, 16));
        (digits, radix, number.len() + 3)
    };
    Some((char::from_u32(u32::from_str_radix(digits, radix).ok()?)?, length))
}

/// The part of the base64 of any text with this secret that depends only on the secret. Base64 encodes three
/// bytes as four characters, so the secret can begin in three positions.
fn in_base64(secret: &str) -> Vec<String> {
    let mut encoded = Vec::new();
    for before in 0..3 {
        let bytes = [&vec![0; before][..], secret.as_bytes()].concat();
        // Characters that also encode bits of the neighbouring text are left out.
        let first = [0, 2, 3][before];
        let end = bytes.len() * 8 / 6;
        for all in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
            encoded.extend(all.get(first..end).map(str::to_owned));
            // The same if the secret is at the end of the text.
            encoded.extend(all.get(first..).map(str::to_owned));
        }
    }
    encoded.retain(|text| text.len() >= SHORTEST);
    encoded
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

    use super::*;

    fn of_url(url: &str) -> Masks {
        let mut masks = Masks::default();
        masks.hide_url(&Url::parse(url).unwrap());
        masks
    }

    #[test]
    fn parts_of_a_url_are_masked_as_they_are_and_decoded() {
        let masks = of_url("https://u:passw0rd@h/services/T0SECRETSECRET?key=abcd");
        let shown = masks.mask("/services/T0SECRETSECRET T0SECRETSECRET passw0rd key=abcd h");
        assert_eq!(shown, "*** *** *** *** h");
        let masks = of_url("https://tokenuser:pa%24%24word@h/hook?token=a%2Fquery&x=other");
        let shown = masks.mask("tokenuser pa%24%24word pa$$word a%2Fquery a/query other h");
        assert_eq!(shown, "*** *** *** *** *** *** h");
        let masks = of_url("https://h/bot1234:AAbbCC/sendMessage/hooks");
        assert_eq!(masks.mask("AAbbCC is no such hook"), "*** is no such hook");
    }

    #[test]
    fn secrets_are_masked_in_base64_wherever_they_stand() {
        let masks = of_url("https://user:longpassword77@h/");
        for before in ["", "u", "us", "user:", "Authorization: Basic "] {
            for after in ["", "x", "xy", "\r\n"] {
                let text = format!("{before}longpassword77{after}");
                for encoded in [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE.encode(&text)] {
                    let shown = masks.mask(&encoded);
                    assert!(shown.contains(MASK), "{text}: {shown}");
                    let left = BASE64_STANDARD.decode(shown.replace(MASK, ""));
                    let left = String::from_utf8_lossy(&left.unwrap_or_default()).into_owned();
                    assert!(!left.contains("password"), "{text}: {left}");
                }
            }
        }
        let basic = BASE64_STANDARD.encode("user:longpassword77");
        assert!(!masks.mask(&basic).contains(&basic[..12]), "{}", masks.mask(&basic));
    }

    #[test]
    fn answers_with_a_secret_in_other_escapes_are_hidden() {
        const SECRET: &str = "s3c/r3t+TOK&EN\"val=ue";
        let mut masks = Masks::default();
        masks.hide_header(&format!("Bearer {SECRET}"));
        let each = |form: fn(u32) -> String| SECRET.chars().map(|c| form(c.into())).collect();
        let in_url = utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string();
        let echoes: [String; 6] = [
            each(|letter| format!("%{letter:02x}")),
            each(|letter| format!("\\u{letter:04X}")),
            each(|letter| format!("&#{letter};")),
            "s3c&#x2F;r3t&#43;TOK&amp;EN&quot;val=ue".to_owned(),
            utf8_percent_encode(&in_url, NON_ALPHANUMERIC).to_string(),
            SECRET.to_lowercase(),
        ];
        for echo in echoes {
            assert_eq!(masks.mask(&format!("bad: {echo}!")), "*** (it repeats a secret)", "{echo}");
        }
        let harmless = "100 % \\u00zz &#; &#x; &amp &é; &";
        assert_eq!(masks.mask(harmless), harmless);
    }

    #[test]
    fn headers_are_masked_without_their_scheme() {
        for (value, echo) in [
            ("Bearer s3cr3tTOKENvalue123", "token s3cr3tTOKENvalue123 is invalid"),
            ("Token token=\"abcdef123\", x=y", "abcdef123"),
            ("session=abcdef99; other", "abcdef99"),
            ("Basic dXNlcjpsb25ncGFzcw==", "longpass"),
            ("Basic dXNlcjpsb25ncGFzcw==", "user:longpass"),
            ("abcdefg", "61626364656667"),
        ] {
            let mut masks = Masks::default();
            masks.hide_header(value);
            let shown = masks.mask(echo);
            assert!(shown.contains(MASK), "{value}: {shown}");
            assert!(
                !["s3cr3t", "abcdef", "long"].iter().any(|part| shown.contains(part)),
                "{shown}"
            );
            assert_eq!(masks.mask("a bearer token is missing"), "a bearer token is missing");
        }
    }

    #[test]
    fn keys_in_templates_and_arguments_are_masked() {
        let mut masks = Masks::default();
        masks.hide_keys(r#"{"token": "xoxb-1234567890-abc", "text": "an incident begins"}"#);
        masks.hide_argument("--password=hunter22");
        let shown = masks.mask("xoxb-1234567890-abc hunter22 an incident begins");
        assert_eq!(shown, "*** *** an incident begins");
    }
}
