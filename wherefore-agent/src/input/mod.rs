//! The sources of intervals: the kernel's maps, libpcap, capture files. Owns their trait, and the choice
//! between the live sources, with its reason.

pub mod ahead;
pub mod capture_file;
pub mod chosen;
pub mod filter;
pub mod frame;
pub mod frames;
pub mod interfaces;
pub mod kernel;
pub mod kinds;
pub mod libpcap;
mod link_names;
pub mod links;
pub mod memory;
mod netlink;
pub mod owners;
pub mod readings;
pub mod recorder;
pub mod replay;
pub mod requests;
mod routes;
pub mod selection;
mod settings;
pub mod sockets;
mod source;
pub mod translations;

use anyhow::{Context, Result};

use crate::descriptors;
use crate::input::filter::Filter;
use crate::input::memory::Plan;
use recorder::SharedRecorder;
use selection::Selection;
pub use settings::{Attach, AttachOrder, Daq, Settings};
pub use source::Source;

/// Opens the source that `--daq` names, or the best one that works. Watched packets go to the recorder.
///
/// # Errors
/// If none works; the error has the problem of each.
pub fn open_live(
    settings: &Settings,
    plan: &Plan,
    recorder: Option<&SharedRecorder>,
) -> Result<Box<dyn Source>> {
    let selection = chosen::select(&settings.interfaces)?;
    let filter = Filter::new(&settings.filter)?;
    match settings.daq {
        // A user who names a hook or `--attribution kernel` wants that: the kernel source reports what it
        // cannot do.
        Daq::Auto if settings.is_only_of_kernel() => {
            open_kernel(settings, plan, selection, &filter, recorder)
        }
        Daq::Auto if filter.program().is_err() => {
            let part = filter.program().err().map(ToString::to_string);
            tracing::info!(part, "the kernel cannot evaluate this filter: using libpcap");
            open_libpcap(settings, plan, selection, filter, recorder)
        }
        Daq::Auto if settings.attach == Attach::Auto && plan.is_too_small => {
            tracing::warn!("the memory limit is too low for eBPF: using libpcap");
            open_libpcap(settings, plan, selection, filter, recorder)
        }
        Daq::Ebpf => open_kernel(settings, plan, selection, &filter, recorder),
        Daq::Libpcap => open_libpcap(settings, plan, selection, filter, recorder),
        Daq::Auto => {
            match open_kernel(settings, plan, selection.clone(), &filter, recorder) {
                Ok(source) => Ok(source),
                Err(error) => {
                    tracing::warn!(
                        reason = descriptors::explained(&error),
                        "eBPF does not work here: using libpcap"
                    );
                    open_libpcap(settings, plan, selection, filter, recorder)
                    .map_err(|pcap| anyhow::anyhow!("neither eBPF nor libpcap works:\n  eBPF: {error:#}\n  libpcap: {pcap:#}"))
                }
            }
        }
    }
}

fn open_kernel(
    settings: &Settings,
    plan: &Plan,
    selection: Selection,
    filter: &Filter,
    recorder: Option<&SharedRecorder>,
) -> Result<Box<dyn Source>> {
    let options = kernel::KernelOptions {
        attach: settings.attach,
        order: settings.attach_order,
        interval: settings.interval,
        max_flows: settings.max_flows.or(plan.max_flows),
        debug: settings.bpf_debug,
        object: settings.bpf_object.clone(),
        learns_names: settings.learns_names,
        recorder: recorder.cloned(),
        loads_in_turn: plan.loads_in_turn,
        owners: owners_within(settings.owners, plan),
    };
    let failed = match (settings.daq, settings.owners) {
        (Daq::Auto, owners::Mode::Kernel) => {
            "cannot count in the kernel, which --attribution kernel needs (auto uses what works)"
        }
        _ => "cannot count in the kernel (--daq ebpf)",
    };
    let source = kernel::KernelSource::open(selection, filter, &options).context(failed)?;
    Ok(Box::new(source))
}

/// The default method of attribution if memory is scarce.
fn owners_within(asked: owners::Mode, plan: &Plan) -> owners::Mode {
    if asked != owners::Mode::Auto || !plan.is_narrow {
        return asked;
    }
    tracing::info!(
        "the memory limit is low: looking up processes in /proc (use --attribution kernel to avoid this)"
    );
    owners::Mode::Proc
}

fn open_libpcap(
    settings: &Settings,
    plan: &Plan,
    selection: Selection,
    filter: Filter,
    recorder: Option<&SharedRecorder>,
) -> Result<Box<dyn Source>> {
    let options = libpcap::LibpcapOptions {
        interval: settings.interval,
        snaplen: settings.snaplen,
        read_timeout: settings.read_timeout,
        max_flows: settings.max_flows.or(plan.max_flows),
        recorder: recorder.cloned(),
        owners: settings.owners,
    };
    let source = libpcap::LibpcapSource::open(selection, filter, &options)
        .context("cannot capture packets (--daq libpcap)")?;
    Ok(Box::new(source))
}
