//! What the programs count in the table in front of the flow map, packet by packet: nothing of it is
//! lost when flows take each other's slots, and a full map is full. Owns the proof for one processor
//! and chosen packets; real packets on two are in `live/table.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wherefore_common::abi::program;

use wherefore_common::select::{ACCEPT, Field, MAX_TESTS, Program, REJECT, Test};
use wherefore_common::table::PACKETS_TO_A_SLOT;
use wherefore_common::{Direction, Reason};
use wherefore_tests::kernel::{Counted, Kernel};
use wherefore_tests::lab::Lab;

/// A timer tick is 10 ms at most.
const TICK: Duration = Duration::from_millis(20);

const PROGRAMS: [(&str, Direction); 3] = [
    (program::TC_INGRESS, Direction::Ingress),
    (program::TC_EGRESS, Direction::Egress),
    (program::XDP, Direction::Ingress),
];

/// The bits of a source's first word that do not identify the flow.
const V4: u32 = 10 << 24;
const V6: u32 = 0x20 << 24;

/// Every third flow is of IPv6, whose addresses are not in the slot itself.
fn is_v6(flow: u32) -> bool {
    flow % 3 == 2
}

/// IP bytes of a packet of this flow: unlike those of its neighbours.
fn bytes_of(flow: u32) -> u64 {
    u64::from(if is_v6(flow) { 48 } else { 28 } + flow % 64)
}

/// An Ethernet frame whose source identifies the flow.
fn frame(flow: u32) -> Result<Vec<u8>> {
    if is_v6(flow) {
        return frame_v6([V6 | flow, 0, 0, 1], flow);
    }
    let [_, length] = u16::try_from(bytes_of(flow))?.to_be_bytes();
    let mut frame = vec![2; 12];
    frame.extend([0x08, 0, 0x45, 0, 0, length, 0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend((V4 | flow).to_be_bytes());
    frame.extend([192, 0, 2, 1, 0x10, 0, 0, 53, 0, length - 20, 0, 0]);
    frame.resize(14 + usize::from(length), 0);
    Ok(frame)
}

/// The same of IPv6, with this source and as many bytes as a packet of the flow has.
fn frame_v6(source: [u32; 4], flow: u32) -> Result<Vec<u8>> {
    let length = u8::try_from(bytes_of(flow))?;
    let mut frame = vec![2; 12];
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, length - 40, 17, 64]);
    frame.extend(source.map(u32::to_be_bytes).as_flattened());
    frame.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    frame.extend([0x10, 0, 0, 53, 0, length - 40, 0, 0]);
    frame.resize(14 + usize::from(length), 0);
    Ok(frame)
}

/// The flow of a key of the map.
fn flow_of(key: &[u8]) -> u32 {
    let first = u32::from_be_bytes([key[0], key[1], key[2], key[3]]);
    if first & V6 == 0 { first - V4 } else { first - V6 }
}

/// Runs `trains` of one flow's packets after the other, and says what of each flow was sent.
fn run(kernel: &mut Kernel, name: &str, trains: &[(u32, u32)]) -> Result<BTreeMap<u32, u64>> {
    let mut sent: BTreeMap<u32, u64> = BTreeMap::new();
    for (flow, packets) in trains {
        kernel.run(name, &frame(*flow)?, None, *packets)?;
        *sent.entry(*flow).or_default() += u64::from(*packets);
    }
    Ok(sent)
}

/// Packets by flow, whose bytes are checked.
fn packets_by_flow(counted: &Counted) -> BTreeMap<u32, u64> {
    let each = counted.flows.iter().map(|(key, (packets, bytes, frame_bytes, _))| {
        let flow = flow_of(key);
        assert_eq!(*bytes, packets * bytes_of(flow), "bytes of flow {flow}");
        assert_eq!(*frame_bytes, bytes + packets * 14, "frame bytes of flow {flow}");
        (flow, *packets)
    });
    each.collect()
}

/// Trains of packets of `flows`, in an order and of lengths that look like chance.
fn trains(flows: u32, count: usize) -> Vec<(u32, u32)> {
    let mut random = fastrand::Rng::with_seed(11);
    let longest = PACKETS_TO_A_SLOT as u32 * 3;
    (0..count).map(|_| (random.u32(0..flows), random.u32(1..=longest))).collect()
}

#[test]
fn flows_that_take_each_others_slots_lose_nothing() -> Result<()> {
    const FLOWS: u32 = 1000;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("flows_that_take_each_others_slots", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        // For all there is room in the map, and a slot for each: but not all find one that is free.
        let mut kernel = Kernel::load(direction, FLOWS)?;
        // Twice: what was taken is not there again.
        for _ in 0..2 {
            let sent = run(&mut kernel, name, &trains(FLOWS, 20_000))?;
            let in_table = kernel.packets_in_table()?;
            let counted = kernel.take()?;
            assert!(packets_by_flow(&counted) == sent, "{name}: flows differ from what was sent");
            assert!(counted.remainders.is_empty(), "{name}: {:?}", counted.remainders);
            let all: u64 = sent.values().sum();
            assert!(in_table < all, "{name}: no flow needed the map");
            assert!(in_table > all / 2, "{name}: {in_table} of {all} packets were in the table");
        }
    }
    Ok(())
}

#[test]
fn a_full_map_loses_no_packet() -> Result<()> {
    const CAPACITY: u32 = 64;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_full_map_loses_no_packet", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, CAPACITY)?;
        let sent = run(&mut kernel, name, &trains(50 * CAPACITY, 10_000))?;
        let counted = kernel.take()?;
        let in_flows = packets_by_flow(&counted);
        assert!(in_flows.iter().all(|(flow, packets)| sent.get(flow) >= Some(packets)), "{name}");
        assert!(in_flows.len() >= CAPACITY as usize, "{name}: {} flows", in_flows.len());
        let overflow = counted.remainders.get(&(Reason::Overflow as u8)).context("no overflow")?.0;
        let all: u64 = sent.values().sum();
        assert_eq!(in_flows.values().sum::<u64>() + overflow, all, "{name}");
    }
    Ok(())
}

#[test]
fn a_flow_with_a_free_slot_leaves_the_map_alone() -> Result<()> {
    const PACKETS: u32 = 100_000;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_flow_with_a_free_slot_leaves_the_map_alone", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, 8)?;
        kernel.run(name, &frame(1)?, None, PACKETS)?;
        assert_eq!(kernel.packets_in_table()?, u64::from(PACKETS), "{name}");
        assert_eq!(packets_by_flow(&kernel.take()?), BTreeMap::from([(1, u64::from(PACKETS))]));
    }
    Ok(())
}

#[test]
fn a_hot_flow_gets_the_slot_of_another() -> Result<()> {
    const PACKETS: u32 = 100_000;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_hot_flow_gets_the_slot_of_another", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, 4)?;
        let (mut sent, mut in_table) = (0, 0);
        while sent == in_table {
            sent += 1;
            kernel.run(name, &frame(sent as u32)?, None, 1)?;
            in_table = kernel.packets_in_table()?;
        }
        let last = sent as u32;
        kernel.run(name, &frame(last)?, None, PACKETS)?;
        let in_map = u64::from(PACKETS) + sent - kernel.packets_in_table()?;
        // A test run may be moved to other processors, each of which begins anew.
        let most = (PACKETS_TO_A_SLOT + 1) * std::thread::available_parallelism()?.get() as u64;
        assert!(in_map <= most, "{name}: {in_map} packets were counted in the map");
        let all = packets_by_flow(&kernel.take()?);
        assert_eq!(all.get(&last), Some(&(u64::from(PACKETS) + 1)), "{name}");
    }
    Ok(())
}

#[test]
fn a_flow_has_the_times_of_its_packets() -> Result<()> {
    // Several timer ticks, to which times are exact.
    const BETWEEN: Duration = Duration::from_millis(80);
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_flow_has_the_times_of_its_packets", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, 8)?;
        // Loads the program.
        run(&mut kernel, name, &[(1, 1)])?;
        kernel.take()?;
        let start = Instant::now();
        // The flow is new, and has its slot afterwards, so that the last packet is counted at once.
        run(&mut kernel, name, &[(1, 1)])?;
        while start.elapsed() < BETWEEN {
            std::hint::spin_loop();
        }
        run(&mut kernel, name, &[(1, 1)])?;
        let (spent, seen) = (start.elapsed(), Duration::from_nanos(kernel.nanoseconds_in_table()?));
        assert!(seen > BETWEEN - TICK, "{name}: {seen:?} of {spent:?}");
        assert!(seen < spent + TICK, "{name}: {seen:?} of {spent:?}");
    }
    Ok(())
}

#[test]
fn similar_ipv6_addresses_are_separate_flows() -> Result<()> {
    const FLOWS: u32 = 6;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("similar_ipv6_addresses_are_separate_flows", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, 64)?;
        for turn in 1..=FLOWS {
            for flow in 0..FLOWS {
                // The halves cancel each other out in what the slot has of an address.
                let flow = 3 * flow + 2;
                kernel.run(name, &frame_v6([V6 | flow, 7, V6 | flow, 7], flow)?, None, turn)?;
            }
        }
        let counted = kernel.take()?;
        let packets = u64::from(FLOWS * (FLOWS + 1) / 2);
        let all = (0..FLOWS).map(|flow| (3 * flow + 2, packets)).collect();
        assert_eq!(packets_by_flow(&counted), all, "{name}");
    }
    Ok(())
}

#[test]
fn a_slot_that_is_full_of_frames_goes_on() -> Result<()> {
    // More than a test could send: a slot counts them in 32 bits.
    const BEFORE: u32 = u32::MAX - 10;
    const PACKETS: u32 = 1000;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_slot_that_is_full_of_frames_goes_on", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, 8)?;
        kernel.run(name, &frame(2)?, None, 1)?;
        for turn in 1..=3 {
            let sent = kernel.pretend_frames(BEFORE)?;
            let start = Instant::now();
            kernel.run(name, &frame(2)?, None, 1)?;
            // Until the next timer tick.
            while start.elapsed() < TICK {
                std::hint::spin_loop();
            }
            kernel.run(name, &frame(2)?, None, PACKETS)?;
            let all = sent + u64::from(PACKETS) + 1;
            assert_eq!(kernel.packets_in_table()?, all, "{name}: {turn}");
        }
        let all = kernel.packets_in_table()?;
        assert!(all > 3 * u64::from(BEFORE), "{name}");
        let counted = kernel.take()?;
        let packets: Vec<u64> = counted.flows.values().map(|sums| sums.0).collect();
        assert_eq!(packets, [all], "{name}");
    }
    Ok(())
}

/// A filter program that gives this result for every packet.
fn always(verdict: u8) -> Program {
    let test = Test { span: u64::MAX, then: verdict, otherwise: verdict, ..Test::default() };
    Program { tests: [test; MAX_TESTS] }
}

/// A filter's program that leaves out the flows with this bit in their numbers.
fn without(bit: u8) -> Program {
    let mask = u64::from_ne_bytes([0, 0, 0, 1 << bit, 0, 0, 0, 0]);
    let field = Field::Source0 as u64;
    let test = Test { field, mask, then: ACCEPT, otherwise: REJECT, ..Test::default() };
    Program { tests: [test; MAX_TESTS] }
}

#[test]
fn filtered_traffic_is_counted_separately() -> Result<()> {
    const FLOWS: u32 = 256;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("what_filters_leave_out_is_counted_apart", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        // The flows have room in the map, but few slots, which they take from each other.
        for slots in [8, FLOWS] {
            let mut kernel = Kernel::load(direction, FLOWS)?;
            kernel.use_slots(slots)?;
            let mut watched: BTreeMap<u32, u64> = BTreeMap::new();
            let mut left_out = (0, 0);
            // Flows are left out by one filter and watched by the next, in one interval.
            for bit in [0, 1, 0, 2, 3, 3, 1] {
                kernel.set_program(&without(bit))?;
                for (flow, packets) in run(&mut kernel, name, &trains(FLOWS, 500))? {
                    if flow >> bit & 1 == 0 {
                        *watched.entry(flow).or_default() += packets;
                    } else {
                        left_out = (left_out.0 + packets, left_out.1 + packets * bytes_of(flow));
                    }
                }
            }
            let counted = kernel.take()?;
            let (packets, bytes, ..) =
                counted.remainders.get(&(Reason::Filtered as u8)).context("none filtered")?;
            assert_eq!((*packets, *bytes), left_out, "{name}, {slots} slots");
            assert!(packets_by_flow(&counted) == watched, "{name}, {slots} slots: flows differ");
            assert_eq!(counted.remainders.len(), 1, "{name}: {:?}", counted.remainders);
        }
    }
    Ok(())
}

#[test]
fn a_flow_that_is_left_out_has_a_slot() -> Result<()> {
    const PACKETS: u32 = 1000;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_flow_that_is_left_out_has_a_slot", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, 8)?;
        kernel.set_program(&always(REJECT))?;
        kernel.run(name, &frame(1)?, None, PACKETS)?;
        assert_eq!(kernel.packets_in_table()?, u64::from(PACKETS), "{name}");
        assert!(kernel.take()?.flows.is_empty(), "{name}");
    }
    Ok(())
}

#[test]
fn no_slot_of_an_earlier_filter_is_hit() -> Result<()> {
    const PACKETS: u32 = 1000;
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("no_slot_of_an_earlier_filter_is_hit", &reason);
        return Ok(());
    }
    for (name, direction) in PROGRAMS {
        let mut kernel = Kernel::load(direction, 8)?;
        kernel.run(name, &frame(1)?, None, PACKETS)?;
        // All in the kernel's same set, one after the other.
        for verdict in [REJECT, ACCEPT, REJECT, REJECT, ACCEPT] {
            kernel.set_program(&always(verdict))?;
            kernel.run(name, &frame(1)?, None, PACKETS)?;
        }
        let in_table = kernel.packets_in_table()?;
        let counted = kernel.take()?;
        let filtered =
            counted.remainders.get(&(Reason::Filtered as u8)).context("none filtered")?;
        assert_eq!(filtered.0, 3 * u64::from(PACKETS), "{name}");
        assert_eq!(packets_by_flow(&counted), BTreeMap::from([(1, 3 * u64::from(PACKETS))]));
        assert!(in_table > 0, "{name}: the flow was not in the table");
    }
    Ok(())
}
