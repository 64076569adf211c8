//! Topic `view`: the live view's use of a processor, by number of pairs: from each second's interval
//! to the bytes for a terminal. Owns the simulated traffic; refuses to wait for a terminal.

use std::io;
use std::time::Duration;

use anyhow::Result;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use wherefore_agent::attribute::geo::Geo;
use wherefore_agent::output::reading::{Reading, ViewMessage};
use wherefore_agent::output::terminal::draw::draw;
use wherefore_agent::output::terminal::draw::theme::{Colours, Theme};
use wherefore_agent::output::terminal::model::Model;
use wherefore_agent::traffic::interval::Interval;
use wherefore_agent::traffic::sum::Sum;
use wherefore_common::{Counters, FlowKey};

use crate::figure::Figure;
use crate::usage;

/// Readings before it is measured, so that histories are full.
const BEFORE: i64 = 130;
const MEASURED: i64 = 30;
const SIZE: Rect = Rect { x: 0, y: 0, width: 120, height: 40 };

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for pairs in [1000, 10_000, 100_000] {
        let share = share_of_a_processor(pairs)?;
        figures.push(Figure::new(format!("{pairs} pairs"), share, "% of one"));
    }
    Ok(figures)
}

/// Processor time of a reading, which comes each second.
fn share_of_a_processor(pairs: u32) -> Result<f64> {
    let viewport = Viewport::Fixed(SIZE);
    let backend = CrosstermBackend::new(io::sink());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
    let (mut model, theme, geo) = (Model::default(), Theme::new(Colours::Full), Geo::default());
    let mut sum = Sum::default();
    let mut used = 0.0;
    for second in 0..BEFORE + MEASURED {
        let interval = interval(second, pairs);
        let before = usage::thread_seconds()?;
        sum.add(&interval);
        if second % 5 == 4 {
            std::hint::black_box(sum.take());
        }
        let reading = Reading::of(&interval, &|_| "eth0".to_owned(), &geo);
        model.apply(ViewMessage::Reading(Box::new(reading)));
        model.arrange();
        terminal.draw(|frame| draw(frame, &model, &theme))?;
        if second >= BEFORE {
            used += usage::thread_seconds()? - before;
        }
    }
    Ok(used / Duration::from_secs(MEASURED as u64).as_secs_f64() * 100.0)
}

/// Every pair moves something each second, one more than another.
fn interval(second: i64, pairs: u32) -> Interval {
    let mut interval = Interval {
        index: second,
        start_ns: second * 1_000_000_000,
        end_ns: (second + 1) * 1_000_000_000,
        ..Interval::default()
    };
    for pair in 0..pairs {
        let key = FlowKey {
            src: [u64::from(0x0a00_0001_u32), 0],
            dst: [u64::from(0x0b00_0000 + pair), 0],
            ifindex: 2,
            sport: 40_000,
            dport: 443,
            protocol: 6,
            family: 4,
            direction: 2,
            ..FlowKey::default()
        };
        let bytes =
            100 + u64::from(pair.wrapping_mul(2_654_435_761) >> 16) * (second % 7 + 1) as u64;
        let packets = bytes.div_ceil(1400);
        let frame_bytes = bytes + packets * 14;
        let counters = Counters {
            packets,
            bytes,
            frame_bytes,
            device_packets: packets,
            device_bytes: frame_bytes,
            ..Counters::default()
        };
        interval.flows.push(&key, &counters);
    }
    interval
}
