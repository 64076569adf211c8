//! In place of the producer in a program that was built without Kafka. Owns the message that says so.

use std::time::Duration;

use anyhow::{Result, bail};

use super::parcel::{Parcel, Refusal, Report};
use super::records::Record;
use super::settings::Settings;
use super::target::Topic;
use crate::usage::UsageError;

/// There is none.
pub(super) enum Configuration {}

/// There is none.
pub(super) enum Producer {}

impl Configuration {
    /// # Errors
    /// Always.
    pub(super) fn check(settings: &Settings) -> Result<Self> {
        let text = format!(
            "--kafka {}: this program was built without Kafka: build it with `cargo build --release \
             --package wherefore-agent --features kafka`",
            settings.target
        );
        bail!(UsageError(text))
    }
}

impl Producer {
    pub(super) fn start(configuration: &Configuration) -> Result<Self, String> {
        match *configuration {}
    }

    pub(super) fn reach(&self, _topic: &Topic, _patience: Duration) -> Result<(), String> {
        match *self {}
    }

    #[allow(clippy::boxed_local, reason = "as the other producer takes it")]
    pub(super) fn send(
        &self,
        _topic: &Topic,
        _record: &Record,
        _parcel: Box<Parcel>,
    ) -> Result<(), (Refusal, Box<Parcel>)> {
        match *self {}
    }

    pub(super) fn poll(&self, _time: Duration) -> Vec<Report> {
        match *self {}
    }

    pub(super) fn is_broken(&self) -> bool {
        match *self {}
    }
}
