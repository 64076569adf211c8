//! Bodies that the user defines: a text with names of the alert's fields in braces. Owns which fields exist
//! and how they are escaped; refuses unknown fields before anything is sent.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::sample::of_host;
use crate::message::alert::{Alert, Status};

/// Names that may be followed by a `.` and any name.
const WITH_NAMES: [&str; 2] = ["labels", "methods"];

/// A text with placeholders for fields.
pub(super) struct Template {
    parts: Vec<Part>,
    is_json: bool,
}

enum Part {
    Text(String),
    Field(String),
}

impl Template {
    /// Reads a template: the text itself, or `@` and the name of a file.
    pub(super) fn open(text: &str, is_json: bool) -> Result<Self> {
        let read = |path| std::fs::read_to_string(path).with_context(|| format!("reading {path}"));
        let text = text.strip_prefix('@').map_or_else(|| Ok(text.to_owned()), read)?;
        let template = Self { parts: parts(&text), is_json };
        let alert = of_host("host", Status::Firing);
        let known = fields(&alert);
        for part in &template.parts {
            if let Part::Field(name) = part
                && !is_field(&known, name)
            {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                bail!("no alert has a field {name}; the fields are: {}", names.join(", "));
            }
        }
        if is_json {
            let filled = template.fill(&alert);
            serde_json::from_str::<Value>(&filled)
                .context("with the fields filled in, the text is not JSON")?;
        }
        Ok(template)
    }

    /// The text between the fields.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Field(_) => None,
        })
    }

    /// Fills in the fields of an alert.
    pub(super) fn fill(&self, alert: &Alert) -> String {
        let fields = fields(alert);
        let filled = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Field(name) => self.shown(value(&fields, name)),
        });
        filled.collect()
    }

    /// Shows a string without its quotes, and everything else as JSON.
    fn shown(&self, value: &Value) -> String {
        let json = value.to_string();
        match value {
            Value::String(text) if !self.is_json => text.clone(),
            Value::String(_) => json[1..json.len() - 1].to_owned(),
            _ => json,
        }
    }
}

fn fields(alert: &Alert) -> Map<String, Value> {
    match serde_json::to_value(alert) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn is_field(known: &Map<String, Value>, name: &str) -> bool {
    let is_named = |(map, _)| WITH_NAMES.contains(&map);
    known.contains_key(name) || name.split_once('.').is_some_and(is_named)
}

/// The field; null if this alert lacks it.
fn value<'f>(fields: &'f Map<String, Value>, name: &str) -> &'f Value {
    const NOTHING: &Value = &Value::String(String::new());
    // A method that was not used has no verdict; it is null, as for one that could not decide.
    if name.starts_with("methods.") && name != "methods" {
        let method = name.split_once('.').and_then(|(map, key)| fields.get(map)?.get(key));
        return method.unwrap_or(&Value::Null);
    }
    let inner = name.split_once('.').and_then(|(map, key)| fields.get(map)?.get(key));
    fields.get(name).or(inner).unwrap_or(NOTHING)
}

/// Splits a text. Braces around anything but a field's name are text, because JSON is full of them.
fn parts(text: &str) -> Vec<Part> {
    let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(open) = rest.find('{') {
        let after = &rest[open + 1..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let end = after.find(|c| !is_part(c)).filter(|end| *end > 0);
        let Some(end) = end.filter(|end| after[*end..].starts_with('}')) else {
            plain.push_str(&rest[..=open]);
            rest = after;
            continue;
        };
        plain.push_str(&rest[..open]);
        parts.push(Part::Text(std::mem::take(&mut plain)));
        parts.push(Part::Field(after[..end].to_owned()));
        rest = &after[end + 1..];
    }
    parts.push(Part::Text(plain + rest));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sinks::sample::sample;

    fn fill(text: &str, is_json: bool) -> Result<String> {
        let labels = [("team".to_owned(), "a\"b\n".to_owned())].into();
        let alert = Alert { labels, ..sample(Status::Firing) };
        Template::open(text, is_json).map(|template| template.fill(&alert))
    }

    #[test]
    fn fields_are_escaped_for_json_and_only_there() {
        let text = r#"{"a":{"b":"{labels.team}"},"n":{bytes},"none":"{labels.none}"}"#;
        let filled: Value = serde_json::from_str(&fill(text, true).unwrap()).unwrap();
        assert_eq!(filled["a"]["b"], "a\"b\n");
        assert_eq!(filled["none"], "");
        assert!(filled["n"].is_u64());
        assert_eq!(fill("{status} {labels.team}{ {}", false).unwrap(), "firing a\"b\n{ {}");
    }

    #[test]
    fn mistakes_are_found_before_anything_is_sent() {
        let error = fill("{sorce}", false).unwrap_err().to_string();
        assert!(error.contains("sorce") && error.contains("src"), "{error}");
        assert!(fill("{\"a\":{src}}", true).is_err());
        assert!(fill("@/nonexistent", true).is_err());
    }
}
