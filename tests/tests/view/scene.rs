//! A scene: two minutes of made traffic, the same each time, and a screen without a terminal.

use std::net::IpAddr;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use wherefore_agent::message::alert::Alert;
use wherefore_agent::output::reading::{
    Agreement, FlowReading, Hello, Judged, Reading, ViewMessage, Volume, Who,
};
use wherefore_agent::output::terminal::draw::draw;
use wherefore_agent::output::terminal::draw::theme::{Colours, Theme};
use wherefore_agent::output::terminal::keys::{self, Effect};
use wherefore_agent::output::terminal::model::Model;
use wherefore_common::FlowKey;
use wherefore_common::flow::address_words;

/// Start of the scene: 2026-11-29T20:00:00Z.
pub(crate) const START_NS: i64 = 1_795_982_400_000_000_000;
/// Readings, a second each.
pub(crate) const SECONDS: i64 = 120;

/// One of the flows of the scene.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) src: &'static str,
    pub(crate) dst: &'static str,
    pub(crate) ports: (u16, u16),
    pub(crate) protocol: u8,
    /// 1 received, 2 sent.
    pub(crate) direction: u8,
    pub(crate) ifindex: u32,
    pub(crate) owner: u32,
    pub(crate) bytes: fn(i64) -> u64,
}

const HERE: &str = "192.0.2.10";

/// A shop's server: a browser, a backup that bursts, a database, a name server.
pub(crate) const SCRIPT: [Script; 7] = [
    Script {
        src: "198.51.100.7",
        dst: HERE,
        ports: (51_544, 443),
        protocol: 6,
        direction: 1,
        ifindex: 2,
        owner: 1,
        bytes: |at| 20_000 + 3000 * (at % 7) as u64,
    },
    Script {
        src: HERE,
        dst: "198.51.100.7",
        ports: (443, 51_544),
        protocol: 6,
        direction: 2,
        ifindex: 2,
        owner: 1,
        bytes: |at| 400_000 + 90_000 * (at % 7) as u64,
    },
    Script {
        src: HERE,
        dst: "203.0.113.90",
        ports: (40_022, 22),
        protocol: 6,
        direction: 2,
        ifindex: 2,
        owner: 2,
        bytes: |at| if at >= 100 { 12_600_000 } else { 2400 },
    },
    Script {
        src: "203.0.113.90",
        dst: HERE,
        ports: (22, 40_022),
        protocol: 6,
        direction: 1,
        ifindex: 2,
        owner: 2,
        bytes: |at| if at >= 100 { 70_000 } else { 900 },
    },
    Script {
        src: "10.0.3.4",
        dst: "10.0.3.1",
        ports: (5432, 50_938),
        protocol: 6,
        direction: 1,
        ifindex: 3,
        owner: 3,
        bytes: |at| 90_000 * (1 + (at / 10 % 3) as u64),
    },
    Script {
        src: "2001:db8::53",
        dst: "2001:db8::a",
        ports: (53, 33_001),
        protocol: 17,
        direction: 1,
        ifindex: 2,
        owner: 0,
        bytes: |at| if at % 5 == 0 { 420 } else { 0 },
    },
    Script {
        src: HERE,
        dst: "192.0.2.1",
        ports: (0, 0),
        protocol: 1,
        direction: 2,
        ifindex: 2,
        owner: 4,
        bytes: |_| 84,
    },
];

impl Script {
    fn key(&self) -> FlowKey {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let (family, src) = address_words(address(self.src));
        let (_, dst) = address_words(address(self.dst));
        let Self { ports: (sport, dport), protocol, direction, ifindex, .. } = *self;
        FlowKey {
            src,
            dst,
            sport,
            dport,
            protocol,
            direction,
            ifindex,
            family,
            ..FlowKey::default()
        }
    }

    fn moved(&self, at: i64) -> Option<FlowReading> {
        let bytes = (self.bytes)(at);
        let volume = Volume { bytes, packets: bytes.div_ceil(1400) };
        (bytes > 0).then(|| FlowReading::new(&self.key(), volume, self.owner))
    }
}

fn owners() -> Vec<Who> {
    let process = |pid, name: &str, unit: &str| Who {
        process: Some((pid, name.to_owned())),
        unit: Some(unit.to_owned()),
        ..Who::default()
    };
    let kernel = Who { nobody: Some("kernel".to_owned()), ..Who::default() };
    vec![
        process(812, "nginx", "nginx.service"),
        process(4711, "restic", "backup.service"),
        process(990, "postgres", "postgresql.service"),
        kernel,
    ]
}

/// One second of the scene.
pub(crate) fn reading(at: i64, has_owners: bool) -> Reading {
    let mut reading = Reading {
        start_ns: START_NS + at * 1_000_000_000,
        end_ns: START_NS + (at + 1) * 1_000_000_000,
        flows: SCRIPT.iter().filter_map(|script| script.moved(at)).collect(),
        names: vec![(2, "eth0".to_owned()), (3, "docker0".to_owned())],
        agreement: Some(Agreement::Equal),
        ..Reading::default()
    };
    if has_owners {
        reading.owners = owners();
    }
    reading.totals.bytes = reading.flows.iter().map(|moved| moved.volume.bytes).sum();
    reading.totals.non_ip = u64::from(at % 30 == 0);
    reading
}

/// An alert that the backup sends unusually much.
pub(crate) fn alert(status: &str) -> Alert {
    let text = "2026-11-29T20:01:45Z web1: CRITICAL unusual upload: 192.0.2.10 -> 203.0.113.90 \
                (outbound, eth0), 63.0 MB in 5 seconds, usually at most 12.9 kB; expected about \
                once every 3 days; last tcp 40022 -> 22";
    serde_json::from_value(serde_json::json!({
        "status": status, "key": "5a1d", "kind": "volume", "severity": "critical",
        "started": "2026-11-29T20:01:40.000000000Z", "time": "2026-11-29T20:01:45.000000000Z",
        "host": "web1", "interface": "eth0", "group_by": "pair",
        "src": "192.0.2.10", "dst": "203.0.113.90", "bytes": 63_000_000, "packets": 45_000,
        "interval_seconds": 5.0, "bytes_per_second": 12_600_000.0, "usual_bytes": 12_000.0,
        "ratio": 5250.0, "probability": 0.99999, "threshold": 0.999, "due_seconds": 259_200.0,
        "reason": "63.0 MB in 5 seconds, usually at most 12.9 kB", "methods": {},
        "protocol": 6, "sport": 40_022, "dport": 22, "window": [12_000.0, 63_000_000.0],
        "text": text,
    }))
    .expect("an alert")
}

/// The scene after two minutes.
pub(crate) fn model(has_owners: bool) -> Model {
    let mut model = Model::default();
    model.apply(ViewMessage::Hello(Box::new(Hello {
        version: "0.1.0".to_owned(),
        host: "web1".to_owned(),
        source: "eBPF (tcx)".to_owned(),
        interval_seconds: 5.0,
    })));
    for at in 0..SECONDS {
        model.apply(ViewMessage::Reading(Box::new(reading(at, has_owners))));
        if at == 104 {
            let judged = Judged {
                alerts: vec![alert("firing")],
                groups: 7,
                evicted: 0,
                ..Judged::default()
            };
            model.apply(ViewMessage::Judged(Box::new(judged)));
        }
    }
    model.arrange();
    model
}

/// The picture of a model, line by line.
pub(crate) fn picture(model: &Model, [width, height]: [u16; 2]) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
    let theme = Theme::new(Colours::Sixteen);
    terminal.draw(|frame| draw(frame, model, &theme)).expect("a picture");
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| format!("{}\n", line(y).trim_end())).collect()
}

/// Presses a key.
pub(crate) fn press(model: &mut Model, code: KeyCode) -> Effect {
    keys::press(model, KeyEvent::new(code, KeyModifiers::NONE))
}

/// Types a word.
pub(crate) fn type_in(model: &mut Model, word: &str) {
    for letter in word.chars() {
        press(model, KeyCode::Char(letter));
    }
}
