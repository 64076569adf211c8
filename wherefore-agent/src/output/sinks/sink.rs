//! The contract of every sink: one attempt, and its result. Owns the contract; refuses to know any
//! service, and to retry.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Error;

use crate::message::alert::Alert;

/// A destination of alerts.
pub trait Sink: Send {
    /// Tries once to deliver an alert.
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> Course<'a>;

    /// How often firing alerts must be sent again, if the service needs that.
    fn reminds_every(&self) -> Option<Duration> {
        None
    }

    /// Sends firing alerts again.
    fn remind(&mut self) -> Course<'_> {
        Box::pin(std::future::ready(Attempt::Delivered(String::new())))
    }

    /// Records that this was sent before and is not over.
    fn is_open(&mut self, _alert: &Alert) {}

    /// Records that an incident ended at a time, though its last message still waits.
    fn is_ending(&mut self, _key: &str, _time: &str) {}

    /// Records that an incident is over for which no message will come.
    fn forget(&mut self, _key: &str) {}
}

/// The course of an attempt.
pub type Course<'a> = Pin<Box<dyn Future<Output = Attempt> + Send + 'a>>;

/// The result of an attempt.
#[derive(Debug)]
pub enum Attempt {
    /// It was accepted, with this answer.
    Delivered(String),
    /// It may work later.
    Later {
        /// The delay that the receiver asks for.
        after: Option<Duration>,
        /// The error.
        error: Error,
    },
    /// It won't work.
    Never(Error),
}

impl Attempt {
    /// A retry may work; the server gave no delay.
    pub(super) fn later(error: Error) -> Self {
        Self::Later { after: None, error }
    }

    /// The error as text.
    pub(super) fn problem(&self) -> String {
        match self {
            Self::Delivered(_) => String::new(),
            Self::Later { error, .. } | Self::Never(error) => format!("{error:#}"),
        }
    }
}
