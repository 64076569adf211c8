//! From rounds to a summary: medians with their spread, multiples of floors, and one revision
//! over the other. Owns the table and the JSON; refuses means, which one disturbed round spoils.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::figure::Figure;

/// All rounds of one topic.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub(crate) topic: &'static str,
    /// The figures of each round of this revision.
    pub(crate) ours: Vec<Vec<Figure>>,
    /// Those of the other revision, if it has the topic.
    pub(crate) theirs: Vec<Vec<Figure>>,
}

/// The middle of some values, and their ends.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        // For an even number, between the two in the middle.
        let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median: f64::midpoint(below, above), least, most })
    }

    fn to_json(self) -> Value {
        json!({ "median": self.median, "least": self.least, "most": self.most })
    }
}

/// One line of the table.
struct Row {
    what: String,
    unit: String,
    ours: Spread,
    theirs: Option<Spread>,
    /// Ours over theirs, round by round.
    against: Option<Spread>,
    /// The floors by name, and ours over each.
    floors: Vec<(String, Spread)>,
}

impl Rounds {
    /// In the order in which the first round named them; a figure that a round lacks is left out
    /// of that round alone.
    fn rows(&self) -> Vec<Row> {
        let mut known: Vec<&Figure> = Vec::new();
        for figure in self.ours.iter().flatten() {
            if !known.iter().any(|other| other.what == figure.what) {
                known.push(figure);
            }
        }
        known.into_iter().filter_map(|figure| self.row(figure)).collect()
    }

    fn row(&self, figure: &Figure) -> Option<Row> {
        let what = &figure.what;
        let floors = figure.floors.iter().filter_map(|floor| {
            let ratios = self.ours.iter().filter_map(|round| ratio(round, what, round, floor));
            Some((floor.clone(), Spread::of(ratios.collect())?))
        });
        let pairs = self.ours.iter().zip(&self.theirs);
        let against = pairs.filter_map(|(ours, theirs)| ratio(ours, what, theirs, what));
        Some(Row {
            what: what.clone(),
            unit: figure.unit.clone(),
            ours: spread(&self.ours, what)?,
            theirs: spread(&self.theirs, what),
            against: Spread::of(against.collect()),
            floors: floors.collect(),
        })
    }

    /// The table, headed by the topic.
    pub(crate) fn table(&self) -> String {
        let rows = self.rows();
        let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        let mut table = format!("{} (median of {}, least to most)\n", self.topic, self.ours.len());
        for row in &rows {
            let ends = format!("{} to {}", number(row.ours.least), number(row.ours.most));
            let median = number(row.ours.median);
            let _ = write!(table, "  {:<width$} {median:>10} {:<18} {ends}", row.what, row.unit);
            for (floor, over) in &row.floors {
                // A common prefix need not be repeated.
                let floor = floor.rsplit(": ").next().unwrap_or_default();
                let _ = write!(table, "; {} x {floor}", number(over.median));
            }
            if let (Some(theirs), Some(against)) = (row.theirs, row.against) {
                let Spread { median, least, most } = against;
                let before = number(theirs.median);
                let _ = write!(table, "; against {before}: {median:.3} ({least:.3} to {most:.3})");
            }
            table.push('\n');
        }
        table
    }

    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        let row = |row: Row| {
            let over = |(floor, over): &(String, Spread)| (floor.clone(), over.to_json());
            json!({
                "what": row.what,
                "unit": row.unit,
                "value": row.ours.to_json(),
                "against": row.theirs.map(Spread::to_json),
                "ratio": row.against.map(Spread::to_json),
                "over": row.floors.iter().map(over).collect::<serde_json::Map<_, _>>(),
            })
        };
        let figures: Vec<_> = self.rows().into_iter().map(row).collect();
        json!({ "topic": self.topic, "rounds": self.ours.len(), "figures": figures })
    }
}

fn value(round: &[Figure], what: &str) -> Option<f64> {
    round.iter().find(|figure| figure.what == what).map(|figure| figure.value)
}

/// One figure divided by another, if both exist and the second is not zero.
fn ratio(round: &[Figure], what: &str, other: &[Figure], floor: &str) -> Option<f64> {
    let (value, floor) = (value(round, what)?, value(other, floor)?);
    (floor != 0.0).then(|| value / floor)
}

fn spread(rounds: &[Vec<Figure>], what: &str) -> Option<Spread> {
    Spread::of(rounds.iter().filter_map(|round| value(round, what)).collect())
}

/// As many digits as are meaningful.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..0.1 => format!("{value:.4}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[f64]) -> Vec<Vec<Figure>> {
        let round = |value: &f64| {
            vec![Figure::new("floor", 10.0, "ns"), Figure::new("it", *value, "ns").over("floor")]
        };
        values.iter().map(round).collect()
    }

    #[test]
    fn medians_and_ratios_are_per_round() {
        let rounds = Rounds {
            topic: "t",
            ours: rounds(&[30.0, 20.0, 900.0]),
            theirs: rounds(&[60.0, 10.0, 900.0]),
        };
        let row = rounds.rows().pop().expect("two rows");
        assert_eq!(row.ours, Spread { median: 30.0, least: 20.0, most: 900.0 });
        assert_eq!(row.against, Some(Spread { median: 1.0, least: 0.5, most: 2.0 }));
        assert_eq!(row.floors[0].1.median, 3.0);
        assert!(rounds.table().contains("3.00 x floor"), "{}", rounds.table());
    }

    #[test]
    fn a_value_without_a_counterpart_has_no_ratio() {
        let rounds = Rounds { topic: "t", ours: rounds(&[1.0]), theirs: Vec::new() };
        assert!(rounds.rows().iter().all(|row| row.against.is_none()));
        assert!(rounds.to_json()["figures"][0]["ratio"].is_null());
    }
}
