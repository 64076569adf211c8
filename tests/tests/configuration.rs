//! Tests the sources of options (command line, environment, file), the messages about invalid ones, and the
//! documents that are generated from their definition.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use wherefore_agent::options::{LoadError, Request, load};
use wherefore_tests::command::{Run, Scratch, binary, command};
use wherefore_tests::corpus::directory;

#[path = "configuration/slips.rs"]
mod slips;

/// Runs the program with these variables and arguments.
fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    command.envs(variables.iter().copied());
    command.output().unwrap().into()
}

/// The line of `config show` for a key.
fn shown(run: &Run, key: &str) -> String {
    let start = format!("{key} = ");
    let line = run.stdout.lines().find(|line| line.trim_start_matches("# ").starts_with(&start));
    line.unwrap_or_else(|| panic!("no {key} in {}", run.stdout)).to_owned()
}

fn file(scratch: &Scratch, text: &str) -> String {
    let path = scratch.path("wherefore.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_flag_counts_before_a_variable_and_that_before_the_file() {
    let scratch = Scratch::new();
    let file = file(&scratch, "anom_gv_cap = 11\nanom_n_seasons = 5\nanom_active_size = 2\n");
    let variables = [("WHEREFORE_ANOM_GV_CAP", "12"), ("WHEREFORE_ANOM_N_SEASONS", "4")];
    let run = run_with(&variables, &["config", "show", "--config", &file, "-anom_gv_cap=13"]);
    let run = run.succeeded();
    assert_eq!(shown(&run, "anom_gv_cap"), "anom_gv_cap = 13  # command line");
    assert_eq!(shown(&run, "anom_n_seasons"), "anom_n_seasons = 4  # WHEREFORE_ANOM_N_SEASONS");
    let origin = format!("anom_active_size = 2  # {file}, line 3");
    assert_eq!(shown(&run, "anom_active_size"), origin);
    assert_eq!(shown(&run, "loglevel"), "loglevel = \"info\"  # default");
}

#[test]
fn lists_switches_and_the_go_tools_names_work_everywhere() {
    let scratch = Scratch::new();
    let file = file(
        &scratch,
        "i = [\"lo\", \"eth9\"]\nfilter_ip_CIDR = \"10.0.0.0/8,192.0.2.0/24\"\ncompat = true\n\
         anom_sensitivity = 0.5\nanom_lower_bound = 5e-324\nanom-upper-bound = 7\n",
    );
    let show = |variables: &[(&str, &str)], more: &[&str]| {
        let arguments = [&["config", "show", "--config", &file], more].concat();
        run_with(variables, &arguments).succeeded()
    };
    let run = show(&[], &[]);
    assert!(shown(&run, "interface").starts_with(r#"interface = ["lo", "eth9"]  # /"#));
    assert!(shown(&run, "filter_ip_cidr").contains(r#"["10.0.0.0/8", "192.0.2.0/24"]"#));
    assert!(shown(&run, "compat").starts_with("compat = true  # /"));
    let run =
        show(&[("WHEREFORE_I", "veth0"), ("WHEREFORE_COMPAT", "false")], &["-filter_ip_CIDR=::/0"]);
    assert!(shown(&run, "interface").starts_with(r#"interface = ["veth0"]  # WHEREFORE_I"#));
    assert_eq!(shown(&run, "compat"), "compat = false  # WHEREFORE_COMPAT");
    assert_eq!(shown(&run, "filter_ip_cidr"), "filter_ip_cidr = [\"::/0\"]  # command line");
    // A variable with an empty value counts as not set.
    assert!(shown(&show(&[("WHEREFORE_COMPAT", "")], &[]), "compat").starts_with("compat = true"));
}

#[test]
fn compat_uses_the_go_tools_defaults() {
    let scratch = Scratch::new();
    let file = file(&scratch, "compat = true\ndaq = \"ebpf\"\n");
    let run = run_with(&[("WHEREFORE_I", "lo")], &["config", "show", "--config", &file]);
    let run = run.succeeded();
    assert_eq!(shown(&run, "interface"), "interface = [\"lo\"]  # WHEREFORE_I");
    assert_eq!(shown(&run, "daq"), format!("daq = \"ebpf\"  # {file}, line 2"));
    assert_eq!(shown(&run, "pcap_filter"), "pcap_filter = \"tcp\"  # --compat");
    assert_eq!(shown(&run, "filter_ip_cidr"), "filter_ip_cidr = [\"0.0.0.0/0\"]  # --compat");
    let without = run_with(&[], &["config", "show", "--config", &file, "--compat=false"]);
    assert_eq!(shown(&without.succeeded(), "pcap_filter"), "# pcap_filter =  # default");
    let flag = run_with(&[], &["config", "show", "--config", "none", "-compat"]).succeeded();
    assert_eq!(shown(&flag, "daq"), "daq = \"libpcap\"  # --compat");
}

#[test]
fn all_errors_are_reported_together() {
    let scratch = Scratch::new();
    let file = file(&scratch, "anom_gv_capp = 5\ntop = 2000\nloglevel = [\"info\", \"warn\"]\n");
    let arguments = [
        "-anom_method=fence",
        "--daq",
        "libpcp",
        "-anom_n_seasons=3",
        "--config",
        &file,
        "--max-flow",
        "7777",
        "--compat",
        "no",
    ];
    let variables = [("WHEREFORE_TRANSFER_INTERVAL", "5 parsecs")];
    for first in [&["config", "check"][..], &["run"], &[]] {
        let run = run_with(&variables, &[first, &arguments].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.stderr);
        for part in [
            "--anom-method: there is no such option; did you mean --anom-methods?",
            "--daq \"libpcp\": must be one of auto, ebpf, libpcap; did you mean libpcap?",
            "--anom-n-seasons 3 times active_size 1 gives a reference of 3 points",
            &format!(
                "anom_gv_capp (in {file}, line 1): there is no such option; did you mean anom_gv_cap?"
            ),
            &format!("--top \"2000\" (in {file}, line 2): 2000 is not in 0..=1000"),
            &format!("loglevel (in {file}, line 3): takes one value, not a list"),
            "--transfer-interval \"5 parsecs\" (in WHEREFORE_TRANSFER_INTERVAL):",
            "no: there is no such command or option; put = before the value of a switch",
        ] {
            assert!(run.stderr.contains(part), "{part:?} is not in {}", run.stderr);
        }
        assert!(!run.stderr.contains("7777"), "a value is no problem of its own: {}", run.stderr);
    }
}

#[test]
fn paths_that_are_no_files_are_named() {
    let scratch = Scratch::new();
    let broken = file(&scratch, "top = 5\nloglevel = info\n");
    let run = run_with(&[], &["config", "check", "--config", &broken]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains(&broken) && run.stderr.contains("line 2"), "{}", run.stderr);
    let run = run_with(&[], &["config", "check", "--config", "/nowhere/x.toml"]);
    assert!(run.code == Some(2) && run.stderr.contains("/nowhere/x.toml"), "{}", run.stderr);
    let run = run_with(&[("WHEREFORE_CONFIG", "none")], &["config", "check"]);
    assert_eq!(run.succeeded().stdout, "the options are valid\n");
}

#[test]
fn secrets_are_neither_shown_nor_repeated() {
    let scratch = Scratch::new();
    let url = "https://hooks.slack.example/services/T0SECRET";
    let sound = file(&scratch, &format!("slack_url = \"{url}\"\n"));
    let run = run_with(&[], &["config", "show", "--config", &sound]).succeeded();
    assert!(shown(&run, "slack_url").starts_with("slack_url = \"(hidden)\"  # /"));
    // The invalid line contains a secret, and a misplaced word may too.
    let broken = file(&scratch, "top = 5\nslack_url = \"https://h/T0SECRET\nl = 1\n");
    for arguments in [
        &["--config", &broken][..],
        &["--sink", "https://hooks.example/T0SECRET"],
        &["--sink", "slack,https://hooks.example/T0SECRET"],
        &["-slackurl=https://hooks.example/T0SECRET"],
    ] {
        let run = run_with(&[], &[&["config", "check"], arguments].concat());
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(!run.stderr.contains("T0SECRET"), "{}", run.stderr);
    }
    let flawed = file(&scratch, "slack_url = [\"T0SECRET\"]\n");
    let run =
        run_with(&[("WHEREFORE_SLACK_URL", "T1SECRET")], &["config", "show", "--config", &flawed]);
    assert!(!run.stdout.contains("SECRET") && !run.stderr.contains("SECRET"), "{run:?}");
}

#[test]
fn sinks_that_cannot_be_opened_are_found_by_the_check() {
    for sink in ["slack,url=file:/nonexistent", "webhook,url=http://h,template={nope}"] {
        let run = run_with(&[], &["config", "check", "--config", "none", "--sink", sink]);
        assert_eq!(run.code, Some(2), "{sink}: {}", run.stderr);
    }
    let run = run_with(&[], &["config", "check", "--config", "none", "--sink", "journald"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_log_that_cannot_be_written_ends_no_run() {
    let capture = directory().join("made/quiet-then-burst.pcap.gz");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut replay = command(["replay", capture.to_str().unwrap(), "--alerts", "-"]);
    let run: Run = replay.stderr(full).output().unwrap().into();
    assert!(run.code == Some(0) && run.stdout.contains("\"firing\""), "{run:?}");
}

#[test]
fn misspelled_variables_are_reported_and_foreign_ones_ignored() {
    let capture = directory().join("made/network.pcap");
    let variables =
        [("WHEREFORE_TRANSFER_INTERVALL", "5s"), ("WHEREFORE_PORT", "tcp://10.0.0.1:80")];
    let run = run_with(&variables, &["replay", capture.to_str().unwrap()]).succeeded();
    let hint =
        "WHEREFORE_TRANSFER_INTERVALL is not an option; did you mean WHEREFORE_TRANSFER_INTERVAL?";
    assert!(run.stderr.contains(hint) && !run.stderr.contains("WHEREFORE_PORT"), "{}", run.stderr);
}

#[test]
fn a_replay_takes_a_file_only_where_it_is_named() {
    let scratch = Scratch::new();
    let alerts = scratch.path("alerts.jsonl");
    let text = format!("alerts = {alerts:?}\ntransfer_interval = \"5s\"\nattach = \"tcx\"\n");
    let file = file(&scratch, &text);
    let capture = directory().join("made/quiet-then-burst.pcap.gz");
    let capture = capture.to_str().unwrap();
    run_with(&[("WHEREFORE_CONFIG", &file)], &["replay", capture]).succeeded();
    assert!(fs::read_to_string(&alerts).unwrap().contains("\"firing\""));
}

#[test]
fn sinks_are_tables_of_the_file_or_a_variable() {
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path(name);
    let table =
        |name| format!("[[sink]]\ntype = \"file\"\nname = {name:?}\npath = {:?}\n", path(name));
    let resolved = "send_resolved = false\nmatch = [\"dst=198.51.100.0/24\", \"kind=volume\"]\n";
    let other = "match = \"dst=192.0.2.1\"\n";
    let text = [table("all"), table("firing") + resolved, table("none") + other].concat();
    let file = file(&scratch, &text);
    let capture = directory().join("made/quiet-then-burst.pcap.gz");
    let arguments = ["replay", capture.to_str().unwrap(), "--config", &file];
    run_with(&[], &arguments).succeeded();
    let lines = |name| fs::read_to_string(path(name)).unwrap_or_default().lines().count();
    assert_eq!((lines("all"), lines("firing"), lines("none")), (1, 1, 0));
    // A variable sets all of it.
    let sink = format!("file,path={}", path("variable").display());
    run_with(&[("WHEREFORE_SINK", &sink)], &arguments).succeeded();
    assert_eq!((lines("variable"), lines("all")), (1, 1));
    let wrong = self::file(&scratch, "[[sink]]\ntype = \"slack\"\n[[sink]]\ntype = \"fil\"\n");
    let run = run_with(&[], &["config", "check", "--config", &wrong]);
    assert!(run.stderr.contains("url") && run.stderr.contains("--sink fil"), "{}", run.stderr);
}

#[test]
fn the_check_reports_missing_files_and_creates_none() {
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path(name).display().to_string();
    let text = format!(
        "log_dir = {:?}\nflows = {:?}\nalerts = {:?}\nstate_dir = {:?}\nbpf_object = {:?}\n\
         [[sink]]\ntype = \"file\"\npath = {:?}\n[[sink]]\ntype = \"slack\"\nurl = {:?}\n",
        path("a/log"),
        path("b/flows"),
        path(""),
        path("c/state"),
        path("object"),
        path("d/e/sink.log"),
        format!("file:{}", path("url")),
    );
    let file = file(&scratch, &text);
    let check = run_with(&[], &["config", "check", "--config", &file, "-i", "nowhere0"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    for part in [
        format!(
            "--log-dir: cannot use the directory {}: the directory {} does not",
            path("a/log"),
            path("a")
        ),
        format!(
            "--flows: cannot create {}: the directory {} does not exist",
            path("b/flows"),
            path("b")
        ),
        format!("--alerts: cannot create {}: it is a directory", path("")),
        format!("--state-dir: cannot use the directory {}", path("c/state")),
        format!("--bpf-object: cannot read {}", path("object")),
        format!("--sink file: cannot open {}", path("d/e/sink.log")),
        format!("cannot read the secret in {}", path("url")),
        "there is no interface \"nowhere0\"".to_owned(),
    ] {
        assert!(check.stderr.contains(&part), "{part:?} is not in {}", check.stderr);
    }
    // The agent reports the same, and fails if only files are concerned, because they may be fixed.
    for option in
        [&["-l", &path("a/log")][..], &["--series", &path("b/x")], &["--state-dir", &path("c/d")]]
    {
        let start = run_with(
            &[],
            &[&["run", "-i", "lo", "--duration", "1ms", "--config", "none"], option].concat(),
        );
        assert_eq!(start.code, Some(1), "{start:?}");
        assert!(start.stderr.contains("does not exist"), "{start:?}");
    }
    assert!(["a", "b", "c", "d"].iter().all(|name| !scratch.path(name).exists()));
}

#[test]
fn the_shown_configuration_reads_back_as_the_same_settings() {
    let scratch = Scratch::new();
    fs::write(scratch.path("url"), "http://h/").unwrap();
    let url = format!("file:{}", scratch.path("url").display());
    let text = format!(
        "host_name = \"5\"\ntop = 7\nalert_label = [\"a=b\", \"c=d e\"]\nalert_allow = [873, \"udp/53\"]\n\
         anom_lower_bound = 5e-324\n[[sink]]\ntype = \"webhook\"\nurl = {url:?}\n\
         header = [\"X=env:HOME\"]\nmatch = [\"kind=volume\", \"src=a,b\"]\n[[sink]]\ntype = \"journald\"\n\
         name = \"own\"\n"
    );
    let from = file(&scratch, &text);
    let variables = [("WHEREFORE_ALERT_REPEAT", "7m")];
    let sink = format!("file,path={}", scratch.path("x\\,y").display());
    let first = ["config", "show", "--config", &from, "-i", "lo,veth*", "-pcap_filter=tcp port 80"];
    let shown = run_with(&variables, &first).succeeded();
    assert!(
        shown.stdout.contains(&format!("[[sink]]  # {from}, line 6\ntype = \"webhook\"")),
        "{shown:?}"
    );
    assert!(shown.stdout.contains("timeout = \"10s\"  # default"), "{shown:?}");
    assert_eq!(self::shown(&shown, "alert_budget"), "# alert_budget =  # default");
    let values = |run: &Run| -> Vec<String> {
        let lines = run.stdout.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split("  # ").next().unwrap().to_owned()).collect()
    };
    let again = file(&scratch, &shown.stdout);
    let next = run_with(&[], &["config", "show", "--config", &again]).succeeded();
    assert_eq!(values(&next), values(&shown));
    // Every key is a comment or TOML.
    assert!(shown.stdout.parse::<toml::Table>().is_ok(), "{shown:?}");
    let by_flag =
        run_with(&[], &["config", "show", "--config", "none", "--sink", &sink]).succeeded();
    assert!(
        by_flag.stdout.contains("[[sink]]  # command line\ntype = \"file\"\npath = "),
        "{by_flag:?}"
    );
    let state = run_with(&[("STATE_DIRECTORY", "/tmp")], &["config", "show", "--config", "none"]);
    assert_eq!(self::shown(&state, "state_dir"), "state_dir = \"/tmp\"  # STATE_DIRECTORY");
    assert_eq!(self::shown(&state, "alert_budget"), "# alert_budget = \"10/day\"  # default");
}

#[test]
fn secrets_of_sinks_are_hidden_and_a_mask_is_no_secret() {
    let scratch = Scratch::new();
    let text = "[[sink]]\ntype = \"slack\"\nurl = \"https://h/SECRET\"\n[[sink]]\ntype = \"webhook\"\n\
                url = \"http://u:SECRET@h/\"\nheader = [\"Authorization=Bearer SECRET\"]\nsecret = \"SECRET\"\n\
                [[sink]]\ntype = \"command\"\nprogram = \"/bin/true\"\narg = [\"--token=SECRET\"]\n\
                [[sink]]\ntype = \"pagerduty\"\nrouting_key = \"SECRET\"\n";
    let from = file(&scratch, text);
    let sink = "opsgenie,api_key=SECRET";
    let show = |file: &str| run_with(&[], &["config", "show", "--config", file]);
    for shown in [
        show(&from).succeeded(),
        run_with(&[], &["config", "show", "--config", "none", "--sink", sink]).succeeded(),
    ] {
        assert!(!shown.stdout.contains("SECRET") && shown.stdout.contains("(hidden)"), "{shown:?}");
    }
    let shown = show(&from);
    assert!(shown.stdout.contains("header = [\"Authorization=(hidden)\"]"), "{shown:?}");
    let again = show(&file(&scratch, &shown.stdout));
    assert_eq!(again.code, Some(2));
    for key in ["url", "header", "secret", "arg", "routing_key"] {
        assert!(
            again.stderr.contains(&format!("): {key}: this is only the placeholder")),
            "{key}: {again:?}"
        );
    }
}

#[test]
fn unknown_and_duplicate_variables_are_named() {
    let check =
        |variables: &[(&str, &str)]| run_with(variables, &["config", "check", "--config", "none"]);
    let typo =
        check(&[("WHEREFORE_TYPO", "1"), ("WHEREFORE_TOPP", "5"), ("WHEREFORE_PORT_80_TCP", "x")]);
    let typo = typo.succeeded().stderr;
    assert!(typo.contains("WHEREFORE_TYPO is not an option"), "{typo}");
    assert!(typo.contains("did you mean WHEREFORE_TOP?") && !typo.contains("PORT_80"), "{typo}");
    let twice = check(&[("WHEREFORE_I", "lo"), ("WHEREFORE_INTERFACE", "lo")]);
    assert_eq!(twice.code, Some(2));
    let part = "WHEREFORE_INTERFACE: WHEREFORE_I sets the same option";
    assert!(twice.stderr.contains(part), "{twice:?}");
    // The warning is reported together with the error.
    let both = check(&[("WHEREFORE_TOP", "x"), ("WHEREFORE_TOPP", "5")]).stderr;
    assert!(both.contains("--top \"x\" (in WHEREFORE_TOP)") && both.contains("TOPP"), "{both}");
}

#[test]
fn the_go_tools_options_have_one_dash_or_two() {
    let show = |arguments: &[&str]| {
        run_with(&[], &[&["config", "show", "--config", "none"], arguments].concat()).succeeded()
    };
    for option in ["i=lo", "interface=lo", "I=lo"].into_iter().take(2) {
        for dashes in ["-", "--"] {
            let run = show(&[&format!("{dashes}{option}")]);
            assert_eq!(shown(&run, "interface"), "interface = [\"lo\"]  # command line");
        }
    }
    for (words, key, value) in [
        (&["--i", "lo"][..], "interface", "[\"lo\"]"),
        (&["--w", "1s"], "read_timeout", "\"1s\""),
        (&["--s=100"], "snaplen", "100"),
        (&["--f=tcp"], "pcap_filter", "\"tcp\""),
        (&["--l=/tmp"], "log_dir", "\"/tmp\""),
        (&["-filter_bool=F"], "filter_bool", "false"),
        (&["--filter_bool=0"], "filter_bool", "false"),
        (&["-filter_src"], "filter_src", "true"),
        (&["-anom_lower_bound", "-5"], "anom_lower_bound", "-5"),
        (&["-top=1", "--top=2"], "top", "2"),
    ] {
        let run = show(words);
        assert_eq!(shown(&run, key), format!("{key} = {value}  # command line"), "{words:?}");
    }
    for words in [&["-l="][..], &["--l="], &["-l", ""], &["-pcapfile", "", "--archive_dir="]] {
        assert_eq!(shown(&show(words), "log_dir"), "# log_dir =  # default", "{words:?}");
    }
}

/// The repository's own documents.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn generated_documents_match_the_programs_output() {
    // The list of them is xtask's.
    let mut xtask = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    xtask.args(["run", "--quiet", "--package", "xtask", "--", "docs", "--check"]);
    xtask.env("WHEREFORE_BINARY", binary()).current_dir(root());
    let run: Run = xtask.output().unwrap().into();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn the_default_file_matches_the_programs_defaults() {
    let scratch = Scratch::new();
    let text = fs::read_to_string(root().join("deploy/wherefore.toml")).unwrap();
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')));
    let options = text.split("# --- Sinks ---").next().unwrap();
    let keys = options.lines().filter(|line| line.starts_with("#") && !line.starts_with("# "));
    // Without a default there is a placeholder, <TIME>.
    let real: Vec<_> = keys.filter(|line| !line.contains(" = <")).map(|line| &line[1..]).collect();
    assert!(real.len() > 15, "{real:?}");
    let file = file(&scratch, &real.join("\n"));
    let [with, without] = [&file, "none"]
        .map(|file| run_with(&[], &["config", "show", "--config", file]).succeeded());
    let values = |run: &Run| -> BTreeMap<String, String> {
        let lines = run.stdout.lines().filter(|line| !line.starts_with("# "));
        let pairs = lines.filter_map(|line| line.split_once("  # ")?.0.split_once(" = "));
        pairs.filter(|(key, _)| *key != "config").map(|(k, v)| (k.into(), v.into())).collect()
    };
    let (with, without) = (values(&with), values(&without));
    assert!(
        without.iter().all(|(key, value)| with.get(key) == Some(value)),
        "{with:?} {without:?}"
    );
}

/// Whatever a file holds, the answer is options or a list of problems.
fn load_text(text: &[u8], arguments: &[String]) -> Result<(), LoadError> {
    let scratch = Scratch::new();
    let path = scratch.path("fuzzed.toml");
    fs::write(&path, text).unwrap();
    let arguments = ["wherefore", "--config", path.to_str().unwrap()]
        .into_iter()
        .map(Into::into)
        .chain(arguments.iter().map(Into::into))
        .collect();
    load(&Request { arguments, environment: BTreeMap::new() }).map(|_| ())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_and_no_arguments_cause_a_panic(
        text in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "([a-z_]{1,12} = [-0-9.\"'a-z\\[\\]{}:/,]{0,12}\n){0,8}".prop_map(String::into_bytes),
            "((anom_methods|top|i|filter_ip_cidr|sink|slack_url) = (\\[?\"?[a-z0-9./,]{0,9}\"?\\]?|true|[0-9]{1,20}|\\{a=1\\})\n){0,6}"
                .prop_map(String::into_bytes),
        ],
        arguments in proptest::collection::vec("-{0,2}[a-z_]{0,12}=?[a-z0-9.,]{0,6}", 0..4),
    ) {
        let _ = load_text(&text, &arguments);
    }
}
