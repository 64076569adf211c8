//! `test kafka`: the tests with librdkafka's own mock cluster. Owns the features that they need, which no other test
//! is built with.

use anyhow::Result;

use crate::setup::{Need, setup};
use crate::{shell, workspace};

/// The packages and their features. Built together, their dependencies are built once.
const WHAT: [&str; 6] = [
    "--package=wherefore-agent",
    "--package=wherefore-tests",
    "--features=wherefore-agent/kafka,wherefore-tests/kafka",
    "--bin=wherefore",
    "--test=kafka",
    "--quiet",
];

pub(crate) fn test() -> Result<()> {
    setup(Need::Kafka)?;
    shell::run(shell::cargo(&["clippy"]).args(WHAT).args(["--", "-D", "warnings"]))?;
    shell::run(shell::cargo(&["build"]).args(WHAT))?;
    let mut tests = shell::cargo(&["test"]);
    tests.args(WHAT).env("WHEREFORE_BINARY", workspace::target().join("debug/wherefore"));
    shell::run(&mut tests)
}
