//! The documents that the program prints. Owns their list; the other files of this folder own their form.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{man_of_file, reference};
use crate::options::cli::{Cli, Generated};

/// Makes a document. `schema` makes the JSON Schema, because this layer does not know the types of records.
pub fn generate(what: Generated, schema: fn() -> Vec<u8>) -> Vec<u8> {
    let mut command = Cli::command();
    command.build();
    match what {
        Generated::Man => reference::man(command),
        Generated::ManOfFile => man_of_file::page(&command),
        Generated::Reference => reference::markdown(&command).into_bytes(),
        Generated::Schema => schema(),
        Generated::Bash => reference::completions(Shell::Bash),
        Generated::Zsh => reference::completions(Shell::Zsh),
        Generated::Fish => reference::completions(Shell::Fish),
    }
}
