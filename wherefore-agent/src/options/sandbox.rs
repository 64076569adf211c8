//! The access that the sandbox must allow, derived from the options. Owns which options name files that are
//! written, and which ports are needed besides those of sinks.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::cli::{RunArgs, Sandbox};
use super::{Reload, history_settings};
use crate::confine;
use crate::output::export::Collector;
use crate::output::sinks::SinkSpec;

/// DNS (long answers use TCP), and HTTPS, which most sinks use, also those that are configured later.
const PORTS: [u16; 2] = [53, 443];

/// The settings of the sandbox for a run with these options and sinks.
pub(crate) fn sandbox(
    args: &RunArgs,
    specs: &[SinkSpec],
    reload: Option<&Reload>,
) -> confine::Settings {
    confine::Settings {
        is_on: args.sandbox == Sandbox::On,
        read: reload.map(Reload::files).unwrap_or_default(),
        written: written(args, specs),
        folders: folders(args),
        ports: ports(args, specs),
        looks_into_processes: false,
        starts_programs: specs.iter().any(|spec| matches!(spec, SinkSpec::Command(_))),
    }
}

fn written(args: &RunArgs, specs: &[SinkSpec]) -> Vec<PathBuf> {
    let common = &args.common;
    let history = history_settings(common, true).map(|history| history.path);
    let outputs = [&common.flows, &common.alerts, &common.series, &args.socket];
    let outputs = outputs.into_iter().flatten().filter(|path| path.as_os_str() != "-");
    let of_sinks = specs.iter().filter_map(|spec| match spec {
        SinkSpec::File(to) => Some(to.path.clone()),
        _ => None,
    });
    outputs.cloned().chain(history).chain(of_sinks).collect()
}

fn folders(args: &RunArgs) -> Vec<PathBuf> {
    let evidence = args.common.evidence(args.snaplen);
    let given = [&args.common.state_dir, &args.common.log_dir];
    let given = given.into_iter().flatten().cloned();
    let of_systemd = std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
    given.chain(evidence.log_dir).chain(evidence.archive_dir).chain(of_systemd).collect()
}

/// All ports that sinks and exporters connect to; `None` if one of them is not known in advance.
fn ports(args: &RunArgs, specs: &[SinkSpec]) -> Option<BTreeSet<u16>> {
    let mut ports = BTreeSet::from(PORTS);
    let export = &args.common.export;
    ports.extend(export.ipfix.iter().filter_map(Collector::tcp_port));
    if let Some(receiver) = &export.otlp {
        ports.insert(receiver.tcp_port()?);
    }
    if export.kafka.is_some() {
        // Brokers name the ports of each other.
        return None;
    }
    for spec in specs {
        ports.extend(spec.tcp_ports()?);
    }
    Some(ports)
}
