//! A byte that selects a file of the state directory, then that file: open incidents, places seen,
//! or baselines, whose digest is corrected.
//!
//! Nothing panics, and an agent that continues from it judges the next interval.

use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};
use wherefore_agent::attribute::Directory;
use wherefore_agent::message::{AlertContext, Alerting, Settings};
use wherefore_agent::options::{EngineSettings, message_settings};
use wherefore_agent::output::state::State;
use wherefore_agent::traffic::interval::Interval;
use wherefore_agent::traffic::named;

use crate::{scratch, seeds};

/// The beginning of the file of baselines.
const MAGIC: &[u8] = b"wherefore past 3\n";

static INTERVAL: LazyLock<Arc<Interval>> = LazyLock::new(seeds::interval);

/// See the module.
pub fn run(data: &[u8]) {
    let Some((which, content)) = data.split_first() else { return };
    let folder = scratch::folder("state");
    let (name, content) = match which % 3 {
        0 => ("incidents.json", content.to_vec()),
        1 => ("places.json", content.to_vec()),
        _ => ("past", [MAGIC, &Sha256::digest(content)[..], content].concat()),
    };
    std::fs::write(folder.join(name), content).expect("a scratch file");
    let state = State::open(&folder).expect("a state directory");
    let mut alerting = alerting();
    alerting.engine.resume_places(state.seen_places());
    let ifindex = |name: &str| (name.len() < 4).then_some(7);
    alerting.restore(state.incidents(), ifindex);
    if let Some((names, past)) = state.past().read::<(Vec<String>, _)>() {
        for name in &names {
            named::key_of(name);
        }
        // An unusable file is reported and ignored.
        let _ = alerting.engine.resume(past, &ifindex);
    }
    let directory = Directory::of_known(Arc::default(), Default::default());
    let name = |number: u32| format!("eth{number}");
    let context = AlertContext { host: "host", interface_name: &name, directory: &directory };
    alerting.step(&INTERVAL, &context);
    alerting.engine.snapshot(&name);
}

fn alerting() -> Alerting {
    let common = seeds::common();
    let settings = EngineSettings::new(&common, 1000).expect("settings");
    let said: Settings = message_settings(&common);
    Alerting::new(settings, said).expect("an engine")
}
