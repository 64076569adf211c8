//! Compares the seven methods with 585 evaluations that were recorded from the Go library.
//!
//! Owns the comparison with `golden.json`, which is `../shared/golden.json` from the workspace root or in the
//! folder that `WHEREFORE_SHARED` names. Refuses to skip a case: each is counted by the kind of check, and
//! the counts are asserted and printed.
//!
//! Go shuffles 500 times, and the file has the mean and standard error of 160 to 400 such runs, which are
//! 80,000 to 200,000 shuffles. Our results must be within 4.5 standard errors of the mean, and within 1e-9 of
//! the closed forms in the file. Where ours sample too, their own error must be small compared with the
//! file's: with 200,000 permutations, `diff` examines 400,000 orders, and `ks` counts all splits of 200,000
//! samples.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wherefore_agent::detect::methods::{Anomalyzer, Method, Options, OptionsError};

const CASES: usize = 585;
const PERMUTATIONS: u32 = 200_000;
/// The maximum of two noisy ranks is biased upwards in Go.
const RANK_BIAS: f64 = 0.02;

fn golden_path() -> Option<PathBuf> {
    if let Some(directory) = std::env::var_os("WHEREFORE_SHARED") {
        return Some(Path::new(&directory).join("golden.json"));
    }
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut candidates = ancestors.map(|root| root.join("../shared/golden.json"));
    candidates.find(|path| path.exists())
}

/// The cases, or `None` after reporting on the real standard error that they are missing.
fn cases() -> Option<Vec<Value>> {
    let Some(path) = golden_path() else {
        wherefore_tests::without_data("anomalyzer_golden", "../shared/golden.json");
        return None;
    };
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let golden: Value = serde_json::from_str(&text).unwrap();
    Some(golden["cases"].as_array().unwrap().clone())
}

fn series(case: &Value) -> Vec<f64> {
    case["series"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The options of a case, with the library's own replacements of what was left out; an error is
/// the name of a method that does not exist.
fn options(case: &Value) -> Result<Options, String> {
    let conf = &case["conf"];
    let size = |name: &str| usize::try_from(conf[name].as_u64().unwrap()).unwrap();
    let methods = match conf["methods"].as_array() {
        None => vec![Method::Magnitude, Method::Ks],
        Some(names) => {
            let parsed = names.iter().map(|name| name.as_str().unwrap().parse());
            parsed.collect::<Result<_, _>>().map_err(|error| format!("{error}"))?
        }
    };
    let sensitivity = conf["sensitivity"].as_f64().unwrap();
    assert_eq!(conf["perm"], 0, "recorded with the library's 500 permutations");
    Ok(Options {
        active_size: size("active"),
        n_seasons: size("seasons"),
        sensitivity: if sensitivity == 0.0 { 0.1 } else { sensitivity },
        lower_bound: conf["lower"].as_f64(),
        upper_bound: conf["upper"].as_f64().unwrap(),
        methods,
        delay: conf["delay"].as_bool().unwrap(),
        permutations: PERMUTATIONS,
        seed: 1,
    })
}

/// The comparisons, by kind, and the failures.
#[derive(Default)]
struct Report {
    checked: BTreeMap<String, usize>,
    failures: Vec<String>,
    worst: BTreeMap<String, (f64, String)>,
}

impl Report {
    fn check(&mut self, kind: &str, id: &str, passed: bool, detail: impl FnOnce() -> String) {
        *self.checked.entry(kind.to_owned()).or_default() += 1;
        if !passed {
            self.failures.push(format!("{id}: {kind}: {}", detail()));
        }
    }

    /// Compares with a recorded mean; `slack` is allowed on top of 4.5 standard errors.
    fn near(&mut self, kind: &str, id: &str, ours: f64, recorded: &Value, slack: f64) {
        let mean = recorded["mean"].as_f64().unwrap();
        let error = recorded["se"].as_f64().unwrap();
        let off = (ours - mean).abs();
        let passed = off <= 4.5 * error + 1e-12 * mean.abs().max(1.0) + slack;
        self.check(kind, id, passed, || format!("{ours}, recorded {mean} +- {error}"));
        if error > 0.0 {
            let worst = self.worst.entry(kind.to_owned()).or_default();
            if off / error > worst.0 {
                *worst = (off / error, id.to_owned());
            }
        }
    }

    fn count(&self, kind: &str) -> usize {
        self.checked.get(kind).copied().unwrap_or(0)
    }
}

fn check_raw(report: &mut Report, id: &str, method: Method, ours: Option<f64>, recorded: &Value) {
    if recorded["na"] == true {
        report.check("raw: no verdict", id, ours.is_none(), || format!("{method} {ours:?}"));
    } else if recorded["nan"] == true {
        let undefined = ours.is_some_and(f64::is_nan);
        report.check("raw: undefined", id, undefined, || format!("{method} {ours:?}"));
    } else if let Some(value) = ours {
        report.near(&format!("raw: {method}"), id, value, recorded, 0.0);
    } else {
        report.check(&format!("raw: {method}"), id, false, || "no verdict".to_owned());
    }
}

fn check_exact(report: &mut Report, id: &str, method: Method, ours: Option<f64>, exact: &Value) {
    let passed = match (exact.as_f64(), exact.as_str()) {
        (Some(value), _) => {
            ours.is_some_and(|ours| (ours - value).abs() <= 1e-9 * value.abs().max(1.0))
        }
        (_, Some("NA")) => ours.is_none(),
        (_, Some("NaN")) => ours.is_some_and(f64::is_nan),
        (_, Some("Inf")) => ours == Some(f64::INFINITY),
        (_, Some("MC")) => ours.is_some_and(|ours| (0.0..=1.0).contains(&ours)),
        _ => false,
    };
    let kind = match exact.as_str() {
        None => format!("exact: {method}"),
        Some(word) => format!("exact: {word}"),
    };
    report.check(&kind, id, passed, || format!("{method} {ours:?}, closed form {exact}"));
}

/// The recorded verdicts after capping, with both ranks merged into `rank`.
fn check_probabilities(report: &mut Report, case: &Value, anomalyzer: &mut Anomalyzer) {
    let id = case["id"].as_str().unwrap();
    let score = anomalyzer.score(&series(case));
    check_evaluation(report, case, anomalyzer, score.probability);
    let both = score.methods().filter(|(method, _)| is_rank(*method)).count() == 2;
    for (method, ours) in score.methods().filter(|(method, _)| !is_rank(*method)) {
        let recorded = &case["probmap"][method.name()];
        let silent = recorded.is_null() || recorded["nan"] == true;
        match ours {
            Some(ours) if !silent => report.near("probability", id, ours, recorded, 0.0),
            _ => report.check("probability: none", id, silent && ours.is_none(), || {
                format!("{method} {ours:?}, recorded {recorded}")
            }),
        }
    }
    let rank = [Method::HighRank, Method::LowRank].map(|method| score.method(method));
    if let [Some(high), Some(low)] = rank {
        let slack = if both { RANK_BIAS } else { 0.0 };
        report.near("probability: rank", id, high.max(low), &case["probmap"]["rank"], slack);
    }
}

fn is_rank(method: Method) -> bool {
    matches!(method, Method::HighRank | Method::LowRank)
}

fn check_evaluation(report: &mut Report, case: &Value, anomalyzer: &Anomalyzer, ours: f64) {
    let id = case["id"].as_str().unwrap();
    let methods = &anomalyzer.options().methods;
    match methods.contains(&Method::HighRank) && methods.contains(&Method::LowRank) {
        true => report.near("eval: both ranks", id, ours, &case["eval"], RANK_BIAS),
        false => report.near("eval: plain", id, ours, &case["eval"], 0.0),
    }
    match case["exact"]["eval"].as_f64() {
        Some(exact) => report
            .check("exact: eval", id, (ours - exact).abs() <= 1e-9, || format!("{ours}, {exact}")),
        None => report.check("exact: eval sampled", id, (0.0..=1.0).contains(&ours), String::new),
    }
}

fn check_refusal(report: &mut Report, case: &Value) {
    let id = case["id"].as_str().unwrap();
    let refused = match options(case) {
        Err(text) => text.contains("unknown method 'nope'"),
        Ok(options) => {
            let error = Anomalyzer::new(options).err();
            match id {
                "err_active0" => error == Some(OptionsError::NoActivePoints),
                "err_ref_small" => {
                    let (n_seasons, active_size) = (3, 1);
                    error == Some(OptionsError::ReferenceTooSmall { n_seasons, active_size })
                }
                "err_fence_equal" | "err_fence_inverted" => {
                    matches!(error, Some(OptionsError::FenceInverted { .. }))
                }
                _ => false,
            }
        }
    };
    report.check("refused options", id, refused, || format!("{}", case["error"]));
}

#[test]
fn every_recorded_case_agrees() {
    let Some(cases) = cases() else { return };
    let (mut report, mut sampled) = (Report::default(), BTreeMap::new());
    for case in &cases {
        if case.get("error").is_some() {
            check_refusal(&mut report, case);
            continue;
        }
        let (id, window) = (case["id"].as_str().unwrap(), series(case));
        let options = options(case).unwrap();
        let sizes = (options.active_size, options.n_seasons);
        let bits: Vec<u64> = window.iter().map(|x| x.to_bits()).collect();
        let mut anomalyzer = Anomalyzer::new(options).unwrap();
        for method in Method::ALL {
            // Most configurations differ in options that the two sampling methods ignore.
            let ours = match method {
                Method::Diff | Method::Ks => *sampled
                    .entry((method, sizes, bits.clone()))
                    .or_insert_with(|| anomalyzer.raw(method, &window)),
                _ => anomalyzer.raw(method, &window),
            };
            check_raw(&mut report, id, method, ours, &case["raw"][method.name()]);
            check_exact(&mut report, id, method, ours, &case["exact"][method.name()]);
        }
        check_probabilities(&mut report, case, &mut anomalyzer);
    }
    for (kind, count) in &report.checked {
        let worst = report.worst.get(kind).map(|(off, id)| format!(", worst {off:.2} se at {id}"));
        println!("{count:5} {kind}{}", worst.unwrap_or_default());
    }
    let failures = report.failures.join("\n");
    assert!(failures.is_empty(), "{} failures:\n{failures}", report.failures.len());
    assert_eq!(cases.len(), CASES);
    let of = |prefix: &str| -> usize {
        report.checked.iter().filter(|(kind, _)| kind.starts_with(prefix)).map(|(_, n)| n).sum()
    };
    assert_eq!(of("eval: ") + report.count("refused options"), CASES);
    assert_eq!(of("raw: "), (CASES - report.count("refused options")) * Method::ALL.len());
}
