//! `wherefore score`: numbers in, one JSON object a line out, the same as the library's result.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;
use wherefore_agent::detect::methods::{Anomalyzer, Method, Options};
use wherefore_tests::command::{Run, Scratch, command, run, run_with_input};

const NUMBERS: [f64; 12] = [10.0, 12.0, 11.0, 10.0, 13.0, 11.0, 95.5, 12.0, 0.0, 0.0, 11.0, 1e9];

fn score(options: &[&str], input: &str) -> Run {
    let is_chosen = options.iter().any(|option| option.starts_with("--detector"));
    let lytics: &[&str] = if is_chosen { &[] } else { &["--detector=lytics"] };
    run_with_input(["score"].iter().chain(lytics).chain(options), input.as_bytes())
}

fn objects(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn numbers() -> String {
    NUMBERS.map(|number| format!("{number}\n")).concat()
}

/// Our defaults (window 10), spelled out.
fn ours() -> Options {
    use Method::{Diff, HighRank, LowRank, Magnitude};
    Options {
        active_size: 1,
        n_seasons: 4,
        sensitivity: 1.0,
        lower_bound: None,
        upper_bound: 1e7,
        methods: vec![Magnitude, Diff, HighRank, LowRank],
        delay: true,
        permutations: 500,
        seed: 0,
    }
}

/// The output is the library's result for the last ten points up to each.
fn agrees(run: &Run, options: Options) {
    let mut anomalyzer = Anomalyzer::new(options).unwrap();
    let lines = objects(run);
    assert_eq!(lines.len(), NUMBERS.len());
    for (end, line) in (1_usize..).zip(&lines) {
        let window = &NUMBERS[end.saturating_sub(10)..end];
        let score = anomalyzer.score(window);
        assert_eq!(line["value"].as_f64(), window.last().copied());
        assert_eq!(line["probability"].as_f64(), Some(score.probability), "{line}");
        let methods = line["methods"].as_object().unwrap();
        assert_eq!(methods.len(), score.methods().count());
        for (method, probability) in score.methods() {
            assert_eq!(methods[method.name()].as_f64(), probability, "{line}");
        }
    }
}

#[test]
fn scores_are_the_librarys() {
    agrees(&score(&[], &numbers()).succeeded(), ours());
}

#[test]
fn without_options_it_judges_as_alerts_do() {
    let default = run_with_input(["score"], numbers().as_bytes()).succeeded();
    assert_eq!(default.stdout, score(&["--detector=flow"], &numbers()).succeeded().stdout);
    assert!(objects(&default).iter().all(|line| line["score"].is_number()), "{}", default.stdout);
    let methods = run_with_input(["score", "--anom-methods=fence"], numbers().as_bytes());
    assert!(objects(&methods.succeeded()).iter().all(|line| line["probability"].is_number()));
}

#[test]
fn methods_can_be_chosen() {
    // A fixed bound needs no history, and so no delay.
    let methods = vec![Method::Fence, Method::Cdf, Method::Ks];
    let options = Options { methods, delay: false, ..ours() };
    let arguments = ["--anom-methods", "fence,cdf,ks"];
    agrees(&score(&arguments, &numbers()).succeeded(), options.clone());
    let bounded = Options { upper_bound: 50.0, lower_bound: Some(5.0), ..options };
    let arguments = ["-anom_methods=fence,cdf,ks", "-anom_upper_bound=50", "-anom_lower_bound=5"];
    agrees(&score(&arguments, &numbers()).succeeded(), bounded);
    let unknown = score(&["--anom-methods", "guess"], "");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("guess"), "{}", unknown.stderr);
}

#[test]
fn compat_is_the_go_tool() {
    use Method::{Diff, Fence, HighRank, LowRank, Magnitude};
    let options = Options {
        sensitivity: 2.0,
        upper_bound: 5.0,
        methods: vec![Diff, Fence, HighRank, LowRank, Magnitude],
        delay: false,
        ..ours()
    };
    agrees(&score(&["--compat"], &numbers()).succeeded(), options);
}

#[test]
fn files_of_other_programs_are_read_or_refused_with_the_reason() {
    for (input, points) in [
        ("\u{feff}5\n6\n7\n", 3),
        ("\u{feff}5\r\n6\r\n7", 3),
        ("\u{feff}value\n5\n6\n", 2),
        ("\"timestamp\", \"value\"\n\"1\", \"5\"\n\"2\",6\n", 2),
        ("1,5\n2,6\n", 2),
        ("2026-01-01 00:00:00,5\n", 1),
    ] {
        for options in [&[][..], &["--detector", "flow"]] {
            let run = score(options, input).succeeded();
            assert_eq!(run.stdout.lines().count(), points, "{input:?}: {}", run.stdout);
        }
    }
    for (input, reason) in [
        ("1;5\n2;6\n", "semicolons"),
        ("\"3,14\"\n", "write decimals with a point"),
        ("0,3,14\n", "decimals need a point"),
        ("value\n1,5\n2,6\n", "decimals need a point"),
        ("timestamp;value\n1;5\n", "semicolons"),
        ("5x\n6\n", "\"5x\" is not a number"),
        ("5 6\n7\n", "not a number"),
        ("series;timestamp;value\na;0;5\n", "semicolons"),
        ("series,time,value\na,0,5\nb,0,6\n", "several series have the header"),
        ("a,0,5\nb,0,6\n", "several series need the header"),
        ("1,000.5\n2,000.5\n", "thousands without a separator"),
        ("3,05\n", "write decimals with a point"),
        ("0;3,14\n1;2,72\n", "semicolons"),
        ("0\t3,14\n1\t2,72\n", "tabs"),
        ("0 3,14\n1 2,72\n", "write decimals with a point"),
        ("12,5\n11,7\n", "the time goes back from 12 to 11"),
    ] {
        for options in [&[][..], &["--detector", "flow"]] {
            let run = score(options, input);
            assert_eq!(run.code, Some(2), "{input:?}: {}", run.stdout);
            assert!(run.stderr.contains(reason), "{input:?}: {}", run.stderr);
        }
    }
    for start in [&b"\xff\xfe5\0\n\0"[..], b"\xfe\xff\x005\0\n"] {
        let run = run_with_input(["score", "--detector=lytics"], start);
        assert_eq!(run.code, Some(2), "{}", run.stdout);
        assert!(run.stderr.contains("iconv"), "{}", run.stderr);
    }
    for (input, lines) in [("", 0), ("\n\n", 0), ("value\n", 0), ("value\n5\n", 1)] {
        for options in [&[][..], &["--detector", "flow"]] {
            let run = score(options, input).succeeded();
            assert_eq!(run.stdout.lines().count(), lines, "{input:?}: {}", run.stdout);
            assert_eq!(run.stderr.contains("no numbers"), lines == 0, "{input:?}: {}", run.stderr);
        }
    }
    let long = score(&[], "series,timestamp,value\na,0,5\n");
    assert_eq!(long.code, Some(2));
    assert!(long.stderr.contains("--detector flow"), "{}", long.stderr);
}

#[test]
fn time_stamps_pass_through_and_a_header_is_passed_over() {
    let input =
        "time,bytes\n2026-01-01T00:00:00Z,5\n\n2026-01-01T00:00:05Z, 6.5\r\nmonday,noon,7\n";
    let lines = objects(&score(&[], input).succeeded());
    let shown: Vec<_> = lines
        .iter()
        .map(|line| (line["timestamp"].as_str().unwrap(), line["value"].as_f64().unwrap()))
        .collect();
    let due = [("2026-01-01T00:00:00Z", 5.0), ("2026-01-01T00:00:05Z", 6.5), ("monday,noon", 7.0)];
    assert_eq!(shown, due);
    let plain = objects(&score(&[], "5\n").succeeded());
    assert_eq!(plain[0].get("timestamp"), None);
}

#[test]
fn a_line_that_is_no_number_is_named() {
    for (input, line, word) in
        [("1\n2\nthree\n4\n", "line 3", "three"), ("t,v\na,1\nb,NaN\n", "line 3", "NaN")]
    {
        let run = score(&[], input);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        for part in [line, word, "standard input"] {
            assert!(run.stderr.contains(part), "{part} is missing: {}", run.stderr);
        }
    }
}

#[test]
fn wrong_options_and_missing_files_are_refused() {
    let run = score(&["--anom-n-seasons", "1"], "1\n");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--anom-n-seasons 1"), "{}", run.stderr);
    let missing = score(&["no-such-file"], "");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("cannot open no-such-file"), "{}", missing.stderr);
}

#[test]
fn each_file_is_a_history_of_its_own() {
    let scratch = Scratch::new();
    fs::write(scratch.path("a"), numbers()).unwrap();
    let path = scratch.path("a");
    let path = path.as_os_str();
    let lytics = ["score", "--detector=lytics"].map(AsRef::as_ref);
    let once = run(lytics.into_iter().chain([path])).succeeded().stdout;
    let twice = run(lytics.into_iter().chain([path, path])).succeeded().stdout;
    assert_eq!(twice, once.repeat(2));
    assert_eq!(score(&[], &numbers()).succeeded().stdout, once);
}

#[test]
fn a_long_input_passes_unchanged() {
    let mut command = command(["score"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    // Far more than a pipe holds, written before the end of the input: it is not collected first.
    let feeder = std::thread::spawn(move || {
        let numbers: String = (0..50_000).map(|n| format!("{}\n", n % 17)).collect();
        input.write_all(numbers.as_bytes()).unwrap();
        input
    });
    assert!(output.next().unwrap().unwrap().contains("\"value\":0.0"));
    let drained = std::thread::spawn(move || output.count());
    drop(feeder.join().unwrap());
    assert_eq!(drained.join().unwrap(), 49_999);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let mut command = command(["score"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // The program may end, and its input with it, before all is written.
    let _ = input.write_all(numbers().repeat(2000).as_bytes());
    drop(input);
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}
