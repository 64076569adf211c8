//! Adds owners to the intervals of a source. Owns when this happens: as soon as an interval is over, while
//! most sockets still exist.

use anyhow::Result;

use super::owners::Attribution;
use super::settings::Settings;
use crate::input::Source;
use crate::input::filter::Filter;
use crate::input::requests::Requests;
use crate::traffic::interval::Interval;

/// A source whose intervals have owners.
pub struct Attributed {
    source: Box<dyn Source>,
    attribution: Attribution,
}

impl Attributed {
    /// Wraps a source so that its intervals have owners; returns it unchanged if attribution is off. The flag
    /// is true if attribution reads the open files of other processes.
    pub fn open(mut source: Box<dyn Source>, settings: &Settings) -> (Box<dyn Source>, bool) {
        let Some(attribution) = Attribution::open(settings, source.take_kernel_records()) else {
            return (source, false);
        };
        tracing::info!(by = attribution.describe(), "bytes are attributed to processes");
        let looks_into_processes = attribution.looks_into_processes();
        (Box::new(Self { source, attribution }), looks_into_processes)
    }
}

impl Source for Attributed {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        let mut interval = self.source.next(requests)?;
        if let Some(interval) = &mut interval {
            self.attribution.attribute(interval);
        }
        Ok(interval)
    }

    fn reload(&mut self, filter: &Filter) -> Result<()> {
        self.source.reload(filter)
    }

    fn set_interval(&mut self, interval: std::time::Duration) {
        self.source.set_interval(interval);
    }

    fn describe(&self) -> String {
        self.source.describe()
    }

    fn interface_name(&self, ifindex: u32) -> String {
        self.source.interface_name(ifindex)
    }

    fn warnings(&self) -> Vec<String> {
        self.source.warnings()
    }
}
