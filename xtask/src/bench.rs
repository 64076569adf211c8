//! `bench`: hands over to the measuring program of the tests package. Owns nothing else.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::setup::{Need, setup};
use crate::shell;

pub(crate) fn bench(arguments: &[OsString]) -> Result<()> {
    setup(Need::Test)?;
    let mut cargo =
        shell::cargo(&["run", "--release", "--package", "wherefore-tests", "--bin", "bench", "--"]);
    bail!(shell::exec(cargo.args(arguments)))
}
