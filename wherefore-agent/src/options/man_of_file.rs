//! wherefore.toml(5): the man page of the configuration file. Owns its form; its text comes from the options.

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, line_break, roman};

use super::reference::{
    default_value, documentation, has_default, is_common, key, own_settings, sections, value_name,
};

const DESCRIPTION: &str = "Settings of the agent, in TOML. Each option of wherefore(1) is a key, with \
underscores instead of hyphens. Flags and variables override this file. \
`wherefore config default` prints a file with every key, `wherefore config check` reports its \
errors, and SIGHUP makes the agent reload it. Give secrets as file:PATH or \
env:NAME.";

const SINKS: &str = "Each sink is a table [[sink]] after all other keys. It has the key type and the keys of \
its kind.";

/// The page.
pub(super) fn page(command: &Command) -> Vec<u8> {
    let mut page = Roff::new();
    page.control("TH", ["wherefore.toml", "5", "", "wherefore", "File Formats"]);
    heading(&mut page, "NAME");
    page.text([roman("wherefore.toml - configuration of wherefore(1)")]);
    heading(&mut page, "SYNOPSIS");
    page.text([italic("/etc/wherefore/wherefore.toml")]);
    heading(&mut page, "DESCRIPTION");
    page.text([roman(DESCRIPTION)]);
    for (name, args) in sections(command) {
        heading(&mut page, &name.to_uppercase());
        let args =
            args.into_iter().filter(|arg| !["config", "sinks"].contains(&arg.get_id().as_str()));
        args.for_each(|arg| entry(&mut page, arg));
    }
    sinks(&mut page);
    heading(&mut page, "SEE ALSO");
    page.text([bold("wherefore"), roman("(1)")]);
    page.to_roff().into_bytes()
}

fn sinks(page: &mut Roff) {
    heading(page, "SINKS");
    page.text([roman(SINKS)]);
    let mut command = super::sinks::command();
    command.build();
    for kind in command.get_subcommands().filter(|kind| kind.get_name() != "help") {
        page.control("SS", [format!("type = \"{}\"", kind.get_name()).as_str()]);
        page.text([roman(kind.get_about().map_or_else(String::new, ToString::to_string))]);
        own_settings(kind).into_iter().for_each(|arg| entry(page, arg));
    }
    page.control("SS", ["Keys of all sinks"]);
    let any = command.get_subcommands().find(|kind| kind.get_name() == "file");
    let common = any.into_iter().flat_map(Command::get_arguments).filter(|arg| is_common(arg));
    common.for_each(|arg| entry(page, arg));
}

fn heading(page: &mut Roff, name: &str) {
    page.control("SH", [name]);
}

/// A key with its value, its default and its documentation.
fn entry(page: &mut Roff, arg: &Arg) {
    page.control("TP", []);
    let mut line = vec![bold(key(arg)), roman(" = "), italic(value_name(arg))];
    if has_default(arg) {
        line.push(roman(format!(" (default {})", default_value(arg))));
    }
    page.text(line);
    let text = documentation(arg);
    let mut words: Vec<Inline> = Vec::new();
    for paragraph in text.lines() {
        if !words.is_empty() {
            words.push(line_break());
        }
        words.push(roman(paragraph));
    }
    page.text(words);
}
