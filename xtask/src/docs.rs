//! `docs`: writes the documents that are generated from the definition of the options. Owns the path of each
//! document; the program prints its content.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::setup::{Need, setup};
use crate::{shell, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// Only print which documents are out of date.
    #[arg(long)]
    check: bool,
}

/// The arguments that print a document, and its path.
const DOCUMENTS: [(&[&str], &str); 8] = [
    (&["generate", "reference"], "docs/configuration.md"),
    (&["generate", "man"], "docs/wherefore.1"),
    (&["generate", "man-of-file"], "docs/wherefore.toml.5"),
    (&["generate", "schema"], "docs/schema.json"),
    (&["config", "default"], "deploy/wherefore.toml"),
    (&["generate", "bash"], "deploy/completions/wherefore.bash"),
    (&["generate", "zsh"], "deploy/completions/_wherefore"),
    (&["generate", "fish"], "deploy/completions/wherefore.fish"),
];

pub(crate) fn docs(options: &Options) -> Result<()> {
    setup(Need::Run)?;
    let mut stale = Vec::new();
    for (arguments, place) in DOCUMENTS {
        let path = workspace::root().join(place);
        let text = printed(arguments)?;
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            continue;
        }
        stale.push(place);
        if !options.check {
            write(&path, &text)?;
            shell::say(format!("wrote {place}"));
        }
    }
    ensure!(
        !options.check || stale.is_empty(),
        "out of date: {}; run `cargo xtask docs`",
        stale.join(", ")
    );
    Ok(())
}

/// Uses the program that `WHEREFORE_BINARY` names, otherwise that of this tree.
fn printed(arguments: &[&str]) -> Result<String> {
    let mut program = match env::var_os("WHEREFORE_BINARY") {
        Some(binary) => shell::command(binary),
        None => {
            let mut cargo = shell::cargo(&["run", "--quiet", "--package", "wherefore-agent"]);
            cargo.args(["--bin", "wherefore", "--"]);
            cargo
        }
    };
    shell::output(program.args(arguments)).with_context(|| format!("printing {arguments:?}"))
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    let folder = path.parent().context("a document lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
