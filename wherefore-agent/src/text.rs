//! Formats figures for people: bytes, rates, times, addresses, sparklines. Owns only this formatting.

use std::fmt::{self, Display};

use jiff::Timestamp;
use wherefore_common::FlowKey;

/// Bytes in decimal units: `999 B`, `1.2 kB`, `3.4 GB`.
///
/// # Example
/// ```
/// use wherefore_agent::text::Bytes;
///
/// assert_eq!(Bytes(134_700_000.0).to_string(), "134.7 MB");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Bytes(pub f64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        let (mut value, mut unit) = (self.0, 0);
        // 999.95 would be shown as 1000.0.
        while value >= 999.95 && unit + 1 < UNITS.len() {
            value /= 1000.0;
            unit += 1;
        }
        let decimals = if unit == 0 { 0 } else { 1 };
        f.pad(&format!("{value:.decimals$} {}", UNITS[unit]))
    }
}

/// A number with separators: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The counts that are not 0, each as `, 3 filtered`.
pub fn remarks<const N: usize>(counts: [(u64, &str); N]) -> String {
    let present = counts.into_iter().filter(|(count, _)| *count > 0);
    present.map(|(count, what)| format!(", {} {what}", grouped(count))).collect()
}

/// Nanoseconds since 1970 as RFC 3339 with nine decimals. A time outside the calendar becomes the nearest one
/// in it.
pub fn rfc3339(nanoseconds: i64) -> String {
    let time = Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.9}")
}

/// The inverse of [`rfc3339`].
pub fn nanoseconds(time: &str) -> Option<i64> {
    i64::try_from(time.parse::<Timestamp>().ok()?.as_nanosecond()).ok()
}

/// Nanoseconds since 1970 as date and time to the second.
pub fn clock(nanoseconds: i64) -> String {
    let time = Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.0}")
}

/// A duration in one unit: `200 ms`, `40 s`, `12 min`, `3 h`.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        0.0005..0.95 => format!("{:.0} ms", seconds * 1000.0),
        ..600.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

/// Makes foreign text safe to show anywhere: characters that move a cursor, change the direction of writing
/// or are not allowed in XML become their numbers, and the length is limited.
///
/// # Example
/// ```
/// use wherefore_agent::text::printable;
///
/// assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
/// ```
pub fn printable(text: &str) -> String {
    const LONGEST: usize = 1000;
    let is_harmless = |c: char| {
        let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
        let hides = matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}');
        !(c.is_control() || turns || hides)
    };
    let shown = |c: char| match is_harmless(c) {
        true => c.to_string(),
        false => c.escape_unicode().to_string(),
    };
    let mut printed: String = text.chars().take(LONGEST).map(shown).collect();
    printed.extend(text.chars().nth(LONGEST).map(|_| '…'));
    printed
}

/// The usual name of a protocol, or its number.
pub fn protocol(number: u8) -> String {
    match number {
        1 => "icmp".to_owned(),
        2 => "igmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        41 => "ipv6".to_owned(),
        47 => "gre".to_owned(),
        50 => "esp".to_owned(),
        58 => "icmp6".to_owned(),
        132 => "sctp".to_owned(),
        other => format!("protocol {other}"),
    }
}

/// Protocol and ports of a flow: `tcp 40000 -> 443`.
pub fn ports(flow: &FlowKey) -> String {
    if flow.sport == 0 && flow.dport == 0 {
        return protocol(flow.protocol);
    }
    format!("{} {} -> {}", protocol(flow.protocol), flow.sport, flow.dport)
}

/// Points as a row of bars; the largest point is a full bar.
pub fn sparkline(points: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = points.iter().copied().fold(0.0, f64::max);
    let bar = |point: &f64| match largest > 0.0 {
        true => BARS[((point / largest * 7.0).round() as usize).min(7)],
        false => BARS[0],
    };
    points.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_change_unit_where_the_shown_digits_would_overflow() {
        let shown: Vec<_> =
            [0.0, 999.0, 1000.0, 999_949.0, 999_950.0, 2.5e9].map(|n| Bytes(n).to_string()).into();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "2.5 GB"]);
    }

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!([1, 999, 1000, 1_234_567].map(grouped), ["1", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn shown_text_has_no_control_characters() {
        assert_eq!(printable("eth0 <ä>"), "eth0 <ä>");
        assert_eq!(printable("\u{1b}[2J\u{202e}\n"), "\\u{1b}[2J\\u{202e}\\u{a}");
        assert_eq!(printable(&"x".repeat(2000)).chars().count(), 1001);
    }

    #[test]
    fn sparklines_reach_from_the_lowest_to_the_highest_bar() {
        assert_eq!(sparkline(&[0.0, 1.0, 7.0]), "▁▂█");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
    }
}
