//! Translates options to the settings of the layers below. Owns which option sets what.

use anyhow::{Result, bail};

use crate::evidence;
use crate::input::{self, memory, replay};
use crate::options::cli::{CommonArgs, RunArgs};
use crate::output::outputs;
use crate::usage::UsageError;

impl RunArgs {
    /// Settings of live input.
    pub fn input(&self) -> input::Settings {
        input::Settings {
            interfaces: self.interfaces.clone(),
            daq: self.daq,
            attach: self.attach,
            attach_order: self.attach_order,
            bpf_debug: self.bpf_debug,
            learns_names: self.common.places.passive_dns,
            bpf_object: self.bpf_object.clone(),
            snaplen: self.snaplen,
            read_timeout: self.read_timeout,
            interval: self.common.transfer_interval,
            max_flows: self.common.max_flows,
            owners: self.attribution.attribution,
            filter: self.common.filter.settings(),
        }
    }

    /// Settings that determine how much memory is needed.
    pub fn memory(&self) -> memory::MemorySettings {
        let evidence = &self.common.evidence;
        memory::MemorySettings {
            max_flows: self.common.max_flows,
            keeps_packets: evidence.is_on(),
            evidence_ring: evidence.evidence_ring.unwrap_or_default(),
        }
    }
}

impl CommonArgs {
    /// Settings of a replay.
    pub fn replay(&self, reorder: u32, shows_progress: bool) -> replay::Settings {
        replay::Settings {
            filter: self.filter.settings(),
            interval: self.transfer_interval,
            max_flows: self.max_flows,
            reorder,
            shows_progress,
        }
    }

    /// Settings of evidence; `snaplen` bytes of each logged packet are kept.
    pub fn evidence(&self, snaplen: u32) -> evidence::Settings {
        self.evidence.settings(self.group_by, self.log_dir.as_deref(), snaplen)
    }

    /// Settings of output files.
    pub fn outputs(&self) -> outputs::Settings {
        let [flows, alerts, series] =
            [&self.flows, &self.alerts, &self.series].map(|path| path.clone());
        let export = self.export.settings(self.host());
        outputs::Settings { flows, alerts, series, export }
    }

    /// Refuses to group by owners if the input has none.
    ///
    /// # Errors
    /// If such a grouping is set. `source` names the input in the error.
    pub fn refuse_owners(&self, source: &str) -> Result<()> {
        if self.group_by.is_of_owners() {
            bail!(UsageError(format!(
                "--group-by {}: {source} does not know the owners of bytes",
                self.group_by.name()
            )));
        }
        Ok(())
    }

    /// The name of this host in alerts.
    pub fn host(&self) -> String {
        let own = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        self.host_name.clone().or_else(own).unwrap_or_else(|| "this host".to_owned())
    }
}
