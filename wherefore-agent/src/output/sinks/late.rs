//! A sink that cannot be opened yet because of something outside: no CA certificates, a secret that
//! cannot be read, a full disk. Owns trying again with each attempt to deliver; refuses what is
//! wrong with the options, which no time mends.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context, Error, Result};

use super::{Attempt, Course, Sink, SinkSpec};
use crate::message::alert::Alert;

/// Marks an error that something outside caused and that may pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct MayPass(pub(super) &'static str);

impl fmt::Display for MayPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether an error is one of the options: a file that is not there is named wrongly, one that
/// can't be read may be readable later.
pub(super) fn may_pass(error: &Error) -> bool {
    use ErrorKind::{InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound};
    let is_option =
        |kind| matches!(kind, NotFound | InvalidData | InvalidInput | NotADirectory | IsADirectory);
    let mut io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    error.is::<MayPass>() || io.any(|io| !is_option(io.kind()))
}

/// Opens the sink when something is to be delivered.
pub(super) struct Late {
    spec: SinkSpec,
    opened: Option<Box<dyn Sink>>,
    /// What the sink was told while it was not open.
    still_open: Vec<Alert>,
}

impl Late {
    pub(super) fn new(spec: SinkSpec) -> Self {
        Self { spec, opened: None, still_open: Vec::new() }
    }

    fn open(&mut self) -> Result<&mut dyn Sink> {
        if self.opened.is_none() {
            let mut sink = self.spec.open()?;
            self.still_open.drain(..).for_each(|alert| sink.is_open(&alert));
            self.opened = Some(sink);
        }
        let opened = self.opened.as_mut().context("the sink is not open")?;
        Ok(opened.as_mut())
    }
}

impl Sink for Late {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> Course<'a> {
        match self.open() {
            Ok(sink) => sink.attempt(alert),
            Err(error) => {
                let error = error.context("the sink cannot be opened");
                Box::pin(std::future::ready(Attempt::later(error)))
            }
        }
    }

    fn reminds_every(&self) -> Option<Duration> {
        match &self.spec {
            SinkSpec::Alertmanager(settings) => Some(settings.resend_every),
            _ => None,
        }
    }

    fn remind(&mut self) -> Course<'_> {
        match self.open() {
            Ok(sink) => sink.remind(),
            Err(error) => Box::pin(std::future::ready(Attempt::later(error))),
        }
    }

    fn is_open(&mut self, alert: &Alert) {
        match &mut self.opened {
            Some(sink) => sink.is_open(alert),
            None => self.still_open.push(alert.clone()),
        }
    }

    fn is_ending(&mut self, key: &str, time: &str) {
        if let Some(sink) = &mut self.opened {
            sink.is_ending(key, time);
        }
    }

    fn forget(&mut self, key: &str) {
        self.still_open.retain(|alert| alert.key != key);
        if let Some(sink) = &mut self.opened {
            sink.forget(key);
        }
    }
}
