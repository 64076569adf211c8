//! nfcapd, and a relay that accepts TCP for it. Owns their processes, ports and files; refuses to judge
//! their data.

use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use wherefore_tests::command::{Scratch, wait_until};
use wherefore_tests::skip;

use crate::Flows;

/// A running collector.
pub(crate) struct Nfcapd {
    child: Child,
    port: u16,
    scratch: Scratch,
}

/// The collected flows.
pub(crate) struct Collected {
    records: Vec<Value>,
    /// Gaps in the sequence numbers.
    pub(crate) sequence_failures: u64,
}

/// A port that was free just now.
pub(crate) fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nfcapd {
    /// Starts it and waits until it listens.
    pub(crate) fn or_skip(test: &str) -> Option<Self> {
        if !Path::new("/usr/bin/nfcapd").exists() {
            skip(test, "no nfcapd (Debian: nfdump)");
            return None;
        }
        let (scratch, port) = (Scratch::new(), free_port());
        let mut command = Command::new("/usr/bin/nfcapd");
        command.arg("-w").arg(scratch.path("")).args(["-b", "127.0.0.1", "-t", "86400"]);
        command.args(["-p", &port.to_string(), "-B", "4000000"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let nfcapd = Self { child, port, scratch };
        wait_until("nfcapd listens", || nfcapd.waiting().is_some());
        Some(nfcapd)
    }

    pub(crate) fn url(&self, protocol: &str) -> String {
        format!("{protocol}://127.0.0.1:{}", self.port)
    }

    /// Bytes that wait in its socket.
    fn waiting(&self) -> Option<u64> {
        let sockets = std::fs::read_to_string("/proc/net/udp").unwrap();
        let local = format!("0100007F:{:04X}", self.port);
        let line = sockets.lines().find(|line| line.contains(&local))?;
        let queues = line.split_whitespace().nth(4)?;
        u64::from_str_radix(queues.split_once(':')?.1, 16).ok()
    }

    /// Lets it read the waiting messages, stops it, and reads its files.
    pub(crate) fn stop(mut self) -> Collected {
        wait_until("nfcapd has read all", || self.waiting() == Some(0));
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap();
        let nfdump = |arguments: &[&str]| {
            let mut command = Command::new("/usr/bin/nfdump");
            command.arg("-R").arg(self.scratch.path("")).args(arguments);
            let output = command.output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let records = serde_json::from_str(&nfdump(&["-o", "json"])).unwrap();
        let statistics = nfdump(&["-I"]);
        let failures = statistics.lines().find_map(|line| line.strip_prefix("Sequence failures:"));
        let sequence_failures = failures.unwrap().trim().parse().unwrap();
        Collected { records, sequence_failures }
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Collected {
    /// The sums of the records of each flow.
    pub(crate) fn flows(&self) -> Flows {
        let mut flows = Flows::new();
        for record in &self.records {
            let number = |field: &str| record[field].as_u64().unwrap_or(0);
            let address = |version4: &str, version6: &str| {
                let found = record.get(version4).or(record.get(version6));
                found.and_then(Value::as_str).unwrap_or_else(|| panic!("{record}")).to_owned()
            };
            let (src, dst) = (address("src4_addr", "src6_addr"), address("dst4_addr", "dst6_addr"));
            let key = (src, dst, number("src_port"), number("dst_port"), number("proto"));
            let sums = flows.entry(key).or_default();
            sums[0] += number("in_packets");
            sums[1] += number("in_bytes");
        }
        flows
    }
}

/// Takes messages by TCP and hands each on as a datagram.
pub(crate) struct Relay {
    port: u16,
    thread: JoinHandle<Vec<Vec<u8>>>,
}

impl Relay {
    pub(crate) fn start(to: &Nfcapd) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, target) = (listener.local_addr().unwrap().port(), to.port);
        let relay = move || {
            let (mut stream, _) = listener.accept().unwrap();
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(("127.0.0.1", target)).unwrap();
            let (mut messages, mut head) = (Vec::new(), [0; 4]);
            while stream.read_exact(&mut head).is_ok() {
                let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
                let mut message = vec![0; length];
                message[..4].copy_from_slice(&head);
                stream.read_exact(&mut message[4..]).unwrap();
                socket.send(&message).unwrap();
                messages.push(message);
            }
            messages
        };
        Self { port, thread: std::thread::spawn(relay) }
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// All messages, once the connection is over.
    pub(crate) fn finish(self) -> Vec<Vec<u8>> {
        self.thread.join().unwrap()
    }
}
