//! Settings of the kernel side. Owns only the values.

use std::path::PathBuf;
use std::time::Duration;

use crate::input::owners::Mode;
use crate::input::recorder::SharedRecorder;
use crate::input::settings::{Attach, AttachOrder};

/// Settings of the kernel side.
#[derive(Debug, Clone)]
pub struct KernelOptions {
    /// The hook.
    pub attach: Attach,
    /// The position among other programs on the hook.
    pub order: AttachOrder,
    /// Length of an interval.
    pub interval: Duration,
    /// The guaranteed capacity in flows; 131,072 by default.
    pub max_flows: Option<u32>,
    /// Whether frames in no flow are logged.
    pub debug: bool,
    /// An object to use instead of the built-in one.
    pub object: Option<PathBuf>,
    /// Whether DNS answers are passed on, to learn names from them.
    pub learns_names: bool,
    /// The recorder of packets.
    pub recorder: Option<SharedRecorder>,
    /// Whether programs are loaded one after another, which takes longer but needs less memory at a time.
    pub loads_in_turn: bool,
    /// How owners of flows are found.
    pub owners: Mode,
}
