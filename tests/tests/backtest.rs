//! Tests `wherefore backtest` as its users see it: what would have been reported, for captures, flows of an
//! agent and series. The output is the same every time, and foreign input does no harm.
#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;
use wherefore_agent::attribute::Directory;
use wherefore_agent::input::Source;
use wherefore_agent::input::replay::ReplaySource;
use wherefore_agent::input::requests::requests;
use wherefore_agent::options::cli::{Cli, Command};
use wherefore_agent::output::export::Exports;
use wherefore_agent::output::jsonl::{FlowExport, JsonLines};
use wherefore_agent::traffic::interval::Totals;
use wherefore_tests::command::{Run, Scratch, run, run_with_input};
use wherefore_tests::corpus::directory;

/// Judged by the seven methods, so that the findings are known.
const METHODS: [&str; 2] = ["--anom-methods", "magnitude,diff,highrank,lowrank"];

fn burst() -> PathBuf {
    directory().join("made").join("quiet-then-burst.pcap.gz")
}

fn backtest(file: &Path, more: &[&str]) -> Run {
    let start: [&OsStr; 2] = ["backtest".as_ref(), file.as_os_str()];
    run(start.into_iter().chain(more.iter().map(AsRef::as_ref)))
}

/// The incidents and the summary.
fn lines(run: &Run) -> (Vec<Value>, Value) {
    let parse = |line| serde_json::from_str(line).unwrap();
    let mut objects: Vec<Value> = run.stdout.lines().map(parse).collect();
    let summary = objects.pop().unwrap();
    assert_eq!(summary["type"], "summary");
    objects.retain(|object| object["type"] != "held_back");
    assert!(objects.iter().all(|object| object["type"] == "incident"));
    (objects, summary)
}

/// The flows of each interval of a capture, as a live agent writes them.
fn export(capture: &Path, to: &Path) {
    let arguments = [OsStr::new("wherefore"), OsStr::new("replay"), capture.as_os_str()];
    let Some(Command::Replay(args)) = Cli::try_parse_from(arguments).unwrap().command else {
        panic!("a replay")
    };
    let how = args.common.replay(args.reorder, false);
    let mut source = ReplaySource::open(&args.files, &how, None).unwrap();
    let mut flows = FlowExport::new(JsonLines::create(to).unwrap(), true, usize::MAX);
    let (_requester, requests) = requests(None);
    let directory = Directory::default();
    let mut totals = Totals::default();
    while let Some(interval) = source.next(&requests).unwrap() {
        totals.add(&interval);
        flows.add(&interval, &|ifindex| source.interface_name(ifindex), &directory).unwrap();
    }
    flows.finish(&totals, &[], &Exports::default(), &directory).unwrap();
}

/// Two series, of which the first is a hundred times as much from minute 20 to 22 on.
fn series_with_a_jump(first: &str) -> String {
    let mut text = String::from("series,timestamp,value\n");
    for minute in 0..60 {
        let jump = if (20..22).contains(&minute) { 100 } else { 1 };
        let time = format!("2026-01-01T00:{minute:02}:00Z");
        let _ = writeln!(text, "{first},{time},{}", 200_000 * jump + minute * 10);
        let _ = writeln!(text, "other,{time},{}", 300_000 + minute * 10);
    }
    text
}

fn write(scratch: &Scratch, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = scratch.path(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn the_burst_of_a_capture_is_found_when_it_happens() {
    let (incidents, summary) = lines(&backtest(&burst(), &METHODS).succeeded());
    let [incident] = &incidents[..] else { panic!("{incidents:#?}") };
    assert_eq!(incident["began"], "2026-01-01T00:01:40.000000000Z");
    assert_eq!(incident["told"], "2026-01-01T00:01:45.000000000Z");
    assert_eq!(
        (&incident["src"], &incident["dst"]),
        (&"10.0.0.13".into(), &"198.51.100.99".into())
    );
    assert_eq!((&incident["kind"], &incident["budget"]), (&"volume".into(), &Value::Null));
    assert_eq!(summary["intervals"], 24);
    assert_eq!(summary["budgets"][0]["by_kind"]["volume"], 1);
}

#[test]
fn a_backtest_and_a_replay_report_the_same() {
    let replay = ["replay".into(), burst().into_os_string(), "--alerts".into(), "-".into()];
    let replay = run(replay.iter().chain(&METHODS.map(Into::into))).succeeded();
    let alert: Value = serde_json::from_str(replay.stdout.lines().next().unwrap()).unwrap();
    let (incidents, _) = lines(&backtest(&burst(), &METHODS).succeeded());
    for (ours, theirs) in [("text", "text"), ("key", "key"), ("began", "started"), ("told", "time")]
    {
        assert_eq!(incidents[0][ours], alert[theirs]);
    }
}

#[test]
fn exported_flows_give_the_same_incidents_as_their_capture() {
    let scratch = Scratch::new();
    let flows = scratch.path("flows.jsonl");
    export(&burst(), &flows);
    let (expected, of_capture) = lines(&backtest(&burst(), &METHODS).succeeded());
    let (incidents, summary) = lines(&backtest(&flows, &METHODS).succeeded());
    assert_eq!(incidents, expected);
    for field in ["start", "end", "intervals", "interval_seconds", "groups", "bytes", "packets"] {
        assert_eq!(summary[field], of_capture[field], "{field}");
    }
    let filtered = backtest(&flows, &["--filter-exclude", "198.51.100.99", METHODS[0], METHODS[1]]);
    assert_eq!(lines(&filtered.succeeded()).0, [] as [Value; 0]);
}

/// The flows of the burst with an owner for each: `rsync` sends the burst, the kernel the rest.
fn owned_flows(path: &Path) {
    export(&burst(), path);
    let mut text = String::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let mut flow: Value = serde_json::from_str(line).unwrap();
        let fields = flow.as_object_mut().unwrap();
        let fields_of_owner = match fields.get("dst").and_then(Value::as_str) {
            Some("198.51.100.99") => vec![
                ("source.process.pid", Value::from(811)),
                ("source.process.executable.path", "/usr/bin/rsync".into()),
                ("source.process.user.name", "backup".into()),
                ("source.wherefore.systemd.unit", "backup.service".into()),
                ("source.container.id", "0123456789abcdef".into()),
                ("dst_name", "updates.example.org".into()),
            ],
            Some(_) => vec![("wherefore.unattributed", "kernel".into())],
            None => vec![],
        };
        fields.extend(fields_of_owner.into_iter().map(|(name, value)| (name.to_owned(), value)));
        writeln!(text, "{flow}").unwrap();
    }
    fs::write(path, text).unwrap();
}

#[test]
fn groups_of_owners_and_names_are_those_of_the_records() {
    let scratch = Scratch::new();
    let flows = scratch.path("flows.jsonl");
    owned_flows(&flows);
    for (group_by, src, dst) in [
        ("process", "rsync", "*"),
        ("user", "backup", "*"),
        ("unit", "backup.service", "*"),
        ("container", "0123456789ab", "*"),
        ("pod", "[no pod]", "*"),
        ("name", "*", "updates.example.org"),
    ] {
        let run = backtest(&flows, &["--group-by", group_by, METHODS[0], METHODS[1]]);
        let (incidents, _) = lines(&run.succeeded());
        let is_it = |incident: &&Value| incident["src"] == src && incident["dst"] == dst;
        let found: Vec<_> = incidents.iter().filter(is_it).collect();
        let [incident] = found[..] else { panic!("{group_by}: {incidents:#?}") };
        assert_eq!(incident["began"], "2026-01-01T00:01:40.000000000Z", "{group_by}");
    }
    for group_by in ["country", "asn"] {
        backtest(&flows, &["--group-by", group_by]).succeeded();
    }
    export(&burst(), &flows);
    let refused = backtest(&flows, &["--group-by", "process"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("contains no owners"), "{}", refused.stderr);
}

#[test]
fn flows_are_read_compressed_from_standard_input_and_cut_short() {
    let scratch = Scratch::new();
    let path = scratch.path("flows.jsonl");
    export(&burst(), &path);
    let (expected, _) = lines(&backtest(&path, &METHODS).succeeded());
    let flows = fs::read(&path).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&flows).unwrap();
    let arguments = ["backtest", "-", METHODS[0], METHODS[1]];
    // An agent that was killed leaves half a line.
    let cut = [flows.strip_suffix(b"}\n").unwrap(), b""].concat();
    for input in [flows, packed.finish().unwrap(), cut] {
        let run = run_with_input(arguments, &input).succeeded();
        assert_eq!(lines(&run).0, expected);
    }
}

#[test]
fn a_jump_of_a_series_is_found_under_its_name() {
    let scratch = Scratch::new();
    let file = write(&scratch, "series.csv", series_with_a_jump("web, east"));
    let (incidents, summary) = lines(&backtest(&file, &METHODS).succeeded());
    assert_eq!(summary["interval_seconds"], 60.0);
    let first = &incidents[0];
    assert_eq!((&first["series"], &first["src"]), (&"web, east".into(), &Value::Null));
    assert_eq!(first["began"], "2026-01-01T00:20:00.000000000Z");
    let text = first["text"].as_str().unwrap();
    assert!(text.contains(": web, east, 20.0 MB in ") && !text.contains("fd00"), "{text}");
    assert!(incidents.iter().all(|one| one["series"] == "web, east"), "{incidents:#?}");
}

#[test]
fn budgets_stand_side_by_side() {
    let (_, summary) = lines(&backtest(&burst(), &[]).succeeded());
    let names = |summary: &Value| -> Vec<_> {
        let budgets = summary["budgets"].as_array().unwrap().iter();
        budgets.map(|one| one["budget"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&summary), ["1/day", "10/day", "100/day"]);
    let asked = ["--at-budget", "2/hour", "--at-budget", "3/week", "--at-budget", "2/hour"];
    let (_, summary) = lines(&backtest(&burst(), &asked).succeeded());
    assert_eq!(names(&summary), ["3/week", "2/hour"]);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let scratch = Scratch::new();
    let (one, other) = (scratch.path("one.svg"), scratch.path("other.svg"));
    for more in [&[][..], &METHODS] {
        let once = backtest(&burst(), &[more, &["--svg", one.to_str().unwrap()]].concat());
        let again = backtest(&burst(), &[more, &["--svg", other.to_str().unwrap()]].concat());
        assert_eq!(once.succeeded().stdout, again.succeeded().stdout);
        assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
    }
}

/// Whether elements are closed in the order in which they are opened, and all text is escaped.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("not closed: {part}"));
        assert!(!text.contains('>'), "{text}");
        let is_entity = |rest: &str| {
            ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|known| rest.starts_with(known))
        };
        assert!(part.split('&').skip(1).all(is_entity), "{part}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0]);
    let is_allowed = |c: char| c == '\n' || !c.is_control();
    assert!(svg.chars().all(is_allowed));
}

#[test]
fn hostile_names_stay_text() {
    let scratch = Scratch::new();
    let hostile = "\u{1b}[2J<script>alert('&\")</script>]]>\u{7}\u{202e}";
    let file = write(&scratch, "<i>.csv", series_with_a_jump(hostile));
    let svg = scratch.path("plot.svg");
    let arguments = [&METHODS[..], &["--svg", svg.to_str().unwrap()]].concat();
    let (incidents, _) = lines(&backtest(&file, &arguments).succeeded());
    assert_eq!(incidents[0]["series"], hostile);
    let svg = scratch.read("plot.svg");
    assert_well_formed(&svg);
    assert!(svg.contains("&lt;script&gt;alert(&#39;&amp;&quot;)"), "{svg}");
    assert!(!svg.contains("<script") && !svg.contains("<i>") && !svg.contains('\u{202e}'));
    assert!(svg.contains("prefers-color-scheme:dark") && !svg.contains("href"));
}

#[test]
fn an_svg_has_the_incident_at_its_place() {
    let scratch = Scratch::new();
    let path = scratch.path("plot.svg");
    let arguments = [&METHODS[..], &["--svg", path.to_str().unwrap()]].concat();
    backtest(&burst(), &arguments).succeeded();
    let svg = scratch.read("plot.svg");
    assert_well_formed(&svg);
    // From 100 s of 120 on: 96 + 1080 * 100 / 120.
    assert!(svg.contains(r#"class="span volume" x="996.0""#), "{svg}");
    assert!(svg.contains("10.0.0.13 -&gt; 198.51.100.99"));
}

/// The output of a backtest of this input, which comes through a pipe in two pieces.
fn through_a_pipe(scratch: &Scratch, name: &str, input: &[u8], first: usize) -> Run {
    let pipe = scratch.path(name);
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (head, tail) = input.split_at(first);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
            std::io::Write::write_all(&mut writer, head).unwrap();
            // The reader has them by then, or will have them with the rest: both are well.
            (0..1000).for_each(|_| std::thread::yield_now());
            std::io::Write::write_all(&mut writer, tail).unwrap();
        });
        backtest(&pipe, &METHODS)
    })
}

#[test]
fn a_pipe_is_read_as_a_file_is_whatever_is_in_it() {
    let scratch = Scratch::new();
    let capture = fs::read(burst()).unwrap();
    let series = series_with_a_jump("web");
    for (name, input) in [("capture", &capture[..]), ("series", series.as_bytes())] {
        let (_, whole) = lines(&backtest(&write(&scratch, name, input), &METHODS).succeeded());
        for first in [1, 3, 30] {
            let run = through_a_pipe(&scratch, &format!("{name}{first}"), input, first);
            let (_, summary) = lines(&run.succeeded());
            assert_eq!(summary["budgets"], whole["budgets"], "{name} {first}");
            assert_eq!(summary["bytes"], whole["bytes"], "{name} {first}");
        }
    }
}

#[test]
fn a_written_series_reads_back() {
    let scratch = Scratch::new();
    let series = scratch.path("series.jsonl");
    let (capture, path) = (burst(), series.to_str().unwrap());
    run(["replay", capture.to_str().unwrap(), "--series", path]).succeeded();
    let (_, of_capture) = lines(&backtest(&capture, &METHODS).succeeded());
    let (incidents, of_series) = lines(&backtest(&series, &METHODS).succeeded());
    assert_eq!(of_series["bytes"], of_capture["bytes"]);
    assert_eq!(of_series["interval_seconds"], 5.0, "{of_series}");
    assert!(
        incidents
            .iter()
            .any(|one| one["series"].to_string().contains("10.0.0.13 -> 198.51.100.99")),
        "{incidents:?}"
    );
    // Only the first and the last interval of a minute: their numbers show how many are between them.
    let sparse = "{\"interval\":0,\"start\":\"2026-01-01T00:00:00Z\",\"src\":\"a\",\"dst\":\"b\",\"packets\":1,\"bytes\":5,\"frame_bytes\":9}\n\
                  {\"interval\":12,\"start\":\"2026-01-01T00:01:00Z\",\"src\":\"a\",\"dst\":\"b\",\"packets\":1,\"bytes\":5,\"frame_bytes\":9}\n";
    let (_, summary) = lines(&backtest(&write(&scratch, "sparse", sparse), &[]).succeeded());
    assert_eq!(summary["interval_seconds"], 5.0);
}

#[test]
fn long_csv_of_other_programs_is_read() {
    let scratch = Scratch::new();
    let plain = series_with_a_jump("web");
    let (_, expected) = lines(&backtest(&write(&scratch, "plain", &plain), &METHODS).succeeded());
    let quoted =
        plain.replacen("series,timestamp,value", "\"Series\", \"Timestamp\", \"Value\"", 1);
    for (name, text) in [
        ("bom", format!("\u{feff}{plain}")),
        ("crlf", plain.replace('\n', "\r\n")),
        ("quoted", quoted.replace("web", "\"web\"")),
    ] {
        let (_, summary) = lines(&backtest(&write(&scratch, name, text), &METHODS).succeeded());
        assert_eq!(summary["budgets"], expected["budgets"], "{name}");
        assert_eq!(summary["bytes"], expected["bytes"], "{name}");
    }
    let gaps = format!("{plain}web,2026-01-01T01:00:00Z,-5\nweb,2026-01-01T01:01:00Z,NaN\n");
    let run = backtest(&write(&scratch, "gaps", gaps), &METHODS).succeeded();
    assert!(run.stderr.contains("2 negative values or NaN count as 0"), "{}", run.stderr);
    let utf16: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, text, reason) in [
        ("semicolons", plain.replace(',', ";").into_bytes(), "semicolons"),
        (
            "decimal",
            plain.replacen(",200000\n", ",200000,5\n", 1).into_bytes(),
            "decimals need a point",
        ),
        ("utf16", utf16.clone(), "iconv"),
        ("utf16-bom", [&[0xff, 0xfe][..], &utf16].concat(), "iconv"),
    ] {
        let run = backtest(&write(&scratch, name, text), &METHODS);
        assert_eq!(run.code, Some(2), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(reason), "{name}: {}", run.stderr);
    }
}

#[test]
fn unusable_input_is_refused_with_advice() {
    let scratch = Scratch::new();
    let csv = |name, rows| write(&scratch, name, format!("series,timestamp,value\n{rows}"));
    let flow = r#"{"proto":6,"src":"10.0.0.1","sport":1,"dst":"10.0.0.2","dport":2,"packets":1,"bytes":18446744073709551615,"frame_bytes":1,"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","tcp_flags":0"#;
    let timed =
        r#","interval_start":"2026-01-01T00:00:00Z","interval_end":"2026-01-01T00:00:05Z"}"#;
    let sums = directory().join("made").join("network.pcap.flows.jsonl");
    let cases = [
        (write(&scratch, "text", "hello\n"), 2, "neither flows as JSON Lines"),
        (csv("back.csv", "a,5,1\na,4,1\n"), 2, "line 3: the time is before that of the line above"),
        (csv("value.csv", "a,5,many\n"), 2, "line 2: \"many\" is not a number"),
        (csv("time.csv", "a,noon,1\n"), 2, "line 2: \"noon\" is neither a number of seconds"),
        (csv("infinite.csv", "a,5,1\na,6,inf\n"), 2, "line 3: inf is not a finite number"),
        (csv("fields.csv", "a\n"), 2, "line 2: \"a\" is not series,timestamp,value"),
        (csv("none.csv", ""), 2, "contains no points"),
        (write(&scratch, "json", "{\"a\":1}\n"), 2, "line 1: not a flow in the format of --flows"),
        (write(&scratch, "huge", format!("{flow}{timed}\n")), 2, "more bytes"),
        (sums, 2, "a replay writes the sums of all its time"),
        (write(&scratch, "empty", ""), 1, "it is empty"),
        (scratch.path("nowhere"), 1, "cannot open"),
        (directory(), 1, "is a directory"),
    ];
    for (file, code, problem) in cases {
        let run = backtest(&file, &METHODS);
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        assert!(run.stderr.contains(problem), "{problem}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn options_without_effect_are_refused() {
    let scratch = Scratch::new();
    let csv = write(&scratch, "series.csv", series_with_a_jump("a"));
    let before = fs::read(&csv).unwrap();
    let name = csv.to_str().unwrap();
    for (arguments, problem) in [
        (&["--at-budget", "5/day", "--alert-threshold", "0.9"][..], "--at-budget: a threshold"),
        (&["--at-budget", "5/day", "--compat"], "--at-budget: a threshold"),
        (&["--at-budget", "5/year"], "must be a number in an hour"),
        (&["--filter-ip-cidr", "10.0.0.0/8"], "series have no addresses"),
        (&["--sink=file,path=x"], "--sink: this command has no such option"),
        (&["--svg", name], "it cannot also be an output"),
        (&[burst().to_str().unwrap()], "are of different kinds"),
    ] {
        let run = backtest(&csv, arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(problem), "{problem}: {}", run.stderr);
    }
    assert_eq!(fs::read(&csv).unwrap(), before);
}
