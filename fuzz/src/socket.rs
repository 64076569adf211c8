//! Messages of an agent, or of a hostile process in its place, to the live view: a message, and its picture.
//!
//! Nothing panics.

use wherefore_agent::output::reading::{Reading, ViewMessage};

/// See the module.
pub fn run(data: &[u8]) {
    let Ok(message) = postcard::from_bytes::<ViewMessage>(data) else { return };
    if let ViewMessage::Reading(reading) = message {
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
