//! The trait of every source. Owns this contract; refuses to know any source.

use std::time::Duration;

use anyhow::Result;

use super::filter::Filter;
use super::owners::KernelRecords;
use super::requests::Requests;
use crate::traffic::interval::Interval;

/// A source of intervals.
pub trait Source {
    /// Waits for the end of the next interval and returns its traffic. Meanwhile, follows interfaces that
    /// appear and disappear. After a request to stop, detaches and returns the rest, and then `None`. Names
    /// of interfaces stay known until the next call.
    ///
    /// # Errors
    /// If counts can no longer be read.
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>>;

    /// Changes the filter for all packets from some moment on. Each packet meets either the old filter or the
    /// new one, and is counted.
    ///
    /// # Errors
    /// If this source cannot use it: the old one then stays in force.
    fn reload(&mut self, _filter: &Filter) -> Result<()> {
        anyhow::bail!("the filter of a replay cannot change while it runs")
    }

    /// Changes the length of intervals from the next one on. A source of files keeps its length.
    fn set_interval(&mut self, _interval: Duration) {}

    /// What it watches and how, for the log.
    fn describe(&self) -> String;

    /// The name of an interface, by its number in flow keys.
    fn interface_name(&self, ifindex: u32) -> String;

    /// The kernel's records of socket use, if there are any. They can be taken once.
    fn take_kernel_records(&mut self) -> Option<Box<dyn KernelRecords>> {
        None
    }

    /// Damage that did not end the run, reported once at the end.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
