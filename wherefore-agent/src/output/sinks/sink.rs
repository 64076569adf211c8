//! What every sink is: one attempt, and what became of it. Owns the contract; refuses to know any
//! service, and to retry.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Error;

use crate::message::alert::Alert;

/// A way to tell somebody.
pub trait Sink: Send {
    /// Tries once to deliver an alert.
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> Course<'a>;

    /// How often what is firing is told again, where that is needed.
    fn reminds_every(&self) -> Option<Duration> {
        None
    }

    /// Tells again what is firing.
    fn remind(&mut self) -> Course<'_> {
        Box::pin(std::future::ready(Attempt::Delivered(String::new())))
    }

    /// Notes that this was sent before and is not over.
    fn is_open(&mut self, _alert: &Alert) {}

    /// Notes that an incident ended at a time, though the message of it still waits.
    fn is_ending(&mut self, _key: &str, _time: &str) {}

    /// Notes that an incident is over of which no message will come.
    fn forget(&mut self, _key: &str) {}
}

/// The course of an attempt.
pub type Course<'a> = Pin<Box<dyn Future<Output = Attempt> + Send + 'a>>;

/// What became of an attempt.
#[derive(Debug)]
pub enum Attempt {
    /// It was taken, and this came back.
    Delivered(String),
    /// It may work later.
    Later {
        /// The pause that the other side asks for.
        after: Option<Duration>,
        /// What went wrong.
        error: Error,
    },
    /// It won't work.
    Never(Error),
}

impl Attempt {
    /// It may work later, nobody says when.
    pub(super) fn later(error: Error) -> Self {
        Self::Later { after: None, error }
    }

    /// What went wrong, in words.
    pub(super) fn problem(&self) -> String {
        match self {
            Self::Delivered(_) => String::new(),
            Self::Later { error, .. } | Self::Never(error) => format!("{error:#}"),
        }
    }
}
