//! The meaning of a response, by the OTLP specification: accepted, refused for good, or to be retried. Owns
//! the meaning of each status code; refuses to send anything.

use std::time::Duration;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use percent_encoding::percent_decode_str;
use prost::Message;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::receiver::Signal;
use super::status::Status;

/// The bytes before a message in gRPC: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// Binary values of gRPC may have padding or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A response.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// The receiver accepted the request, except for this number of its records or points. The message has
    /// the reason, or is a warning.
    Accepted { rejected: u64, message: String },
    /// The receiver refuses the request for good.
    Refused(String),
    /// The receiver may accept the request later.
    Later { after: Option<Duration>, reason: String, is_unreachable: bool },
}

impl Answer {
    /// The request must be retried.
    pub(super) fn later(after: Option<Duration>, reason: String) -> Self {
        Self::Later { after, reason, is_unreachable: false }
    }

    /// Interprets a response over HTTP.
    pub(super) fn of_http(
        signal: Signal,
        status: StatusCode,
        is_protobuf: bool,
        after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        if status.is_success() {
            // Some receivers respond in JSON or with an empty body.
            return if is_protobuf { accepted(signal, body) } else { Self::whole() };
        }
        let text = match Status::decode(body).ok().filter(|_| is_protobuf) {
            Some(status) => status.message,
            None => String::from_utf8_lossy(body).into_owned(),
        };
        let reason = format!("the receiver answered {status}: {}", text.trim());
        if is_passing(status) { Self::later(after, reason) } else { Self::Refused(reason) }
    }

    /// Interprets a response over gRPC: the headers or trailers with the status, and the message.
    pub(super) fn of_grpc(
        signal: Signal,
        status: StatusCode,
        last: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let value = |name: &str| last.get(name).and_then(|value| value.to_str().ok());
        let code = value("grpc-status").and_then(|code| code.parse::<i32>().ok());
        match code {
            Some(0) => match unframed(body) {
                Some(message) => accepted(signal, message),
                None => Self::Refused("the receiver answered with no message of gRPC".to_owned()),
            },
            Some(code) => {
                let details = value("grpc-status-details-bin");
                let details = details.and_then(|text| BASE64.decode(text).ok());
                let details = details.and_then(|bytes| Status::decode(bytes.as_slice()).ok());
                let after = details.as_ref().and_then(Status::retry_delay);
                let text = value("grpc-message").unwrap_or_default();
                let text = percent_decode_str(text).decode_utf8_lossy();
                let reason = format!("the receiver answered with gRPC status {code}: {text}");
                let is_passing = is_passing_code(code, after.is_some());
                if is_passing { Self::later(after, reason) } else { Self::Refused(reason) }
            }
            None if is_passing(status) => {
                Self::later(None, format!("the receiver answered {status}"))
            }
            None => Self::Refused(format!("the receiver answered {status} without a gRPC status")),
        }
    }

    fn whole() -> Self {
        Self::Accepted { rejected: 0, message: String::new() }
    }
}

/// The HTTP status codes after which a request may be retried.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// The gRPC status codes after which a request may be retried: cancelled, deadline exceeded, aborted, out of
/// range, unavailable, data loss; and resource exhausted if the receiver reports when it recovers.
fn is_passing_code(code: i32, says_when: bool) -> bool {
    matches!(code, 1 | 4 | 10 | 11 | 14 | 15) || (code == 8 && says_when)
}

/// The part of a response that was not accepted.
fn accepted(signal: Signal, body: &[u8]) -> Answer {
    let partial = match signal {
        Signal::Logs => ExportLogsServiceResponse::decode(body).map(|response| {
            let partial = response.partial_success.unwrap_or_default();
            (partial.rejected_log_records, partial.error_message)
        }),
        Signal::Metrics => ExportMetricsServiceResponse::decode(body).map(|response| {
            let partial = response.partial_success.unwrap_or_default();
            (partial.rejected_data_points, partial.error_message)
        }),
    };
    match partial {
        Ok((rejected, message)) => {
            Answer::Accepted { rejected: rejected.max(0).unsigned_abs(), message }
        }
        Err(_) => Answer::Refused("the receiver's answer is not of this protocol".to_owned()),
    }
}

/// The only message of a gRPC response, which must not be compressed.
fn unframed(body: &[u8]) -> Option<&[u8]> {
    let (prefix, message) = body.split_at_checked(PREFIX)?;
    let length = u32::from_be_bytes(prefix[1..].try_into().ok()?);
    (prefix[0] == 0 && message.len() == length as usize).then_some(message)
}

/// A message with its prefix; it is compressed by gzip.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(PREFIX + message.len());
    body.push(1);
    body.extend((message.len() as u32).to_be_bytes());
    body.extend(message);
    body
}

#[cfg(test)]
mod tests {
    use super::super::status::{Any, Delay, RetryInfo};
    use super::*;

    fn of_http(status: u16, is_protobuf: bool, body: &[u8]) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer::of_http(Signal::Logs, status, is_protobuf, Some(Duration::from_secs(7)), body)
    }

    fn of_grpc(headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), value.parse().unwrap())
        });
        Answer::of_grpc(Signal::Metrics, StatusCode::OK, &headers.collect(), body)
    }

    #[test]
    fn codes_of_http_are_those_of_the_specification() {
        for status in 300..600 {
            let answer = of_http(status, false, b"text");
            let is_later = matches!(answer, Answer::Later { after: Some(_), .. });
            assert_eq!(is_later, [429, 502, 503, 504].contains(&status), "{status}");
        }
        let whole = Answer::Accepted { rejected: 0, message: String::new() };
        assert_eq!(of_http(200, true, b""), whole);
        assert_eq!(of_http(200, false, b"{}"), whole);
        assert!(matches!(of_http(200, true, b"\xff\xff"), Answer::Refused(_)));
        // partial_success { rejected_log_records: 3, error_message: "no" }
        let partial = of_http(200, true, b"\x0a\x06\x08\x03\x12\x02no");
        assert_eq!(partial, Answer::Accepted { rejected: 3, message: "no".to_owned() });
    }

    #[test]
    fn codes_of_grpc_are_those_of_the_specification() {
        for code in 1..20 {
            let answer = of_grpc(&[("grpc-status", &code.to_string())], b"");
            let is_later = matches!(answer, Answer::Later { .. });
            assert_eq!(is_later, [1, 4, 10, 11, 14, 15].contains(&code), "{code}");
        }
        let delay = Delay { seconds: 3, nanos: 5 };
        let value = RetryInfo { retry_delay: Some(delay) }.encode_to_vec();
        let type_url = format!("type.googleapis.com/{}", super::super::status::RETRY_INFO);
        let details = vec![Any { type_url, value }];
        let status = Status { code: 8, message: "full".to_owned(), details }.encode_to_vec();
        let encoded = base64::prelude::BASE64_STANDARD_NO_PAD.encode(status);
        let answer = of_grpc(&[("grpc-status", "8"), ("grpc-status-details-bin", &encoded)], b"");
        let Answer::Later { after, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(after, Some(Duration::new(3, 5)));
        assert!(matches!(of_grpc(&[("grpc-status", "8")], b""), Answer::Refused(_)));
        let refused = of_grpc(&[("grpc-status", "3"), ("grpc-message", "a%20b")], b"");
        assert!(matches!(refused, Answer::Refused(reason) if reason.contains("a b")));
    }

    #[test]
    fn nonsense_is_refused() {
        for body in [&b""[..], b"\0\0\0\0", b"\x01\0\0\0\0", b"\0\0\0\0\x05ab", b"\0\0\0\0\x01\xff"]
        {
            let answer = of_grpc(&[("grpc-status", "0")], body);
            assert!(matches!(answer, Answer::Refused(_)), "{body:?}");
        }
        assert!(matches!(of_grpc(&[], b""), Answer::Refused(_)));
        let whole = Answer::Accepted { rejected: 0, message: String::new() };
        assert_eq!(of_grpc(&[("grpc-status", "0")], b"\0\0\0\0\0"), whole);
    }
}
