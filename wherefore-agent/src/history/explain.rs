//! Explains the facts about a target in plain sentences. Owns the words.

use super::find::Kind;
use super::fold::Volume;
use super::query::{Dimension, Line, Uncounted};
use super::time::Clock;
use super::why::Why;
use crate::message::alert::Status;
use crate::text::{Bytes, grouped, printable, seconds};

/// A difference from the baseline by at least this factor is called large.
const FAR: f64 = 2.0;

/// The sentences: one string for each paragraph.
pub fn sentences(why: &Why, clock: &Clock) -> Vec<String> {
    let mut sentences = vec![moved(why, clock)];
    if why.total.packets() > 0 {
        sentences.extend(shared(why));
        sentences.extend(participants(why));
        sentences.extend(peak(why, clock));
    }
    sentences.push(seen(why, clock));
    sentences.push(baseline(why));
    sentences.extend(detector(why, clock));
    sentences.extend(unknown(why));
    sentences
}

fn subject(why: &Why) -> String {
    let name = printable(&why.name);
    match why.kind {
        Kind::Host => "This host".to_owned(),
        Kind::Address => format!("The address {name}"),
        Kind::Prefix => format!("The prefix {name}"),
        Kind::By(Dimension::Process) => format!("The process {name}"),
        Kind::By(Dimension::Unit) => format!("The unit {name}"),
        Kind::By(Dimension::Container) => format!("The container {name}"),
        Kind::By(Dimension::Pod) => format!("The pod {name}"),
        Kind::By(Dimension::User) => format!("The user {name}"),
        Kind::By(Dimension::Country) => format!("The country {name}"),
        Kind::By(Dimension::Interface) => format!("The interface {name}"),
        Kind::By(Dimension::Port) => format!("Port {name}"),
        Kind::By(_) => name,
    }
}

fn bytes(number: u64) -> Bytes {
    Bytes(number as f64)
}

fn moved(why: &Why, clock: &Clock) -> String {
    let time = format!("from {} to {}", clock.brief(why.from), clock.brief(why.to));
    let subject = subject(why);
    let Volume { in_bytes, out_bytes, .. } = why.total;
    if why.total.packets() == 0 {
        return format!("{subject} moved nothing {time}, as far as the history knows.");
    }
    let (received, sent) = (bytes(in_bytes), bytes(out_bytes));
    let total = bytes(why.total.bytes());
    let from_here = "this host received";
    match why.kind {
        Kind::Host => {
            format!("{subject} moved {total} {time}: it received {received} and sent {sent}.")
        }
        _ => format!("{subject} moved {total} {time}: {from_here} {received} and sent {sent}."),
    }
}

fn shared(why: &Why) -> Option<String> {
    let share = share(&why.total, &why.all);
    (why.kind != Kind::Host).then(|| format!("That is {share} of all that this host moved."))
}

fn share(part: &Volume, whole: &Volume) -> String {
    let percent = part.bytes() as f64 / whole.bytes().max(1) as f64 * 100.0;
    if percent > 0.0 && percent < 1.0 {
        "less than 1 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

fn participants(why: &Why) -> Vec<String> {
    let list = |lines: &[Line]| {
        let line = |line: &Line| {
            let volume = &line.volume;
            let name = printable(&line.name);
            format!("{name} ({}, {})", bytes(volume.bytes()), share(volume, &why.total))
        };
        lines.iter().map(line).collect::<Vec<_>>().join(", ")
    };
    let lists = [
        ("By whom", &why.processes, Dimension::Process),
        ("Between", &why.pairs, Dimension::Pair),
        ("By service", &why.services, Dimension::Port),
        ("With addresses of", &why.countries, Dimension::Country),
    ];
    let sections =
        lists.into_iter().filter(|(_, lines, by)| !lines.is_empty() && why.kind != Kind::By(*by));
    sections.map(|(what, lines, _)| format!("{what}: {}.", list(lines))).collect()
}

fn peak(why: &Why, clock: &Clock) -> Option<String> {
    let (rate, at) = why.peak?;
    let (at, length) = (clock.brief(at), seconds(why.peak_seconds));
    Some(format!("It was most at {at}: {}/s over {length}.", Bytes(rate)))
}

fn seen(why: &Why, clock: &Clock) -> String {
    match why.first_seen {
        Some(first) => format!("The history first saw it at {}.", clock.brief(first)),
        None => "The history has nothing of it in the week before either.".to_owned(),
    }
}

fn baseline(why: &Why) -> String {
    let Some(usual) = why.baseline_bytes_per_hour else {
        return "The history is too short for a baseline.".to_owned();
    };
    let now = why.bytes_per_hour;
    let compared = match now / usual.max(1.0) {
        times if times >= FAR => format!(", {times:.1} times the baseline"),
        times if times <= 1.0 / FAR => ", far below the baseline".to_owned(),
        _ => ", about as usual".to_owned(),
    };
    let (usual, now) = (Bytes(usual), Bytes(now));
    format!(
        "Baseline: half of the hours of the week before moved at most {usual}; here an hour moved {now}{compared}."
    )
}

fn detector(why: &Why, clock: &Clock) -> Vec<String> {
    if why.alerts.is_empty() {
        return vec!["The detector reported no incident about it in this time.".to_owned()];
    }
    let all = why.alerts.len() + why.more_alerts;
    let count = match all {
        1 => "one incident".to_owned(),
        all => format!("{} incidents", grouped(all as u64)),
    };
    let mut lines = vec![format!("The detector reported {count} about it:")];
    for kept in &why.alerts {
        let state = match kept.alert.status {
            Status::Resolved => format!("over at {}", clock.brief(kept.time)),
            _ => "not over".to_owned(),
        };
        let started = clock.brief(kept.started);
        lines.push(format!("  {started} ({state}): {}", printable(&kept.first_text)));
    }
    if why.more_alerts > 0 {
        lines.push(format!("  and {} more.", grouped(why.more_alerts as u64)));
    }
    lines
}

fn unknown(why: &Why) -> Vec<String> {
    let mut lines = Vec::new();
    if why.folded.packets() > 0 {
        let (volume, share) = (bytes(why.folded.bytes()), share(&why.folded, &why.all));
        lines.push(format!(
            "{volume} ({share}) of what this host moved is kept only as a sum, without details: some of it may belong to this target."
        ));
    }
    for Uncounted { reason, volume } in &why.uncounted {
        lines.push(format!("{} packets were in no flow: {reason}.", grouped(volume.packets())));
    }
    lines
}
