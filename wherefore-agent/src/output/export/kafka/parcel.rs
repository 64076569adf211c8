//! What a record stands for, on its way to a broker and back with the report about it. Owns the types.
#![cfg_attr(not(feature = "kafka"), allow(dead_code, reason = "only the producer reports"))]

use std::sync::Arc;

use crate::message::alert::Alert;
use crate::output::export::sums::Sums;

/// What a record stands for.
#[derive(Debug)]
pub(super) enum Parcel {
    Flows {
        sums: Sums,
        /// Flows without a record of their own.
        summed_flows: u64,
    },
    Alert(Arc<Alert>),
}

/// Why a record was not delivered.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// Another attempt can succeed.
    pub(super) is_temporary: bool,
}

/// The fate of a record.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) parcel: Parcel,
    pub(super) failure: Option<Failure>,
}

/// Why a record is not on its way.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Too many bytes are on their way.
    Full,
    Failed(Failure),
}
