//! `wherefore score` on whole series: the formats, and that scores are the library's.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;
use wherefore_agent::detect::detectors::{AggregateDetector, Detector, FlowDetector};
use wherefore_tests::command::{Run, Scratch, command, run_with_input};

fn score(options: &[&str], input: &str) -> Run {
    run_with_input(["score"].iter().chain(options), input.as_bytes())
}

/// A series whose last point is rare for either detector.
fn series() -> Vec<f64> {
    let mut points: Vec<f64> = (0..400).map(|n| f64::from(1000 + n * 37 % 101)).collect();
    points.push(2.5e8);
    points
}

fn line(points: &[f64]) -> String {
    points.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
}

fn due<D: Detector>(detector: &D, points: &[f64]) -> Vec<String> {
    let mut state = D::State::default();
    let scores = points.iter().map(|&point| detector.step(&mut state, point).score);
    scores.map(|score| if score > 0.0 { format!("{score:.4}") } else { "0".into() }).collect()
}

#[test]
fn a_line_of_values_gives_a_line_of_scores() {
    let short = [5.0, 0.0, 7.5];
    let input = format!("{}\n\n{}\n", line(&series()), line(&short));
    let flow = FlowDetector::default();
    let flow = [due(&flow, &series()).join(","), String::new(), due(&flow, &short).join(",")];
    for options in [&["--series-per-line"][..], &["--series-per-line", "--detector", "flow"]] {
        assert_eq!(score(options, &input).succeeded().stdout, flow.join("\n") + "\n");
    }
    assert!(flow[0].rsplit(',').next().unwrap().parse::<f64>().unwrap() > 3.0);
    let aggregate = due(&AggregateDetector::default(), &series()).join(",");
    let options = ["--series-per-line", "--detector", "aggregate"];
    let found = score(&options, &line(&series())).succeeded().stdout;
    assert_eq!(found, aggregate + "\n");
}

#[test]
fn the_seven_methods_judge_series_too() {
    let points = series();
    let numbers: String = points.iter().map(|point| format!("{point}\n")).collect();
    let alone = score(&["--detector", "lytics"], &numbers).succeeded().stdout;
    let alone = alone.lines().map(|line| {
        let object: Value = serde_json::from_str(line).unwrap();
        object["probability"].as_f64().unwrap()
    });
    let options = ["--series-per-line", "--detector", "lytics"];
    let found = score(&options, &line(&points)).succeeded().stdout;
    let found = found.trim().split(',').map(|score| score.parse::<f64>().unwrap());
    assert!(found.zip(alone).all(|(ours, theirs)| (ours - theirs).abs() < 1e-4));
}

#[test]
fn files_follow_each_other() {
    let scratch = Scratch::new();
    let path = scratch.path("series.csv");
    fs::write(&path, "1,2,3\r\n4,5\n").unwrap();
    let name = path.to_str().unwrap();
    let run = score(&["--series-per-line", name, "-", name], "6\n").succeeded();
    assert_eq!(run.stdout, "0,0,0\n0,0\n0\n0,0,0\n0,0\n");
}

#[test]
fn long_csv_comes_out_with_a_score() {
    let (one, two) = (series(), [3.0; 401]);
    let mut input = "series,timestamp,value\n".to_owned();
    let mut expected = "series,timestamp,value,score\n".to_owned();
    let detector = FlowDetector::default();
    let scores = due(&detector, &one).into_iter().zip(due(&detector, &two));
    for (place, scores) in scores.enumerate() {
        // A name with a comma; the two take turns.
        input += &format!("a,b,{place},{}\nc,{place},{}\n", one[place], two[place]);
        expected += &format!("a,b,{place},{},{}\n", one[place], scores.0);
        expected += &format!("c,{place},{},{}\n", two[place], scores.1);
    }
    for options in [&["--series-per-line"][..], &["--detector", "flow"]] {
        assert_eq!(score(options, &input).succeeded().stdout, expected);
    }
}

#[test]
fn the_header_of_long_csv_may_be_written_in_many_ways() {
    let headers = [
        "\u{feff}series,timestamp,value",
        "Series, Timestamp, Value",
        "\"series\",\"timestamp\",\"value\"",
        "\u{feff}\"series\", \"timestamp\", \"value\"\r",
    ];
    for header in headers {
        let input = format!("{header}\n\"a\",0,5\r\nb,0,9000009\na,1,5\n\"b\",1,9000004\n");
        let run = score(&["--detector", "flow"], &input).succeeded();
        let lines: Vec<_> = run.stdout.lines().collect();
        assert_eq!(lines.len(), 5, "{}", run.stdout);
        assert!(lines[1..].iter().all(|line| line.ends_with(",0")), "two series: {lines:?}");
    }
    for (rows, reason) in [("a,0,3,14", "decimals need a point"), ("a;0;5", "semicolons")] {
        let run = score(&["--detector", "flow"], &format!("series,timestamp,value\n{rows}\n"));
        assert_eq!(run.code, Some(2), "{}", run.stdout);
        assert!(run.stderr.contains(reason), "{}", run.stderr);
    }
}

#[test]
fn single_numbers_come_with_a_reason() {
    let input: String = series().iter().map(|point| format!("noon,{point}\n")).collect();
    let run = score(&["--detector", "flow"], &input).succeeded();
    let lines: Vec<Value> = run.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 401);
    let ordinary = &lines[300];
    assert_eq!(ordinary.get("reason"), None, "{ordinary}");
    let last = &lines[400];
    assert_eq!((last["timestamp"].as_str(), last["value"].as_f64()), (Some("noon"), Some(2.5e8)));
    assert!(last["score"].as_f64().unwrap() > 3.0, "{last}");
    let reason = last["reason"].as_str().unwrap();
    assert!(reason.starts_with("250.0 MB in 5 seconds; normally "), "{reason}");
}

#[test]
fn values_that_are_no_numbers_are_named_and_odd_numbers_are_accepted() {
    let run = score(&["--series-per-line"], "1,2\n3,four,5\n");
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("standard input, line 2: value 2: \"four\""), "{}", run.stderr);
    let run = score(&["--series-per-line"], "series,timestamp,value\na,1,2\nb,3\n");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("line 3"), "{}", run.stderr);
    let run = score(&["--series-per-line"], "NaN,-1,inf,1e300, 7 ,00012\n").succeeded();
    assert_eq!(run.stdout.trim().split(',').count(), 6);
}

#[test]
fn series_are_scored_while_more_are_to_come() {
    let mut command = command(["score", "--series-per-line"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        input.write_all(b"1,2,3\n").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "0,0,0\n");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let mut command = command(["score", "--series-per-line"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // The program may end, and its input with it, before all is written.
    let _ = input.write_all((line(&series()) + "\n").repeat(3000).as_bytes());
    drop(input);
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}
