//! The status in an answer about an error: `google.rpc.Status`, and when to try again. Owns these messages,
//! of which only the needed fields are declared.

use std::time::Duration;

use prost::Message;

/// The type of [`RetryInfo`] in the details.
pub(super) const RETRY_INFO: &str = "google.rpc.RetryInfo";

/// An error (google/rpc/status.proto).
#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Any>,
}

/// A message of any type (google/protobuf/any.proto).
#[derive(Clone, PartialEq, Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// When to try again (google/rpc/error_details.proto).
#[derive(Clone, PartialEq, Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<Delay>,
}

/// A length of time (google/protobuf/duration.proto).
#[derive(Clone, PartialEq, Message)]
pub(super) struct Delay {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl Status {
    /// How long the receiver asks to wait; `None` if it does not.
    pub(super) fn retry_delay(&self) -> Option<Duration> {
        let found = self.details.iter().find(|any| any.type_url.ends_with(RETRY_INFO))?;
        let info = RetryInfo::decode(found.value.as_slice()).ok()?;
        let Delay { seconds, nanos } = info.retry_delay.unwrap_or_default();
        let seconds = Duration::from_secs(seconds.try_into().unwrap_or_default());
        Some(seconds + Duration::from_nanos(nanos.try_into().unwrap_or_default()))
    }
}
