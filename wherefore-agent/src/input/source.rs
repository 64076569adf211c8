//! The contract of every source. Owns the contract; refuses to know any.

use std::time::Duration;

use anyhow::Result;

use super::filter::Filter;
use super::owners::Notes;
use super::requests::Requests;
use crate::traffic::interval::Interval;

/// A source of intervals.
pub trait Source {
    /// Waits for the end of the next interval and returns its traffic; follows interfaces that
    /// appear and vanish meanwhile. When it is asked to stop, it returns the rest, detached, and then
    /// `None`. Names of interfaces stay known until the next call.
    ///
    /// # Errors
    /// If counts can no longer be read.
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>>;

    /// Puts another filter in force, for every packet from some moment on: each meets the old one or
    /// the new one, and is counted.
    ///
    /// # Errors
    /// If this source can't have it; then the old one stays in force.
    fn reload(&mut self, _filter: &Filter) -> Result<()> {
        anyhow::bail!("what is read from files has one filter from its beginning to its end")
    }

    /// Changes the length of intervals from the next one on. A source of files keeps
    /// the length that it was opened with.
    fn set_interval(&mut self, _interval: Duration) {}

    /// A description of what it watches and how, for the log.
    fn describe(&self) -> String;

    /// The name of an interface by the number in flow keys.
    fn interface_name(&self, ifindex: u32) -> String;

    /// The kernel's records of socket use, if there are any; once.
    fn take_notes(&mut self) -> Option<Box<dyn Notes>> {
        None
    }

    /// Non-fatal damage, reported once at the end.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
