//! Filter expressions compared with libpcap at random: random expressions on random frames of every link
//! type must select the frames that libpcap returns from a capture file with the same filter.
//!
//! Intended differences (LIMITS.md) are a rule here and no exception. For an expression about
//! flows, a frame is selected exactly where libpcap selects the **plain frame of its flow**: Ethernet,
//! then an IP header without options or extension headers, then the ports. And if nothing that
//! LIMITS.md lists is in the way, see [`frames::obstacle`], libpcap selects the frame itself too.
//! For all other expressions each frame is selected exactly if libpcap selects it.
//!
//! `WHEREFORE_FUZZ_PAIRS=1000000 cargo test --test expression_fuzz fresh` runs as many pairs of an
//! expression and a frame; `WHEREFORE_FUZZ_SEED` repeats a run.

mod expressions;
mod frames;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pcap::Capture;
use wherefore_agent::input::filter::expression::Expression;
use wherefore_agent::input::frame::CapturedFrame;
use wherefore_common::{FlowKey, LinkType};
use wherefore_tests::command::Scratch;

use frames::{Bases, Frame, Swapped};

/// Frames of one link type that meet the same expressions.
const FRAMES: usize = 120;
/// Expressions that meet the same frames.
const EXPRESSIONS: usize = 25;
/// Default number of pairs of an expression and a frame.
const PAIRS: usize = 60_000;

/// Differences that are shown.
const MOST_DIFFERENCES: usize = 10;

/// The findings of a run.
#[derive(Debug, Default)]
struct Sums {
    pairs: usize,
    selected: usize,
    about_flows: usize,
    refused: usize,
    direct: usize,
}

/// Frames of a link type with the files in which libpcap reads them.
struct Batch<'a> {
    link: u16,
    is_swapped: bool,
    frames: &'a [Frame],
    file: &'a Path,
    plain: &'a Path,
}

fn run(seed: u64, pairs: usize) -> Result<Sums> {
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let bases = Bases::load()?;
    let directory = Scratch::new();
    let (file, plain) = (directory.path("frames.pcap"), directory.path("plain.pcap"));
    let mut sums = Sums::default();
    let mut differences = Vec::new();
    while sums.pairs < pairs && differences.len() < MOST_DIFFERENCES {
        let (link, is_swapped) = bases.pick(&mut rng);
        let frames: Vec<_> = (0..FRAMES).map(|_| bases.frame(&mut rng, link, is_swapped)).collect();
        frames::write(
            &file,
            frames::number_of(link),
            Swapped(is_swapped),
            frames.iter().map(Frame::captured),
        )?;
        let plains: Vec<_> = frames.iter().map(Frame::plain).collect();
        let captured = plains.iter().map(|plain| (&plain[..], plain.len() as u32));
        frames::write(&plain, LinkType::ETHERNET.0, Swapped(false), captured)?;
        let batch = Batch { link, is_swapped, frames: &frames, file: &file, plain: &plain };
        for _ in 0..EXPRESSIONS {
            let text = expressions::any(&mut rng, &frames, link);
            if let Err(error) = batch.compare(&text, &mut sums) {
                differences.push(format!("{text:?}: {error:#}"));
            }
        }
    }
    ensure!(differences.is_empty(), "seed {seed}: {}", differences.join("\n"));
    Ok(sums)
}

impl Batch<'_> {
    fn compare(&self, text: &str, sums: &mut Sums) -> Result<()> {
        let theirs = selected_by_libpcap(self.file, text, true);
        let ours = match Expression::new(text) {
            Ok(ours) => ours.context("it is not empty")?,
            Err(error) => {
                ensure!(theirs.is_err(), "refused, but not by libpcap: {error}");
                sums.refused += 1;
                return Ok(());
            }
        };
        if ours.is_about_frames() {
            return self.compare_frames(&ours, theirs, sums);
        }
        sums.about_flows += 1;
        sums.pairs += self.frames.len();
        self.compare_flows(&ours, theirs, text, sums)
    }

    /// libpcap's own programs: each frame is selected as libpcap selects it.
    fn compare_frames(
        &self,
        ours: &Expression,
        theirs: Result<BTreeSet<usize>, String>,
        sums: &mut Sums,
    ) -> Result<()> {
        let check = ours.check(LinkType(self.link), self.is_swapped);
        let Ok(theirs) = theirs else {
            ensure!(check.is_err(), "accepted for link type {}, but not by libpcap", self.link);
            sums.refused += 1;
            return Ok(());
        };
        if check.as_ref().is_err_and(|error| error.to_string().contains("never writes")) {
            // `pppoes` on 802.11: libpcap's selection differs from run to run.
            sums.refused += 1;
            return Ok(());
        }
        check.context("refused, but not by libpcap")?;
        sums.pairs += self.frames.len();
        for (place, frame) in self.frames.iter().enumerate() {
            let is_selected = self.selects(ours, frame);
            ensure!(is_selected == theirs.contains(&place), "{is_selected}: {}", self.show(frame));
            sums.selected += usize::from(is_selected);
        }
        Ok(())
    }

    fn compare_flows(
        &self,
        ours: &Expression,
        theirs: Result<BTreeSet<usize>, String>,
        text: &str,
        sums: &mut Sums,
    ) -> Result<()> {
        let of_plain = or_none(selected_by_libpcap(self.plain, text, true))?;
        let theirs = or_none(theirs)?;
        // libpcap's optimiser changes the selection of some expressions, such as `host (A or not B and (B or C))`
        // (1.10.3; tcpdump -O takes a packet from C to D, tcpdump does not): the unoptimised selection counts, too.
        let agrees = |file: &Path, theirs: &BTreeSet<usize>, place: usize, is_selected: bool| {
            let is_so = |places: &BTreeSet<usize>| places.contains(&place) == is_selected;
            is_so(theirs) || selected_by_libpcap(file, text, false).is_ok_and(|all| is_so(&all))
        };
        for (place, frame) in self.frames.iter().enumerate().filter(|(_, frame)| frame.is_in_flow())
        {
            let is_selected = self.selects(ours, frame);
            let is_right = agrees(self.plain, &of_plain, place, is_selected);
            ensure!(is_right, "{is_selected}, by its flow: {}", self.show(frame));
            sums.selected += usize::from(is_selected);
            if frames::obstacle(self.link, self.is_swapped, frame).is_none() {
                let is_right = agrees(self.file, &theirs, place, is_selected);
                ensure!(is_right, "{is_selected}, directly: {}", self.show(frame));
                sums.direct += 1;
            }
        }
        Ok(())
    }

    fn selects(&self, ours: &Expression, frame: &Frame) -> bool {
        let captured = CapturedFrame {
            time_ns: 0,
            link: LinkType(self.link),
            is_swapped: self.is_swapped,
            wire_len: frame.wire_len,
            bytes: &frame.bytes,
            ifindex: 0,
        };
        ours.selects(&frame.key.unwrap_or_default(), &captured)
    }

    fn show(&self, frame: &Frame) -> String {
        let Frame { bytes, wire_len, key, offset } = frame;
        let key = key.as_ref().map(show_flow);
        let Self { link, is_swapped, .. } = self;
        format!("link {link} {is_swapped} offset {offset} of {wire_len} {key:?} {bytes:02x?}")
    }
}

fn show_flow(key: &FlowKey) -> String {
    let FlowKey { protocol, sport, dport, .. } = *key;
    format!("{protocol} {}:{sport} -> {}:{dport}", key.src_ip(), key.dst_ip())
}

/// The positions of the frames that libpcap returns from a file, or its error if it refuses.
fn selected_by_libpcap(
    file: &Path,
    text: &str,
    is_optimised: bool,
) -> Result<BTreeSet<usize>, String> {
    let mut capture = Capture::from_file(file).map_err(|error| error.to_string())?;
    capture.filter(text, is_optimised).map_err(|error| error.to_string())?;
    let mut places = BTreeSet::new();
    while let Ok(packet) = capture.next_packet() {
        places.insert(packet.header.ts.tv_sec as usize);
    }
    Ok(places)
}

/// An expression that selects no packet is an error for libpcap, and valid for us.
fn or_none(theirs: Result<BTreeSet<usize>, String>) -> Result<BTreeSet<usize>> {
    match theirs {
        Ok(places) => Ok(places),
        Err(words) if words.contains("rejects all packets") => Ok(BTreeSet::new()),
        Err(words) => anyhow::bail!("accepted, but not by libpcap: {words}"),
    }
}

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().expect("a number"))
}

fn check(seed: u64) -> Result<()> {
    let pairs = asked("WHEREFORE_FUZZ_PAIRS").map_or(PAIRS, |pairs| pairs as usize);
    let start = Instant::now();
    let sums = run(asked("WHEREFORE_FUZZ_SEED").unwrap_or(seed), pairs)?;
    println!("{sums:?} in {:?}", start.elapsed());
    // Else it would prove nothing.
    ensure!(sums.selected > pairs / 20 && sums.direct > pairs / 20, "{sums:?}");
    Ok(())
}

#[test]
fn a_known_seed_selects_what_libpcap_selects() -> Result<()> {
    check(16)
}

#[test]
fn a_fresh_seed_selects_what_libpcap_selects() -> Result<()> {
    check(fastrand::u64(..))
}
