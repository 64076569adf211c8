//! The trait of every sink: one attempt, and its result. Owns this contract; refuses to know any service, and
//! to retry.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Error;

use crate::message::alert::Alert;

/// A receiver of alerts.
pub trait Sink: Send {
    /// Tries once to deliver an alert.
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a>;

    /// How often firing alerts must be repeated, if the service needs that.
    fn reminds_every(&self) -> Option<Duration> {
        None
    }

    /// Repeats firing alerts.
    fn remind(&mut self) -> AttemptFuture<'_> {
        Box::pin(std::future::ready(Attempt::Delivered(String::new())))
    }

    /// Records that this alert was sent by an earlier run and is not over.
    fn is_open(&mut self, _alert: &Alert) {}

    /// Records that an incident ended at this time, though its last message still waits.
    fn is_ending(&mut self, _key: &str, _time: &str) {}

    /// Records that an incident is over, though no message about its end will come.
    fn forget(&mut self, _key: &str) {}
}

/// The future of an attempt.
pub type AttemptFuture<'a> = Pin<Box<dyn Future<Output = Attempt> + Send + 'a>>;

/// The result of an attempt.
#[derive(Debug)]
pub enum Attempt {
    /// It was accepted, with this answer.
    Delivered(String),
    /// It failed, but may work later.
    Later {
        /// The delay that the receiver asks for.
        after: Option<Duration>,
        /// The error.
        error: Error,
    },
    /// It failed, and a retry cannot help.
    Never(Error),
}

impl Attempt {
    /// A failure that is worth a retry; the receiver asked for no delay.
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
