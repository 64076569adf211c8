//! The spelling of options, including the Go tool's, with one dash or two. Owns the translation to clap's
//! spelling; refuses to know the meaning of an option.

use std::ffi::OsString;

/// Translates the Go tool's spelling, `-anom_methods=fence` and `--i=lo`, to `--anom-methods=fence` and
/// `--interface=lo`, for every option of every command. Also translates words that are similar to a long
/// option, so that the error names it. Everything else stays as it is, such as `-i eth0`, `-ieth0` and words
/// after `--`.
pub fn normalise(
    command: &clap::Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut arguments = arguments.into_iter().peekable();
    let mut words: Vec<OsString> = arguments.next().into_iter().collect();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            words.push(argument);
            words.extend(arguments);
            break;
        }
        let option = argument.to_str().and_then(Spelled::read);
        let is_left_out = |option: &Spelled<'_>| EMPTY_IS_NONE.contains(&option.name.as_str());
        match option {
            Some(option) if is_left_out(&option) && option.value == Some("") => {}
            Some(option)
                if is_left_out(&option)
                    && option.value.is_none()
                    && arguments.next_if(|next| next.is_empty()).is_some() => {}
            Some(option) => words.push(option.normalised(command).unwrap_or(argument)),
            None => words.push(argument),
        }
    }
    words
}

/// Options that an empty value turns off, as in the Go tool.
const EMPTY_IS_NONE: [&str; 4] = ["l", "log-dir", "archive-dir", "pcapfile"];

/// A word that may be an option in the Go tool's spelling.
struct Spelled<'a> {
    dashes: usize,
    written: &'a str,
    /// The name in lower case and with dashes.
    name: String,
    value: Option<&'a str>,
}

impl<'a> Spelled<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let bare = text.trim_start_matches('-');
        let dashes = text.len() - bare.len();
        let (written, value) = bare.split_once('=').map_or((bare, None), |(n, v)| (n, Some(v)));
        let name = written.to_ascii_lowercase().replace('_', "-");
        (1..=2).contains(&dashes).then_some(Self { dashes, written, name, value })
    }

    /// The spelling for clap, if it differs.
    fn normalised(&self, command: &clap::Command) -> Option<OsString> {
        let is_letter = self.written.len() == 1;
        let name = if is_letter {
            // clap itself understands one dash.
            has_letter(command, self.written).filter(|_| self.dashes == 2)?
        } else if self.name == "help" || has_option(command, &self.name) || self.is_slip(command) {
            self.name.clone()
        } else {
            return None;
        };
        let value = self.value.map_or_else(String::new, |value| format!("={value}"));
        Some(format!("--{name}{value}").into())
    }

    /// Whether one dash was meant as two: clap would read `-slackurl=…` as `-s lackurl=…`.
    fn is_slip(&self, command: &clap::Command) -> bool {
        let is_long =
            self.written.contains('_') || (self.value.is_some() && self.written.len() > 2);
        self.dashes == 1 && is_long && is_nearly_option(command, self.written)
    }
}

/// The long name of the option with this letter.
fn has_letter(command: &clap::Command, letter: &str) -> Option<String> {
    let is_it = |arg: &&clap::Arg| arg.get_short().is_some_and(|it| it.to_string() == letter);
    let here = command.get_arguments().find(is_it).and_then(|arg| arg.get_long());
    let below = || command.get_subcommands().find_map(|inner| has_letter(inner, letter));
    here.map(str::to_owned).or_else(below)
}

fn has_option(command: &clap::Command, long: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some(long))
        || command.get_subcommands().any(|inner| has_option(inner, long))
}

fn is_nearly_option(command: &clap::Command, name: &str) -> bool {
    crate::options::nearest(command, name).is_some()
}
