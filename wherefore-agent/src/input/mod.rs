//! Where intervals come from: the kernel's maps, libpcap, capture files. Owns the contract and the
//! choice between the live sources, with its reason.

pub mod ahead;
pub mod capture_file;
pub mod filter;
pub mod frames;
pub mod interfaces;
pub mod kernel;
pub mod kinds;
pub mod libpcap;
mod link_names;
pub mod links;
pub mod memory;
mod netlink;
pub mod replay;
pub mod requests;
mod routes;
pub mod selection;

use std::time::Duration;

use anyhow::{Context, Result};

use crate::evidence::Recorder;
use crate::input::filter::Filter;
use crate::input::memory::Plan;
use crate::options::cli::{Attach, Daq, RunArgs};
use crate::traffic::interval::Interval;
use requests::Requests;
use selection::Selection;

/// Something that counts what moves.
pub trait Source {
    /// Waits for the end of the next interval and gives what moved in it; follows interfaces that
    /// come and go meanwhile. When it is asked to stop it gives what moved last, detached, and then
    /// `None`. Names of interfaces stay known until the next call.
    ///
    /// # Errors
    /// Where counts can no longer be read.
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>>;

    /// Puts another filter in force, for every packet from some moment on: each meets the old one or
    /// the new one, and is counted.
    ///
    /// # Errors
    /// Where this source can't have it; then the old one stays in force.
    fn reload(&mut self, _filter: &Filter) -> Result<()> {
        anyhow::bail!("what is read from files has one filter from its beginning to its end")
    }

    /// What it watches and how, for the log.
    fn describe(&self) -> String;

    /// The name of an interface by the number in flow keys.
    fn interface_name(&self, ifindex: u32) -> String;

    /// Non-fatal damage, said once at the end.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens the source that `--daq` asks for, or the best that works; watched packets go to the
/// recorder.
///
/// # Errors
/// Where none works, with what each lacks.
pub fn open_live(
    args: &RunArgs,
    plan: &Plan,
    recorder: Option<&Recorder>,
) -> Result<Box<dyn Source>> {
    let selection = interfaces::select(&args.interfaces)?;
    let interval = args.common.transfer_interval;
    let filter = Filter::new(&args.common.filter)?;
    match args.daq {
        // Who names a hook, or the kernel, is told by the kernel's side what it cannot do.
        Daq::Auto if args.attach == Attach::Auto && filter.program().is_err() => {
            let part = filter.program().err().map(ToString::to_string);
            tracing::info!(part, "the kernel cannot be told of this filter: taking libpcap");
            open_libpcap(args, plan, selection, interval, filter, recorder)
        }
        Daq::Ebpf => open_kernel(args, plan, selection, interval, &filter, recorder),
        Daq::Libpcap => open_libpcap(args, plan, selection, interval, filter, recorder),
        // Who names a hook wants that one.
        Daq::Auto if args.attach != Attach::Auto => {
            open_kernel(args, plan, selection, interval, &filter, recorder)
        }
        Daq::Auto => {
            match open_kernel(args, plan, selection.clone(), interval, &filter, recorder) {
                Ok(source) => Ok(source),
                Err(error) => {
                    tracing::warn!(
                        reason = format!("{error:#}"),
                        "eBPF does not work here: taking libpcap"
                    );
                    open_libpcap(args, plan, selection, interval, filter, recorder)
                    .map_err(|pcap| anyhow::anyhow!("neither eBPF nor libpcap works:\n  eBPF: {error:#}\n  libpcap: {pcap:#}"))
                }
            }
        }
    }
}

fn open_kernel(
    args: &RunArgs,
    plan: &Plan,
    selection: Selection,
    interval: Duration,
    filter: &Filter,
    recorder: Option<&Recorder>,
) -> Result<Box<dyn Source>> {
    let options = kernel::KernelOptions {
        attach: args.attach,
        order: args.attach_order,
        interval,
        max_flows: args.common.max_flows.or(plan.max_flows),
        debug: args.bpf_debug,
        object: args.bpf_object.clone(),
        recorder: recorder.cloned(),
        loads_in_turn: plan.loads_in_turn,
    };
    let source = kernel::KernelSource::open(selection, filter, &options)
        .context("cannot count in the kernel (--daq ebpf)")?;
    Ok(Box::new(source))
}

fn open_libpcap(
    args: &RunArgs,
    plan: &Plan,
    selection: Selection,
    interval: Duration,
    filter: Filter,
    recorder: Option<&Recorder>,
) -> Result<Box<dyn Source>> {
    let options = libpcap::LibpcapOptions {
        interval,
        snaplen: args.snaplen,
        read_timeout: args.read_timeout,
        max_flows: args.common.max_flows.or(plan.max_flows),
        recorder: recorder.cloned(),
    };
    let source = libpcap::LibpcapSource::open(selection, filter, &options)
        .context("cannot capture packets (--daq libpcap)")?;
    Ok(Box::new(source))
}
