//! Numbers in text: one on each line, CSV `timestamp,value`, or long CSV `series,timestamp,value`. Owns the
//! parsing of lines, so that `score` and `backtest` read the same file alike. Refuses to guess: ambiguous
//! text is an error that says why.

use std::borrow::Cow;

/// The header of long CSV.
pub(crate) const LONG: &str = "series,timestamp,value";
const LONG_NAMES: [&str; 3] = ["series", "timestamp", "value"];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line of long CSV.
pub(crate) struct LongLine<'a> {
    pub(crate) series: Cow<'a, str>,
    pub(crate) timestamp: Cow<'a, str>,
    pub(crate) value: f64,
}

/// The bytes without the byte order mark that UTF-8 files may begin with.
pub(crate) fn without_mark(start: &[u8]) -> &[u8] {
    start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start)
}

/// Whether a file begins with the byte order mark of UTF-16.
pub(crate) fn is_utf16(start: &[u8]) -> bool {
    let has_mark = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    let is_wide = |text: &[u8]| matches!(text, [a, 0, b, 0, ..] | [0, a, 0, b, ..] if a.is_ascii_graphic() && b.is_ascii_graphic());
    has_mark || is_wide(start)
}

/// A line as text, without its end; the first line of a file also without a byte order mark.
pub(crate) fn text(line: &[u8], is_first: bool) -> Result<&str, String> {
    if is_first && is_utf16(line) {
        return Err(
            "the file is UTF-16: convert it first, iconv -f UTF-16 -t UTF-8 FILE".to_owned()
        );
    }
    let line = if is_first { without_mark(line) } else { line };
    std::str::from_utf8(line.trim_ascii()).map_err(|_| "not text (UTF-8)".to_owned())
}

/// Whether a first line is the header of long CSV, with any quotes, spaces and case.
///
/// # Errors
/// If it is similar to it; the error says what to change.
pub(crate) fn is_long_header(line: &str) -> Result<bool, String> {
    let names = |line: &str| -> Vec<String> {
        fields(line).iter().map(|field| field.to_ascii_lowercase()).collect()
    };
    let found = names(line);
    if found == LONG_NAMES {
        return Ok(true);
    }
    let others = [';', '\t'].map(|separator| names(&line.replace(separator, ",")));
    if others.iter().any(|names| names == &LONG_NAMES) {
        return Err(format!("the header is not {LONG}: {}", separator_advice(line)));
    }
    let is_near = LONG_NAMES.iter().all(|name| found.iter().any(|field| field == name));
    if is_near {
        return Err(format!("the header is not {LONG}: write these columns, in this order"));
    }
    Ok(false)
}

/// Whether a first line contains names of columns instead of numbers.
pub(crate) fn is_header(line: &str) -> bool {
    let fields = fields(line);
    let is_name = |field: &Cow<'_, str>| {
        let is_word = |c: char| c.is_alphabetic() || "_ ()/%-.".contains(c) || c.is_ascii_digit();
        field.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && field.chars().all(is_word)
            && field.parse::<f64>().is_err()
    };
    fields.iter().all(is_name)
}

/// Reads `value` or `timestamp,value`.
pub(crate) fn pair(line: &str) -> Result<(Option<Cow<'_, str>>, f64), String> {
    let mut fields = fields(line);
    refuse_decimal_comma(&fields, 2)?;
    refuse_other_columns(&fields)?;
    let Some(value) = fields.pop() else { return Err("the line is empty".to_owned()) };
    let value = number(&value)?;
    let timestamp = (!fields.is_empty()).then(|| joined(line, fields, 1));
    timestamp.as_deref().map_or(Ok(()), refuse_other_separators)?;
    Ok((timestamp, value))
}

/// Reads `series,timestamp,value`. The name of a series may contain commas.
pub(crate) fn long(line: &str) -> Result<LongLine<'_>, String> {
    let mut fields = fields(line);
    if fields.len() < 3 {
        let advice = if line.contains(';') { separator_advice(line) } else { String::new() };
        let advice = if advice.is_empty() { advice } else { format!(": {advice}") };
        return Err(format!("{line:?} is not {LONG}{advice}"));
    }
    refuse_decimal_comma(&fields, 3)?;
    let (value, timestamp) = (fields.pop().unwrap_or_default(), fields.pop().unwrap_or_default());
    refuse_other_separators(&timestamp)?;
    Ok(LongLine { series: joined(line, fields, 2), timestamp, value: number(&value)? })
}

/// Reads a number, also `NaN` or `inf`. Whole numbers, which most series of bytes consist of, are parsed by
/// hand: that is three times as fast.
pub(crate) fn number(field: &str) -> Result<f64, String> {
    let digits = field.as_bytes();
    if (1..16).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) {
        let value = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        // Exact below 10^15.
        return Ok(value as f64);
    }
    field.trim().parse().map_err(|_| no_number(field))
}

fn no_number(field: &str) -> String {
    let is_numeric = |c: char| c.is_ascii_digit() || ",.-+ '".contains(c);
    let advice = if field.contains(';') || field.contains('\t') {
        format!(": {}", separator_advice(field))
    } else if field.contains(',') && field.chars().all(is_numeric) {
        ": a comma separates fields; write decimals with a point, and thousands without a separator"
            .to_owned()
    } else {
        String::new()
    };
    format!("{field:?} is not a number{advice}")
}

fn separator_advice(line: &str) -> String {
    let found = if line.contains(';') { "semicolons" } else { "tabs" };
    format!(
        "its fields are separated by {found}: separate them by commas, and write decimals with a point"
    )
}

/// Refuses a decimal comma: if there is one field more than expected, with only a time and numbers at the
/// end, then a comma is more likely a decimal one than part of a name.
fn refuse_decimal_comma(fields: &[Cow<'_, str>], wanted: usize) -> Result<(), String> {
    let is_number = |field: &Cow<'_, str>| field.parse::<f64>().is_ok();
    // A date also begins with a digit.
    let is_time = |field: &Cow<'_, str>| field.starts_with(|c: char| c.is_ascii_digit());
    let is_decimal = fields.len() > wanted
        && matches!(fields, [.., time, whole, part]
            if (is_time(time) || is_number(time)) && is_number(whole) && is_number(part));
    if !is_decimal {
        return Ok(());
    }
    Err(format!(
        "{} fields, where {wanted} are expected: decimals need a point, not a comma; put names with \
         commas in quotes",
        fields.len()
    ))
}

/// Refuses what is no pair: a number with a decimal comma or a separator of thousands, seen by a 0 behind
/// the comma, and a line of several series.
fn refuse_other_columns(fields: &[Cow<'_, str>]) -> Result<(), String> {
    let is_whole = |field: &str| {
        let digits = field.trim_start_matches(['-', '+']);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match fields {
        [whole, part] if is_whole(whole) && matches!(part.as_bytes(), [b'0', b'0'..=b'9', ..]) => {
            Err("the part after the comma begins with a 0: write decimals with a point, and \
                 thousands without a separator"
                .to_owned())
        }
        [_, .., before, _] if before.parse::<f64>().is_ok() => Err(format!(
            "{} fields, where 2 are expected: several series need the header {LONG}; put names with \
             commas in quotes",
            fields.len()
        )),
        _ => Ok(()),
    }
}

/// Refuses a time that contains another separator: what was taken for the value is then the part of one
/// behind a decimal comma.
fn refuse_other_separators(timestamp: &str) -> Result<(), String> {
    if timestamp.contains([';', '\t']) {
        return Err(format!("{timestamp:?} is not a time: {}", separator_advice(timestamp)));
    }
    let is_numbers = || timestamp.split_whitespace().all(|part| part.parse::<f64>().is_ok());
    if timestamp.contains(' ') && is_numbers() {
        return Err(format!(
            "{timestamp:?} is not a time: separate fields by commas, and write decimals with a point"
        ));
    }
    Ok(())
}

/// The number of columns that a header names.
pub(crate) fn columns(header: &str) -> usize {
    fields(header).len()
}

/// The fields of a line, without quotes and surrounding space.
fn fields(line: &str) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(',').map(|field| Cow::Borrowed(field.trim())).collect();
    }
    // A quote after a space is also a quote.
    let line = line.replace(", \"", ",\"");
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).trim(csv::Trim::All);
    let record = reader.from_reader(line.trim().as_bytes()).into_records().next();
    let Some(Ok(record)) = record else { return vec![Cow::Owned(line)] };
    record.iter().map(|field| Cow::Owned(field.to_owned())).collect()
}

/// Joins all fields except the last `behind` ones: as they stand in the line, unless it has quotes.
fn joined<'a>(line: &'a str, mut first: Vec<Cow<'a, str>>, behind: usize) -> Cow<'a, str> {
    if first.len() == 1 {
        return first.remove(0);
    }
    let whole = line.rsplitn(behind + 1, ',').last().filter(|_| !line.contains('"'));
    whole.map_or_else(|| Cow::Owned(first.join(",")), |whole| Cow::Borrowed(whole.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_known_however_they_are_written() {
        for header in [
            "series,timestamp,value",
            "Series, Timestamp ,VALUE",
            "\"series\",\"timestamp\",\"value\"",
            "\"series\", \"timestamp\", \"value\"",
        ] {
            assert_eq!(is_long_header(header), Ok(true), "{header}");
        }
        for other in ["timestamp,value", "1,2", "value", "series,value"] {
            assert_eq!(is_long_header(other), Ok(false), "{other}");
        }
        for near in
            ["series;timestamp;value", "timestamp,series,value", "series,timestamp,value,score"]
        {
            assert!(is_long_header(near).is_err(), "{near}");
        }
    }

    #[test]
    fn a_number_is_no_header() {
        for header in ["value", "time,bytes", "\"Time\", \"bytes (B/s)\"", "p95"] {
            assert!(is_header(header), "{header}");
        }
        for data in ["5", "-5e3", "nan", "a,5", "1;2", "5x", "", "inf", "a,b,7", "1.2.3"] {
            assert!(!is_header(data), "{data}");
        }
    }

    #[test]
    fn decimal_commas_are_refused_and_names_with_commas_are_not() {
        for line in
            ["a,0,3,14", "a,b,0,3,14", "a,2026-01-01,3,14", "a,0,\"3,14\"", "a;0;3,14", "a,0,1;5"]
        {
            assert!(long(line).is_err(), "{line}");
        }
        for line in ["web,eu,0,14", "\"web,eu\",0,14", " \"web,eu\" , 0 , \"14\""] {
            let line = long(line).unwrap();
            assert_eq!((&*line.series, &*line.timestamp, line.value), ("web,eu", "0", 14.0));
        }
        for line in ["0;3,14", "2026-01-01;3,14", "1,5;2,5", "0\t3,14", "0 3,14", "a;0;3,14"] {
            assert!(pair(line).unwrap_err().contains("with a point"), "{line}");
        }
        assert!(long("web,0;5,3").is_err() && long("a;b,0,3").is_ok());
        for line in ["1,2,5", "\"3,14\"", "1;5", "3,05", "-1,000", "1,000.5", "a,0,5", "a,1.5,7"] {
            assert!(pair(line).is_err(), "{line}");
        }
        for (line, value) in
            [("monday,noon,7", 7.0), ("noon,07", 7.0), ("3,0.5", 0.5), ("3,0", 0.0)]
        {
            assert_eq!(pair(line).unwrap().1, value, "{line}");
        }
    }

    #[test]
    fn utf_16_is_named() {
        for line in [&b"\xff\xfe5\x00\n\x00"[..], b"\xfe\xff\x005", b"5\x006\0\n", b"\x005\x006"] {
            assert!(text(line, true).unwrap_err().contains("iconv"), "{line:?}");
        }
        assert_eq!(text(b"\xef\xbb\xbf5\r\n", true), Ok("5"));
        assert!(text(b"\xff", false).is_err());
    }
}
