//! Tests files, pipes and frames as inputs of a replay.

use super::*;

/// A capture of one packet of UDP each second.
pub(super) fn datagrams(link: u32, count: u32) -> Vec<u8> {
    let order = common::Order::Little;
    let mut ip = vec![0x45, 0, 0, 38, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    ip.extend([3, 232, 7, 208, 0, 18, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let frame = [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0][..], &ip].concat();
    let header = common::Header { link, ..common::Header::default() };
    let packets = (1..=count).flat_map(|time| common::record(order, &[time, 0, 52, 52], &frame));
    header.bytes(order).into_iter().chain(packets).collect()
}

fn replay_paths(paths: &[PathBuf]) -> Run {
    let arguments = paths.iter().map(|path| path.as_os_str());
    run([OsStr::new("replay")].into_iter().chain(arguments).chain(["--flows", "-"].map(OsStr::new)))
}

#[test]
fn a_pipe_is_opened_once_wherever_it_stands() {
    let scratch = Scratch::new();
    let file = scratch.path("file");
    fs::write(&file, datagrams(1, 3)).unwrap();
    for (number, (before, after)) in [(0, 0), (1, 0), (0, 1), (2, 2)].into_iter().enumerate() {
        let pipe = scratch.path(&format!("pipe{number}"));
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let writer = pipe.clone();
        // In pieces, so that a header comes in several.
        let writer = std::thread::spawn(move || {
            let mut pipe = fs::OpenOptions::new().write(true).open(writer)?;
            datagrams(1, 2).chunks(7).try_for_each(|piece| pipe.write_all(piece))
        });
        let files = |count| std::iter::repeat_n(file.clone(), count);
        let paths: Vec<_> = files(before).chain([pipe]).chain(files(after)).collect();
        let run = replay_paths(&paths).succeeded();
        let expected = 3 * (before + after) as u64 + 2;
        assert_eq!(number_of_frames(&run), expected, "{before} {after}: {}", run.stderr);
        writer.join().unwrap().expect("nobody closes the pipe before its end");
    }
    let mut from_device = command(["replay", "/dev/stdin", "--flows", "-"]);
    from_device.stdin(fs::File::open(&file).unwrap());
    assert_eq!(number_of_frames(&Run::from(from_device.output().unwrap()).succeeded()), 3);
}

pub(super) fn number_of_frames(run: &Run) -> u64 {
    number(&totals(run), "frames")
}

#[test]
fn empty_files_are_skipped_with_a_warning() {
    let scratch = Scratch::new();
    let [whole, tiny, text] = ["whole", "tiny", "text"].map(|name| scratch.path(name));
    fs::write(&whole, datagrams(1, 1)).unwrap();
    fs::write(&text, "no capture, but a text").unwrap();
    for length in [0, 1, 3, 4, 23] {
        fs::write(&tiny, &datagrams(1, 1)[..length]).unwrap();
        let paths = [whole.clone(), tiny.clone(), whole.clone()];
        for paths in [&paths[..], &[paths[1].clone(), paths[0].clone(), paths[2].clone()]] {
            let run = replay_paths(paths).succeeded();
            assert_eq!(number_of_frames(&run), 2, "{length}: {}", run.stderr);
            let warnings = run.stderr.lines().filter(|line| line.contains(" WARN "));
            let warnings: Vec<_> = warnings.filter(|line| line.contains("tiny")).collect();
            assert_eq!(warnings.len(), 1, "{length}: {}", run.stderr);
        }
    }
    // A file of another kind is an error, after everything that can be read.
    let run = replay_paths(&[whole.clone(), text, whole]);
    assert_eq!((run.code, number_of_frames(&run)), (Some(1), 2), "{}", run.stderr);
    assert!(run.stderr.contains("text is not a capture file"), "{}", run.stderr);
}

#[test]
fn a_link_type_that_is_not_read_is_named() {
    for (link, name) in [
        (189, "189 (LINKTYPE_USB_LINUX)"),
        (147, "147 (LINKTYPE_USER0)"),
        (60_000, "60000 (a number"),
    ] {
        let run = run_with_input(["replay", "-", "--flows", "-"], &datagrams(link, 3)).succeeded();
        assert_eq!(number(&totals(&run), "non_ip"), 3);
        let said: Vec<_> = run.stderr.lines().filter(|line| line.contains(name)).collect();
        assert_eq!(said.len(), 1, "{link}: {}", run.stderr);
        assert!(said[0].contains("radiotap"), "{}", run.stderr);
    }
    let order = common::Order::Little;
    let mut mixed = common::section(order);
    for link in [1, 189, 147] {
        mixed.extend(common::interface(order, link, 0, &[]));
    }
    for interface in [0, 1, 0, 2, 1] {
        mixed.extend(common::enhanced(order, interface, 0, 60, &[0; 60]));
    }
    let run = run_with_input(["replay", "-"], &mixed).succeeded();
    assert_eq!(run.stderr.matches("as it is not read").count(), 2, "{}", run.stderr);
    assert!(!replay("network.pcap", &[]).stderr.contains("as it is not read"));
    let odd =
        run_with_input(["replay", "-", "--flows", "-"], &datagrams(0x02c5_0001, 1)).succeeded();
    assert!(odd.stderr.contains("reserved bits"), "{}", odd.stderr);
    assert_eq!(number(&totals(&odd), "ip"), 1);
}

/// The only flow of a capture of one frame, padded to the shortest that Ethernet sends.
fn flow_of(ethertype: u16, packet: &[u8], trailer: &[u8]) -> Value {
    let order = common::Order::Little;
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(packet);
    frame.extend(trailer);
    let length = frame.len() as u32;
    let record = common::record(order, &[1, 0, length, length], &frame);
    let file = [common::Header::default().bytes(order), record].concat();
    let run = run_with_input(["replay", "-", "--flows", "-"], &file).succeeded();
    let mut lines = objects(&run.stdout);
    assert_eq!(lines.len(), 2, "{lines:?}");
    lines.remove(0)
}

#[test]
fn bytes_after_a_packet_are_not_read() {
    let v4 = |length: u8, protocol: u8, fragment: u8, payload: &[u8]| {
        let start =
            [0x45, 0, 0, length, 0, 1, fragment, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        [&start[..], payload].concat()
    };
    let v6 = |length: u8, next: u8, payload: &[u8]| {
        let mut packet = vec![0x60, 0, 0, 0, 0, length, next, 64];
        packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].repeat(2));
        [&packet[..], payload].concat()
    };
    let ports = [4, 210, 0, 80, 0, 0, 0, 1];
    // As in TCP: the flags are where the padding is.
    let padding = [0, 0, 0, 0, 0x50, 0x12, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    let tcp = flow_of(0x800, &v4(28, 6, 0x20, &ports), &padding);
    assert_eq!([&tcp["sport"], &tcp["dport"], &tcp["tcp_flags"]], [1234, 80, 0]);
    let almost =
        flow_of(0x800, &v4(33, 6, 0, &[&ports[..], &padding[..5]].concat()), &padding[5..]);
    assert_eq!(almost["tcp_flags"], 0);
    let whole = flow_of(0x800, &v4(34, 6, 0, &[&ports[..], &padding[..6]].concat()), &padding[6..]);
    assert_eq!(whole["tcp_flags"], 0x12);
    let none = flow_of(0x800, &v4(23, 17, 0, &ports[..3]), &[7; 23]);
    assert_eq!([&none["sport"], &none["dport"]], [0, 0]);
    // A header that announces one behind the packet: the announced one is the protocol.
    let hop = [60, 0, 1, 4, 0, 0, 0, 0];
    let trailer = [6, 0, 1, 4, 0, 0, 0, 0, 4, 210, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2];
    assert_eq!(flow_of(0x86dd, &v6(8, 0, &hop), &trailer)["proto"], 60);
    assert_eq!(
        flow_of(0x86dd, &v6(16, 0, &[&hop[..], &trailer[..8]].concat()), &trailer[8..])["proto"],
        6
    );
    let fragment = [6, 0, 0, 0, 0, 0, 0, 1];
    let alone = flow_of(0x86dd, &v6(8, 44, &fragment), &trailer[8..]);
    assert_eq!([&alone["proto"], &alone["sport"], &alone["dport"]], [6, 0, 0]);
    // An empty packet in the shortest frame of all.
    let empty = flow_of(0x86dd, &v6(0, 17, &[]), &[7; 6]);
    assert_eq!([&empty["sport"], &empty["bytes"]], [0, 40]);
    // If the length was left to the device, everything belongs to the packet.
    let large = [&ports[..], &padding, &[9; 3000]].concat();
    for flow in [flow_of(0x800, &v4(0, 6, 0, &large), &[]), flow_of(0x86dd, &v6(0, 6, &large), &[])]
    {
        assert_eq!([&flow["sport"], &flow["tcp_flags"]], [1234, 0x12]);
    }
}

#[test]
fn packets_behind_llc_and_snap_are_parsed() {
    let ip = [
        &[0x45, 0, 0, 38, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..],
        &[3, 232, 7, 208, 0, 18, 0, 0],
        &[7; 10],
    ]
    .concat();
    let mut v6 = vec![0x60, 0, 0, 0, 0, 18, 17, 64];
    v6.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].repeat(2));
    v6.extend(&ip[20..]);
    let layers: [(&[u8], &[u8]); 9] = [
        (&[8, 0], &ip),
        (&[0x86, 0xdd], &v6),
        (&[0x81, 0, 0, 5, 8, 0], &ip),
        (&[0x81, 0, 0, 5, 0x86, 0xdd], &v6),
        (&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0], &ip),
        (&[0x88, 0x47, 0, 0, 0x11, 64], &ip),
        (&[0x81, 0, 0, 5, 0x88, 0x47, 0, 0, 0x11, 64], &ip),
        (&[0x88, 0x64, 0x11, 0, 0, 1, 0, 40, 0, 0x21], &ip),
        (&[0x81, 0, 0, 5, 0x88, 0x64, 0x11, 0, 0, 1, 0, 40, 0, 0x21], &ip),
    ];
    let order = common::Order::Little;
    let wifi = [&[8, 1, 0, 0][..], &[2; 18], &[0, 0]].concat();
    let cooked = [&[0, 0, 0, 1, 0, 6][..], &[2; 8], &[0, 4]].concat();
    for (layer, packet) in layers {
        let llc = [&[0xaa, 0xaa, 3, 0, 0, 0][..], layer, packet].concat();
        let ethernet = [&[2; 12][..], &(llc.len() as u16).to_be_bytes()].concat();
        let tagged = [&[2; 12][..], &[0x81, 0, 0, 9], &(llc.len() as u16).to_be_bytes()].concat();
        for (link, before) in [(1, &ethernet), (1, &tagged), (105, &wifi), (113, &cooked)] {
            let frame = [before.clone(), llc.clone()].concat();
            let length = frame.len() as u32;
            let header = common::Header { link, ..common::Header::default() };
            let record = common::record(order, &[1, 0, length, length], &frame);
            let file = [header.bytes(order), record].concat();
            let run = run_with_input(["replay", "-", "--flows", "-"], &file).succeeded();
            let flow = &objects(&run.stdout)[0];
            assert_eq!(
                [&flow["proto"], &flow["sport"], &flow["dport"]],
                [17, 1000, 2000],
                "{link} {layer:x?}"
            );
        }
    }
}
