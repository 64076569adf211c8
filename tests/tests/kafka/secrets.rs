//! Properties and their secrets. Owns the tests that no message contains one.

use wherefore_tests::command::Scratch;

use crate::cluster::Cluster;
use crate::replay;

const SECRET: &str = "xyzzyxyzzy";

#[test]
fn wrong_properties_are_refused_without_their_values() {
    for (property, message) in [
        (SECRET, "not of the form NAME=VALUE"),
        ("no.such.property=xyzzyxyzzy", "no.such.property"),
        ("sasl.password=file:/nonexistent/secret", "cannot read the secret"),
        ("queue.buffering.max.kbytes=1", "cannot be set"),
        ("debug=all", "cannot be set"),
        ("ssl.ca.location=/xyzzyxyzzy", "ssl.ca.pem=file:PATH"),
    ] {
        let run = replay("127.0.0.1/flows", &["--kafka-option", property]).run;
        assert_ne!(run.code, Some(0), "{property}");
        assert!(run.stderr.contains("--kafka-option"), "{}", run.stderr);
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
    }
}

#[test]
fn a_secret_of_a_file_is_in_no_log() {
    let cluster = Cluster::start();
    let scratch = Scratch::new();
    let file = scratch.path("password");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let password = format!("sasl.password=file:{}", file.display());
    let protocol = format!("security.protocol=file:{}", file.display());
    // The mock cluster has no SASL: the replay fails, and its log says why.
    for (property, word) in [(&password, "cannot send flow records"), (&protocol, "--kafka-option")]
    {
        let run = replay(
            &cluster.target(),
            &[
                "--loglevel",
                "debug",
                "--kafka-option",
                "security.protocol=sasl_plaintext",
                "--kafka-option",
                "sasl.mechanism=PLAIN",
                "--kafka-option",
                "sasl.username=wherefore",
                "--kafka-option",
                property,
            ],
        )
        .run;
        assert_ne!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains(word), "{}", run.stderr);
        assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
    }
}
