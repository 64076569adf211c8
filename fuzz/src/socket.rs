//! Messages of an agent, or of a hostile process in its place, to the live view: a message, and its picture.
//!
//! Nothing panics.

use wherefore_agent::output::reading::{News, Reading};

/// See the module.
pub fn run(data: &[u8]) {
    let Ok(news) = postcard::from_bytes::<News>(data) else { return };
    if let News::Reading(reading) = news {
        look(*reading);
    }
}

fn look(reading: Reading) {
    reading.seconds();
    for moved in &reading.flows {
        moved.key();
        reading.owner(moved);
    }
    let mut sum = reading.clone();
    sum.absorb(reading);
}
