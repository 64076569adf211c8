//! One figure and how it travels: each round prints its figures as JSON Lines, one process a round,
//! so that two revisions can take turns. Owns that format; refuses to judge or to sum up.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// One measurement of one round.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    /// Its name, by which rounds and revisions are matched.
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// Figures of the same round to set this one in relation to.
    pub(crate) floors: Vec<String>,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Self { what: what.into(), value, unit: unit.to_owned(), floors: Vec::new() }
    }

    /// The same, to be shown as a multiple of another figure of the round.
    pub(crate) fn over(mut self, floor: impl Into<String>) -> Self {
        self.floors.push(floor.into());
        self
    }

    fn to_json(&self) -> Value {
        let Self { what, value, unit, floors } = self;
        json!({ "what": what, "value": value, "unit": unit, "floors": floors })
    }

    fn from_json(json: &Value) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let floors = json["floors"].as_array()?.iter();
        Some(Self {
            what: text("what")?,
            value: json["value"].as_f64()?,
            unit: text("unit")?,
            floors: floors.filter_map(|floor| floor.as_str().map(str::to_owned)).collect(),
        })
    }
}

/// Passes a round's figures to the process that started it.
pub(crate) fn print(figures: &[Figure]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for figure in figures {
        writeln!(out, "{}", figure.to_json()).context("cannot hand over the figures")?;
    }
    Ok(())
}

/// The figures that a round printed.
pub(crate) fn parse(text: &str) -> Result<Vec<Figure>> {
    let parse = |line: &str| {
        let json: Value = serde_json::from_str(line).ok()?;
        Figure::from_json(&json)
    };
    let figure = |line| parse(line).with_context(|| format!("not a figure: {line}"));
    text.lines().map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_reads_back_unchanged() -> Result<()> {
        let figure = Figure::new("a", 1.5, "ns").over("b").over("c");
        assert_eq!(parse(&figure.to_json().to_string())?, [figure]);
        assert!(parse("{}").is_err());
        Ok(())
    }
}
