//! A filter that changes while packets flow: each meets the old one or the new one, never a part of
//! both, and all are counted.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use anyhow::{Context, Result};
use wherefore_agent::input::filter::{self, Filter};
use wherefore_agent::input::kernel::{KernelOptions, KernelSource};
use wherefore_agent::input::libpcap::{LibpcapOptions, LibpcapSource};
use wherefore_agent::input::requests::{Requests, requests};
use wherefore_agent::input::selection::Selection;
use wherefore_agent::input::{Attach, AttachOrder, Source};
use wherefore_agent::traffic::interval::{Interval, Totals};
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::packets::{Flows, Sent, many_flows};

use super::load;

const INTERVAL: Duration = Duration::from_millis(100);

/// A thread that sends on demand: the source's own thread drops the privileges for it.
struct Traffic {
    loads: Sender<Flows>,
    sent: Receiver<Result<Sent>>,
}

impl Traffic {
    fn send(&self, load: Flows) -> Result<Sent> {
        self.loads.send(load)?;
        self.sent.recv()?
    }
}

fn filter(cidr: &str, expression: &str) -> Result<Filter> {
    let settings = filter::Settings {
        cidr: vec![cidr.parse()?],
        inside: true,
        expression: Some(expression.to_owned()),
        ..filter::Settings::default()
    };
    Ok(Filter::new(&settings)?)
}

/// Opens a source on `b`'s device; called in its namespace.
fn open(lab: &Lab, is_kernel: bool, filter: &Filter) -> Result<Box<dyn Source>> {
    let selection = Selection::new(std::slice::from_ref(&lab.b.device));
    if is_kernel {
        let options = KernelOptions {
            learns_names: false,
            owners: wherefore_agent::input::owners::Mode::Off,
            recorder: None,
            loads_in_turn: false,
            attach: Attach::Auto,
            order: AttachOrder::default(),
            interval: INTERVAL,
            max_flows: None,
            debug: false,
            object: None,
        };
        return Ok(Box::new(KernelSource::open(selection, filter, &options)?));
    }
    let options = LibpcapOptions {
        owners: wherefore_agent::input::owners::Mode::Off,
        recorder: None,
        interval: INTERVAL,
        snaplen: 65_536,
        read_timeout: Duration::from_millis(10),
        max_flows: None,
    };
    Ok(Box::new(LibpcapSource::open(selection, filter.clone(), &options)?))
}

fn next(source: &mut dyn Source, requests: &Requests) -> Result<Interval> {
    source.next(requests)?.context("the source has ended")
}

/// Intervals until one in which nothing moves, together.
fn until_quiet(source: &mut dyn Source, requests: &Requests) -> Result<Totals> {
    let mut totals = Totals::default();
    loop {
        let interval = next(source, requests)?;
        totals.add(&interval);
        if totals.frames > 0 && interval.flows.is_empty() && interval.remainders.is_empty() {
            return Ok(totals);
        }
    }
}

/// Two filters of which neither watches the traffic, while each one's prefixes with the other's
/// expression would.
fn check_mixture(traffic: &Traffic, source: &mut dyn Source, requests: &Requests) -> Result<()> {
    let filters = [filter("10.77.0.0/24", "tcp")?, filter("192.0.2.0/24", "udp")?];
    let (mut totals, mut reloads) = (Totals::default(), 0);
    source.reload(&filters[1])?;
    traffic.loads.send(load(100, 6000))?;
    let sent = loop {
        for _ in 0..10 {
            source.reload(&filters[reloads % 2])?;
            reloads += 1;
        }
        let interval = next(source, requests)?;
        totals.add(&interval);
        assert!(interval.interfaces.iter().all(|reading| reading.agrees()), "{interval:?}");
        assert_eq!(interval.flows.len(), 0, "after {reloads} changes");
        match traffic.sent.try_recv() {
            Ok(sent) => break sent?,
            Err(TryRecvError::Empty) => {}
            Err(error) => return Err(error.into()),
        }
    };
    let last = next(source, requests)?;
    totals.add(&last);
    totals.add(&next(source, requests)?);
    assert!(last.interfaces.iter().all(|reading| reading.agrees()), "{last:?}");
    assert_eq!((totals.ip, totals.filtered, totals.lost_packets), (sent.frames, sent.frames, 0));
    assert!(reloads >= 20, "only {reloads} changes");
    println!("{} packets, {reloads} changes of the filter", sent.frames);
    Ok(())
}

/// Packets after a change meet the new filter.
fn check_order(traffic: &Traffic, source: &mut dyn Source, requests: &Requests) -> Result<()> {
    let net = "10.77.0.0/24";
    for (expression, watched) in [("udp", true), ("tcp", false), ("src port 1024", false)] {
        source.reload(&filter(net, expression)?)?;
        let sent = traffic.send(load(10, 10))?;
        let totals = until_quiet(source, requests)?;
        let filtered = match (watched, expression) {
            (true, _) => 0,
            (false, "tcp") => sent.frames,
            // One of ten flows has this port.
            (false, _) => sent.frames * 9 / 10,
        };
        assert_eq!((totals.ip, totals.filtered), (sent.frames, filtered), "{expression}");
    }
    Ok(())
}

/// Flows that the kernel counts in slots by now, and no interval ends: packets after a
/// change meet the new filter nevertheless. Three filters, so that each set of the kernel's two
/// gets another one than before.
fn check_hot_flows(traffic: &Traffic, source: &mut dyn Source, requests: &Requests) -> Result<()> {
    const FILTERS: [(&str, u64); 3] = [("udp", 10), ("tcp", 0), ("src port 1024", 1)];
    let (mut sent, mut watched) = (0, 0);
    for (expression, flows) in FILTERS.iter().cycle().take(4 * FILTERS.len()) {
        source.reload(&filter("10.77.0.0/24", expression)?)?;
        let frames = traffic.send(load(10, 100))?.frames;
        sent += frames;
        watched += frames / 10 * flows;
    }
    let totals = until_quiet(source, requests)?;
    assert_eq!((totals.ip, totals.filtered, totals.lost_packets), (sent, sent - watched, 0));
    Ok(())
}

/// The same while packets flow: after the interval of the change there is no flow any more.
fn check_under_traffic(
    traffic: &Traffic,
    source: &mut dyn Source,
    requests: &Requests,
) -> Result<()> {
    let [all, none] = [filter("10.77.0.0/24", "udp")?, filter("10.77.0.0/24", "tcp")?];
    let (mut totals, mut flows) = (Totals::default(), 0);
    traffic.loads.send(load(4, 100_000))?;
    let sent = loop {
        source.reload(&all)?;
        let before = next(source, requests)?;
        source.reload(&none)?;
        let between = next(source, requests)?;
        let after = next(source, requests)?;
        assert_eq!(after.flows.len(), 0, "of another filter");
        for interval in [before, between, after] {
            assert!(interval.interfaces.iter().all(|reading| reading.agrees()), "{interval:?}");
            flows += interval.flows.iter().map(|(_, flow)| flow.device_packets).sum::<u64>();
            totals.add(&interval);
        }
        match traffic.sent.try_recv() {
            Ok(sent) => break sent?,
            Err(TryRecvError::Empty) => {}
            Err(error) => return Err(error.into()),
        }
    };
    let rest = next(source, requests)?;
    assert_eq!(rest.flows.len(), 0, "of another filter");
    totals.add(&rest);
    assert_eq!((totals.ip, flows + totals.filtered), (sent.frames, sent.frames));
    assert!(flows > 0 && totals.filtered > 0, "{flows} and {}", totals.filtered);
    Ok(())
}

fn check(test: &str, is_kernel: bool) -> Result<()> {
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let (loads, to_send) = channel();
    let (report, sent) = channel();
    let traffic = Traffic { loads, sent };
    let lab = &lab;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            to_send.iter().try_for_each(|load| report.send(many_flows(&lab.a, &lab.b, load)))
        });
        check_source(lab, is_kernel, traffic)
    })
}

fn check_source(lab: &Lab, is_kernel: bool, traffic: Traffic) -> Result<()> {
    let inside = move || {
        let (_requester, requests) = requests(None);
        let mut source = open(lab, is_kernel, &Filter::default())?;
        check_order(&traffic, source.as_mut(), &requests)?;
        check_mixture(&traffic, source.as_mut(), &requests)?;
        if is_kernel {
            // Libpcap reads packets when an interval is asked for, by the filter of that time.
            check_hot_flows(&traffic, source.as_mut(), &requests)?;
            // At full speed, of which libpcap may lose a part.
            check_under_traffic(&traffic, source.as_mut(), &requests)?;
        }
        let beyond = filter("10.77.0.0/24", "greater 1")?;
        let tcp = filter("10.77.0.0/24", "tcp")?;
        source.reload(&tcp)?;
        if is_kernel {
            let error =
                source.reload(&beyond).expect_err("the kernel cannot evaluate it").to_string();
            assert!(error.contains("greater 1"), "{error}");
        }
        let sent = traffic.send(load(10, 10))?;
        let totals = until_quiet(source.as_mut(), &requests)?;
        assert_eq!(totals.filtered, sent.frames, "the old filter is not in force any more");
        Ok(())
    };
    lab.b.enter(inside)?
}

#[test]
fn the_kernels_filter_changes_between_two_packets() -> Result<()> {
    check("the_kernels_filter_changes_between_two_packets", true)
}

#[test]
fn libpcaps_filter_changes_between_two_packets() -> Result<()> {
    check("libpcaps_filter_changes_between_two_packets", false)
}
