//! Tests the laboratory against the kernel: its packets must arrive, be counted to the byte, and be
//! understood by the receiving stack.
//!
//! Without the needed privilege, every test prints SKIPPED to standard error and passes.
#![forbid(unsafe_code)]

mod floods;
mod frames;
mod traffic;

use std::panic::catch_unwind;
use std::time::Duration;

use anyhow::Result;
use wherefore_tests::lab::frames::{Network, Transport};
use wherefore_tests::lab::{Counters, Family, Lab, Namespace, wait_until};

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Checks that each end received exactly the bytes of the other, and nothing was dropped.
fn assert_agree([a, b]: [Counters; 2]) {
    assert_eq!((a.tx_packets, a.tx_bytes), (b.rx_packets, b.rx_bytes));
    assert_eq!((b.tx_packets, b.tx_bytes), (a.rx_packets, a.rx_bytes));
    // The receivers' drops include frames that arrived without a receiver.
    assert_eq!([a.tx_dropped, b.tx_dropped], [0; 2]);
}

/// Checks that `a` sent exactly these frames and `b` nothing.
fn assert_one_way(counted: [Counters; 2], frames: u64, bytes: u64) {
    assert_agree(counted);
    let [a, b] = counted;
    assert_eq!((a.tx_packets, a.tx_bytes), (frames, bytes));
    assert_eq!(b.tx_packets, 0);
}

/// The network header from `a` to `b`.
fn network(lab: &Lab, family: Family) -> Network {
    Network::between(lab.a.address(family), lab.b.address(family))
}

/// A small UDP datagram to the discard port.
fn datagram() -> Transport {
    Transport::udp(4000, 9, b"wherefore".to_vec())
}

#[test]
fn drop_removes_the_namespaces_even_in_a_panic() -> Result<()> {
    let Some(lab) = Lab::or_skip("drop_removes_the_namespaces_even_in_a_panic")? else {
        return Ok(());
    };
    let paths = [lab.a.namespace.path(), lab.b.namespace.path()];
    assert!(paths.iter().all(|path| path.exists()));
    let panicked = catch_unwind(move || {
        let _inside = lab;
        panic!("on purpose");
    });
    assert!(panicked.is_err());
    assert!(paths.iter().all(|path| !path.exists()));
    Ok(())
}

#[test]
fn a_dead_process_leaves_nothing_for_long() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_dead_process_leaves_nothing_for_long")? else {
        return Ok(());
    };
    // Pids stop at 2^22, so this one never lives.
    let stale = Namespace::create("wf-4194304-0-a")?;
    let path = stale.path();
    std::mem::forget(stale);
    let _second = Lab::new()?;
    // Another test's laboratory may be the one that is removing it.
    assert!(wait_until(Duration::from_secs(5), || !path.exists()));
    assert!(lab.a.namespace.path().exists(), "a live laboratory was removed");
    Ok(())
}

#[test]
fn a_fresh_lab_is_quiet() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_fresh_lab_is_quiet")? else {
        return Ok(());
    };
    let (counted, ()) = lab.measure(|| {
        // Nothing must happen in this time: there is no condition to wait for.
        std::thread::park_timeout(Duration::from_secs(2));
        Ok(())
    })?;
    assert_eq!(counted, [Counters::default(); 2]);
    Ok(())
}

#[test]
fn commands_run_inside_with_the_mounts_of_the_host() -> Result<()> {
    let Some(lab) = Lab::or_skip("commands_run_inside_with_the_mounts_of_the_host")? else {
        return Ok(());
    };
    let output = lab
        .a
        .namespace
        .command("cat")
        .args(["/proc/self/mounts", "/proc/self/net/dev"])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("veth-a") && !text.contains("veth-b"));
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    let first = mounts.lines().filter(|line| line.contains(" /sys"));
    assert!(first.into_iter().all(|line| text.contains(line)));
    Ok(())
}
