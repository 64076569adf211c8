//! Reads text files line by line, also compressed ones. Owns the maximum length of a line, the progress and
//! the position of errors; refuses to interpret lines.

use std::collections::VecDeque;
use std::io::{BufRead, Read};
use std::path::PathBuf;

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use crate::command::csv_text;
use crate::input::capture_file::Unpacked;
use crate::input::replay::{InputFile, progress_bar};
use crate::input::requests::Requests;
use crate::options::UsageError;

/// The longest line, in bytes; no valid line is as long.
const LONGEST: u64 = 1 << 20;
/// The number of lines between two checks of the stop signal and the progress.
const BETWEEN_LOOKS: usize = 1024;

/// The lines of some files.
pub(super) struct Lines {
    all: Vec<PathBuf>,
    files: VecDeque<InputFile>,
    input: Option<Unpacked>,
    name: String,
    number: usize,
    line: Vec<u8>,
    /// Whether the files are CSV and begin with the header of long CSV.
    is_long: bool,
    since_look: usize,
    progress: ProgressBar,
    pub(super) warnings: Vec<String>,
}

impl Lines {
    /// Opens these files, which are JSON, or long CSV if `is_long`.
    pub(super) fn open(files: Vec<InputFile>, is_long: bool, shows_progress: bool) -> Self {
        Self {
            all: files.iter().map(|given| given.path.clone()).collect(),
            files: files.into(),
            input: None,
            name: String::new(),
            number: 0,
            line: Vec::new(),
            is_long,
            since_look: 0,
            progress: if shows_progress { progress_bar() } else { ProgressBar::hidden() },
            warnings: Vec::new(),
        }
    }

    /// The names of all files.
    pub(super) fn names(&self) -> String {
        names(&self.all)
    }

    /// Moves to the next line that is not empty; returns false after the last one. [`Lines::text`] returns
    /// its text.
    pub(super) fn advance(&mut self) -> Result<bool> {
        loop {
            let Some(input) = &mut self.input else {
                if !self.next_file()? {
                    self.progress.finish_and_clear();
                    return Ok(false);
                }
                continue;
            };
            self.line.clear();
            self.number += 1;
            let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut self.line);
            match read {
                Ok(0) => self.input = None,
                Ok(bytes) if bytes as u64 == LONGEST => {
                    return Err(self.usage("the line is longer than 1 MiB"));
                }
                Ok(_) if self.number == 1 && self.is_long && !self.is_json() => {
                    self.check_header()?;
                }
                Ok(_) if self.line.trim_ascii().is_empty() => {}
                Ok(_) => return Ok(true),
                Err(error) => {
                    let place = format!("{}, line {}", self.name, self.number);
                    self.warnings.push(format!("{place}: {error}; what came before is counted"));
                    self.input = None;
                }
            }
        }
    }

    fn next_file(&mut self) -> Result<bool> {
        let Some(InputFile { path, open }) = self.files.pop_front() else { return Ok(false) };
        let is_input = path.as_os_str() == "-";
        self.name = if is_input { "standard input".into() } else { path.display().to_string() };
        let failed = || format!("cannot backtest: cannot open {}", self.name);
        let input = open.map_or_else(|| Unpacked::open(&path), Ok).with_context(failed)?;
        self.progress.set_length(input.size().unwrap_or(0));
        self.input = Some(input);
        self.number = 0;
        Ok(true)
    }

    fn check_header(&self) -> Result<()> {
        match csv_text::is_long_header(self.text()?) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.usage(&format!("the header is not {}", csv_text::LONG))),
            Err(problem) => Err(self.usage(&problem)),
        }
    }

    /// Whether the line is a JSON object.
    pub(super) fn is_json(&self) -> bool {
        csv_text::without_mark(&self.line).trim_ascii_start().starts_with(b"{")
    }

    /// The line, without its end.
    pub(super) fn text(&self) -> Result<&str> {
        csv_text::text(&self.line, self.number == 1).map_err(|problem| self.usage(&problem))
    }

    /// Whether the file ends within the line, because its writer was stopped.
    pub(super) fn is_cut(&self) -> bool {
        !self.line.ends_with(b"\n")
    }

    /// Shows the progress from time to time; returns whether it is time to stop.
    pub(super) fn look(&mut self, requests: &Requests) -> bool {
        self.since_look += 1;
        if self.since_look < BETWEEN_LOOKS {
            return false;
        }
        self.since_look = 0;
        if let Some(input) = &self.input {
            self.progress.set_position(input.position());
        }
        let is_over = requests.is_stop_requested();
        if is_over {
            self.warnings.push("stopped before the end of the input".to_owned());
            self.files.clear();
            self.input = None;
        }
        is_over
    }

    /// An error about the current line.
    pub(super) fn usage(&self, problem: &str) -> anyhow::Error {
        UsageError(format!("{}, line {}: {problem}", self.name, self.number)).into()
    }
}

/// The names of files for messages.
pub(super) fn names(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    names.join(", ")
}
