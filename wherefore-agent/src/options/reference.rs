//! Documents that are generated from the definition of the options: the default configuration file, the
//! reference in Markdown, the man page, completions. Owns their form; their text comes from the options.

use std::any::TypeId;
use std::fmt::Write;

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use super::file::is_text;
use crate::options::cli::Cli;

/// The width of text in the configuration file, in columns, besides the `# `.
const WIDTH: usize = 96;

/// A configuration file with every option of the daemon, all in comments.
pub fn default_file() -> String {
    let mut command = Cli::command();
    command.build();
    let mut text = String::from(
        "# Wherefore's configuration. Every option is here with its default; remove the # before\n\
         # an option to change it. Flags and variables (WHEREFORE_NAME) override this file.\n\
         # `wherefore config check` reports errors; SIGHUP makes the agent reload the file.\n",
    );
    for (heading, args) in sections(&command) {
        let _ = write!(text, "\n# --- {heading} ---\n");
        for arg in
            args.into_iter().filter(|arg| !["config", "sinks"].contains(&arg.get_id().as_str()))
        {
            text.push('\n');
            for paragraph in documentation(arg).lines() {
                let options = textwrap::Options::new(WIDTH).subsequent_indent(indent(paragraph));
                for line in textwrap::wrap(paragraph, options) {
                    let _ = writeln!(text, "# {line}");
                }
            }
            let _ = writeln!(text, "#{} = {}", key(arg), default_value(arg));
        }
    }
    text + SINK_EXAMPLE
}

fn indent(paragraph: &str) -> &'static str {
    if paragraph.starts_with("- ") { "  " } else { "" }
}

/// Stands at the end of the file, because all keys after a table belong to the table.
const SINK_EXAMPLE: &str = "
# --- Sinks ---

# Any number of tables, after everything else. Kinds and their settings: docs/configuration.md.

#[[sink]]
#type = \"slack\"
#url = \"file:/run/secrets/slack\"
#min_probability = 0.9
";

/// The name of an option's key in the file.
pub(super) fn key(arg: &Arg) -> String {
    arg.get_long().unwrap_or_default().replace('-', "_")
}

/// A value in TOML syntax.
pub(super) fn quoted(arg: &Arg, value: &str) -> String {
    if arg.get_value_parser().type_id() == TypeId::of::<bool>() {
        // `-x=F` and `x = "yes"` mean the same as TOML's booleans.
        let is_on = ["1", "t", "true", "y", "yes", "on"].contains(&&*value.to_ascii_lowercase());
        return is_on.to_string();
    }
    let is_number = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
    let is_bare = !is_text(arg) && (is_number || value == "true" || value == "false");
    if is_bare { value.to_owned() } else { toml::Value::String(value.to_owned()).to_string() }
}

pub(super) fn default_value(arg: &Arg) -> String {
    let is_many = matches!(arg.get_action(), clap::ArgAction::Append);
    match arg.get_default_values() {
        [] if is_many => "[]".to_owned(),
        // Invalid TOML on purpose: a user who removes the # must write a value.
        [] => format!("<{}>", value_name(arg)),
        [one, ..] => quoted(arg, &one.to_string_lossy()),
    }
}

/// Whether there is a default to show.
pub(super) fn has_default(arg: &Arg) -> bool {
    arg.get_default_values().first().is_some_and(|value| !value.is_empty())
}

/// The daemon's options by heading, in the order of their definition.
pub(super) fn sections(command: &Command) -> Vec<(&str, Vec<&Arg>)> {
    let mut sections: Vec<(&str, Vec<&Arg>)> = Vec::new();
    let shown = command.get_arguments().filter(|arg| {
        arg.get_long().is_some() && !["help", "version"].contains(&arg.get_id().as_str())
    });
    for arg in shown {
        let heading = arg.get_help_heading().unwrap_or("General");
        match sections.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, args)) => args.push(arg),
            None => sections.push((heading, vec![arg])),
        }
    }
    sections
}

pub(super) fn documentation(arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help());
    let mut text = help.map_or_else(String::new, ToString::to_string);
    let values: Vec<_> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && !["true", "false"].contains(&value.get_name()))
        .map(|value| {
            let help = value.get_help().map_or_else(String::new, |help| format!(": {help}"));
            format!("- `{}`{help}", value.get_name())
        })
        .collect();
    if !values.is_empty() {
        let _ = write!(text, "\n{}", values.join("\n"));
    }
    text
}

pub(super) fn value_name(arg: &Arg) -> String {
    arg.get_value_names()
        .and_then(|names| names.first())
        .map_or_else(String::new, ToString::to_string)
}

pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wherefore", &mut text);
    text
}

/// Stands in place of a synopsis of all options, which have a section of their own.
const MAN_SYNOPSIS: &str = r#".SH SYNOPSIS
\fBwherefore\fR [\fB\-i\fR \fINAME\fR] [\fIOPTIONS\fR]
.br
\fBwherefore\fR \fICOMMAND\fR [\fIOPTIONS\fR]
"#;

/// The sections of the man page after the options.
const MAN_TAIL: &str = r#".SH FILES
.TP
.I /etc/wherefore/wherefore.toml
The configuration file; \fBwherefore config default\fR prints one with every option.
.TP
.I wherefore_anomalies.log
In the directory of \fB\-\-log\-dir\fR: one JSON object for each alert.
.SH ENVIRONMENT
Each option can be given as \fBWHEREFORE_\fR and its name in capitals with underscores, such as
\fBWHEREFORE_ANOM_METHODS\fR. Flags override variables, and variables override the file.
.SH SIGNALS
.TP
SIGINT, SIGTERM
Detach, count the rest, and end. A second one ends at once.
.TP
SIGHUP
Reload the configuration. Detection, alerts, filters, sinks and the log level change without
losing a byte. If it has an error, nothing changes and the log says why.
.SH EXIT STATUS
0: success. 1: failure. 2: invalid options.
"#;

pub(super) fn man(command: Command) -> Vec<u8> {
    let mut page = Vec::new();
    // Without a date, so that the same options always give the same page.
    let man = clap_mangen::Man::new(command).date("");
    // Writing to memory cannot fail.
    let _ = man.render(&mut page);
    let mut page = String::from_utf8_lossy(&page).into_owned();
    let [from, to] = [".SH SYNOPSIS\n", ".SH DESCRIPTION\n"].map(|heading| page.find(heading));
    if let (Some(from), Some(to)) = (from, to) {
        page.replace_range(from..to, MAN_SYNOPSIS);
    }
    page.push_str(MAN_TAIL);
    page.into_bytes()
}

pub(super) fn markdown(command: &Command) -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Generated from the definition of the options by `cargo xtask docs`: make changes there.\n\n\
         Every option can be set in four ways; the first one that is set applies:\n\n\
         1. a flag, `--anom-methods fence`, or in the Go tool's spelling, `-anom_methods=fence`\n\
         2. a variable, `WHEREFORE_ANOM_METHODS=fence` (an empty variable counts as not set)\n\
         3. the file, `anom_methods = \"fence\"`, that `--config` names, else\n   \
         `/etc/wherefore/wherefore.toml` (`replay` and `backtest` read none unless it is named)\n\
         4. its default\n\n\
         `wherefore config default` prints a file with all options, `wherefore config check` reports\n\
         all errors at once, and `wherefore config show` prints each value with its origin. SIGHUP\n\
         makes the agent reload the options.\n\n\
         Lists are separated by commas, or are lists in the file. Times are a number and a unit:\n\
         `500ms`, `5s`, `1m30s`. If `BOOL` may be left out, the option alone means `true`.\n",
    );
    for (heading, args) in sections(command) {
        let _ = write!(text, "\n## {heading}\n");
        for arg in args {
            option(&mut text, arg);
        }
    }
    sinks(&mut text);
    for name in ["replay", "backtest", "score"] {
        let Some(inner) = command.find_subcommand(name) else { continue };
        let is_own = |arg: &&Arg| {
            let is_known = command.get_arguments().any(|known| known.get_id() == arg.get_id());
            !is_known && arg.get_long().is_some_and(|long| long != "help")
        };
        let own: Vec<_> = inner.get_arguments().filter(is_own).collect();
        if !own.is_empty() {
            let _ = write!(text, "\n## Only for `{name}`\n");
        }
        own.into_iter().for_each(|arg| option(&mut text, arg));
    }
    text
}

/// Adds the kinds of sinks; each is a table of the file or a `--sink`.
fn sinks(text: &mut String) {
    let _ = write!(text, "\n## Settings of sinks\n\n{SINKS}");
    let mut command = super::sinks::command();
    command.build();
    for kind in command.get_subcommands().filter(|kind| kind.get_name() != "help") {
        let about = kind.get_about().map_or_else(String::new, ToString::to_string);
        let _ = write!(text, "\n### sink type {}\n\n{about}.\n\n", kind.get_name());
        own_settings(kind).into_iter().for_each(|arg| setting(text, arg));
    }
    text.push_str("\n### All sinks\n\n");
    let any = command.get_subcommands().find(|kind| kind.get_name() == "file");
    let common = any.into_iter().flat_map(Command::get_arguments).filter(|arg| is_common(arg));
    common.for_each(|arg| setting(text, arg));
}

pub(super) fn own_settings(kind: &Command) -> Vec<&Arg> {
    kind.get_arguments().filter(|arg| arg.get_id() != "help" && !is_common(arg)).collect()
}

pub(super) fn is_common(arg: &Arg) -> bool {
    arg.get_help_heading() == Some("All sinks")
}

fn setting(text: &mut String, arg: &Arg) {
    let default = arg.get_default_values().first().filter(|value| !value.is_empty());
    let default = default
        .map_or_else(String::new, |value| format!(", default `{}`", value.to_string_lossy()));
    let words = documentation(arg).replace('\n', " ");
    let _ = writeln!(text, "- `{}` ({}{default}): {words}", key(arg), value_name(arg));
}

/// Stands before the settings of the kinds.
const SINKS: &str = r#"Each sink is a table of the file, or a `--sink KIND,KEY=VALUE,…`; both use the keys below.
[alerts.md](alerts.md) describes how sinks deliver alerts.

```toml
[[sink]]
type = "slack"
url = "file:/run/secrets/slack"
min_probability = 0.9

[[sink]]
type = "alertmanager"
url = ["http://am1:9093", "http://am2:9093"]
```
"#;

fn option(text: &mut String, arg: &Arg) {
    let long = arg.get_long().unwrap_or_default();
    let short = arg.get_short().map_or_else(String::new, |letter| format!("`-{letter}`, "));
    let _ = write!(text, "\n### {}\n\n{short}`--{long} {}`", key(arg), value_name(arg));
    let default = arg.get_default_values();
    if !default.is_empty() {
        let values: Vec<_> = default.iter().map(|value| value.to_string_lossy()).collect();
        let _ = write!(text, ", default `{}`", values.join(","));
    }
    // Markdown needs an empty line before a list.
    let _ = write!(text, "\n\n{}\n", documentation(arg).replacen("\n- ", "\n\n- ", 1));
}
