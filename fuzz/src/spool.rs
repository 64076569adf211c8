//! The file of alerts that wait for a sink.
//!
//! The agent starts with any content: panics of the database about a damaged file are caught.

use std::path::PathBuf;
use std::sync::Once;

use wherefore_agent::output::sinks::{self, SinkSpec, file};

use crate::scratch;

static QUIET: Once = Once::new();

/// See the module.
pub fn run(data: &[u8]) {
    // The driver's own would end the process at a panic that is caught; it looks at the others itself.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let spool = scratch::folder("spool");
    std::fs::write(spool.join("file.redb"), data).expect("a scratch file");
    let opened = sinks::open(&[sink(scratch::path("alerts.jsonl"))], Some(&spool));
    if let Err(error) = opened {
        panic!("{error:#}");
    }
}

/// A sink whose spool is `file.redb`.
pub(crate) fn sink(path: PathBuf) -> SinkSpec {
    let mut settings = file::Settings::to(path);
    settings.routing.name = Some("file".to_owned());
    SinkSpec::File(settings)
}
