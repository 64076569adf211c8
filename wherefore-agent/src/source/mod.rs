//! Where intervals come from: the kernel's maps, libpcap, capture files. Owns the contract and the
//! choice between the live sources, with its reason.

pub mod capture_file;
pub mod frames;
pub mod interfaces;
pub mod kernel;
pub mod libpcap;
pub mod replay;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cli::{Attach, Daq, RunArgs};
use crate::evidence::Recorder;
use crate::filter::Filter;
use crate::interval::Interval;
use crate::source::interfaces::Interface;

/// Something that counts what moves.
pub trait Source {
    /// Waits for the end of the next interval and gives what moved in it. After `stop` it gives
    /// what moved last, detached, and then `None`.
    ///
    /// # Errors
    /// Where counts can no longer be read.
    fn next(&mut self, stop: &Stop) -> Result<Option<Interval>>;

    /// What it watches and how, for the log.
    fn describe(&self) -> String;

    /// The name of an interface by the number in flow keys.
    fn interface_name(&self, ifindex: u32) -> String;

    /// Non-fatal damage, said once at the end.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Tells the sources to stop: a signal or the end of `--duration`.
pub struct Stop {
    requests: std::sync::mpsc::Receiver<()>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Stops when something is sent or its senders are gone, or at the deadline.
    pub fn new(requests: std::sync::mpsc::Receiver<()>, deadline: Option<Instant>) -> Self {
        Self { requests, deadline }
    }

    /// Waits until `time`; true as soon as it is time to stop.
    pub fn wait_until(&self, time: Instant) -> bool {
        let until = self.deadline.map_or(time, |deadline| deadline.min(time));
        let wait = until.saturating_duration_since(Instant::now());
        match self.requests.recv_timeout(wait) {
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => self.is_over(),
            Ok(()) | Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => true,
        }
    }

    /// Whether it is time to stop, without waiting.
    pub fn is_requested(&self) -> bool {
        use std::sync::mpsc::TryRecvError;
        !matches!(self.requests.try_recv(), Err(TryRecvError::Empty)) || self.is_over()
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Opens the source that `--daq` asks for, or the best that works; watched packets go to the
/// recorder.
///
/// # Errors
/// Where none works, with what each lacks.
pub fn open_live(args: &RunArgs, recorder: Option<&Recorder>) -> Result<Box<dyn Source>> {
    let interfaces = interfaces::choose(&args.interfaces)?;
    let interval = args.common.transfer_interval;
    let filter = Filter::new(&args.common.filter);
    match args.daq {
        Daq::Ebpf => open_kernel(args, interfaces, interval, &filter, recorder),
        Daq::Libpcap => open_libpcap(args, interfaces, interval, filter, recorder),
        // Who names a hook wants that one.
        Daq::Auto if args.attach != Attach::Auto => {
            open_kernel(args, interfaces, interval, &filter, recorder)
        }
        Daq::Auto => {
            match open_kernel(args, interfaces.clone(), interval, &filter, recorder) {
                Ok(source) => Ok(source),
                Err(error) => {
                    tracing::warn!(
                        reason = format!("{error:#}"),
                        "eBPF does not work here: taking libpcap"
                    );
                    open_libpcap(args, interfaces, interval, filter, recorder)
                    .map_err(|pcap| anyhow::anyhow!("neither eBPF nor libpcap works:\n  eBPF: {error:#}\n  libpcap: {pcap:#}"))
                }
            }
        }
    }
}

fn open_kernel(
    args: &RunArgs,
    interfaces: Vec<Interface>,
    interval: Duration,
    filter: &Filter,
    recorder: Option<&Recorder>,
) -> Result<Box<dyn Source>> {
    let options = kernel::KernelOptions {
        attach: args.attach,
        interval,
        max_flows: args.common.max_flows,
        debug: args.bpf_debug,
        object: args.bpf_object.clone(),
        recorder: recorder.cloned(),
    };
    let source = kernel::KernelSource::open(interfaces, filter, &options)
        .context("cannot count in the kernel (--daq ebpf)")?;
    Ok(Box::new(source))
}

fn open_libpcap(
    args: &RunArgs,
    interfaces: Vec<Interface>,
    interval: Duration,
    filter: Filter,
    recorder: Option<&Recorder>,
) -> Result<Box<dyn Source>> {
    let options = libpcap::LibpcapOptions {
        interval,
        snaplen: args.snaplen,
        read_timeout: args.read_timeout,
        max_flows: args.common.max_flows,
        recorder: recorder.cloned(),
    };
    let source = libpcap::LibpcapSource::open(interfaces, filter, &options)
        .context("cannot capture packets (--daq libpcap)")?;
    Ok(Box::new(source))
}
