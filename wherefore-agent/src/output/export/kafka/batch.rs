//! An interval on its way, with all that its records need. Owns the type; the flows with records of their own are
//! chosen here, because only their names are copied.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::attribute::Directory;
use crate::output::export::queue::Load;
use crate::output::export::sums::Plan;
use crate::traffic::interval::Interval;

/// An interval on its way.
pub(super) struct Batch {
    pub(super) interval: Arc<Interval>,
    pub(super) plan: Plan,
    /// Its interfaces.
    pub(super) names: Arc<Vec<(u32, String)>>,
    /// Countries and AS, and the names of the addresses in records.
    pub(super) directory: Directory,
}

impl Batch {
    /// With records of their own for this many flows a second.
    pub(super) fn new(
        interval: &Arc<Interval>,
        names: &Arc<Vec<(u32, String)>>,
        directory: &Directory,
        rate: u32,
    ) -> Self {
        let most = (f64::from(rate) * interval.seconds()).ceil().max(1.0) as usize;
        let plan = Plan::new(&interval.flows, most);
        let known = known(interval, &plan, directory);
        let directory = Directory::of_known(directory.geo().clone(), known);
        Self { interval: interval.clone(), plan, names: names.clone(), directory }
    }
}

impl Load for Batch {
    fn interval(&self) -> &Interval {
        &self.interval
    }
}

/// The names of the addresses of flows with records of their own.
fn known(interval: &Interval, plan: &Plan, directory: &Directory) -> FxHashMap<IpAddr, Arc<str>> {
    let keys = plan.alone.iter().map(|at| interval.flows.key(*at as usize));
    let addresses = keys.flat_map(|key| [key.src_ip(), key.dst_ip()]);
    addresses.filter_map(|address| Some((address, directory.name(address)?))).collect()
}
