//! A sink that cannot be opened yet for an outside reason: no CA certificates, an unreadable secret, a full
//! disk. Owns opening it again with each attempt to deliver; refuses errors in the options, which do not go
//! away.

use std::time::Duration;

use anyhow::{Context, Result};

use super::sink::{Attempt, AttemptFuture, Sink};
use super::spec::SinkSpec;
use crate::message::alert::Alert;

/// Opens the sink when an alert is to be delivered.
pub(super) struct DeferredSink {
    spec: SinkSpec,
    opened: Option<Box<dyn Sink>>,
    /// The open incidents that the sink is started with.
    still_open: Vec<Alert>,
}

impl DeferredSink {
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

impl Sink for DeferredSink {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
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

    fn remind(&mut self) -> AttemptFuture<'_> {
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
