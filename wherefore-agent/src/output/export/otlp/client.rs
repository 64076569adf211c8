//! The connection to a receiver, by HTTP or by unary calls of gRPC. Owns TLS, headers, compression and time
//! limits, and that errors contain no secret.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Limited};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use reqwest::{Body, Response, Url};

use super::answer::{Answer, framed};
use super::receiver::Signal;
use super::settings::Settings;
use crate::output::sinks::http::{NO_TLS, certificates, proxies, retry_after};
use crate::output::sinks::masks::Masks;
use crate::output::sinks::settings::Pair;

/// How long a connection may take, and a whole request.
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(10);
/// The most bytes of a response that are read, and the most characters of its text that are logged.
const ANSWER: usize = 64 * 1024;
const LOGGED: usize = 200;

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// A client of one receiver.
pub(super) struct Client {
    http: reqwest::Client,
    masks: Masks,
    headers: HeaderMap,
    logs: Url,
    metrics: Url,
    is_grpc: bool,
}

impl Client {
    /// Reads secrets and certificates; connects only later.
    ///
    /// # Errors
    /// If one of them cannot be read or used.
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let receiver = &settings.receiver;
        let [logs, metrics] = [Signal::Logs, Signal::Metrics].map(|signal| receiver.url(signal));
        let (logs, metrics) = (logs.map_err(Error::msg)?, metrics.map_err(Error::msg)?);
        let mut masks = Masks::default();
        proxies().iter().for_each(|url| masks.hide_url(url));
        let is_grpc = receiver.is_grpc();
        let mut headers = headers(&settings.headers, &mut masks)?;
        headers.insert(CONTENT_TYPE, if is_grpc { GRPC } else { PROTOBUF });
        if is_grpc {
            headers.insert(HeaderName::from_static("grpc-encoding"), GZIP);
            headers.insert(TE, HeaderValue::from_static("trailers"));
        } else {
            headers.insert(CONTENT_ENCODING, GZIP);
        }
        Ok(Self { http: http(settings)?, masks, headers, logs, metrics, is_grpc })
    }

    /// The body of a request.
    ///
    /// # Errors
    /// None in practice, because it writes to memory.
    pub(super) fn body(&self, message: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(message)?;
        let compressed = encoder.finish()?;
        Ok(if self.is_grpc { framed(&compressed) } else { compressed })
    }

    /// Sends a request once.
    pub(super) async fn post(&self, signal: Signal, body: &[u8]) -> Answer {
        let url = match signal {
            Signal::Logs => &self.logs,
            Signal::Metrics => &self.metrics,
        };
        let request = self.http.post(url.clone()).headers(self.headers.clone()).body(body.to_vec());
        let answered = async {
            let response = request.send().await?;
            self.read(signal, response).await
        };
        self.masked(answered.await.unwrap_or_else(|error| unanswered(&error)))
    }

    async fn read(&self, signal: Signal, response: Response) -> Result<Answer> {
        let (status, after) = (response.status(), retry_after(&response));
        let mut last = response.headers().clone();
        let kind = last.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_protobuf = kind.starts_with("application/x-protobuf");
        let collected = Limited::new(Body::from(response), ANSWER).collect().await;
        let collected = collected.map_err(|error| anyhow!(error))?;
        // A status without a message is in the headers.
        last.extend(collected.trailers().cloned().unwrap_or_default());
        let body = collected.to_bytes();
        Ok(match self.is_grpc {
            true => Answer::of_grpc(signal, status, &last, &body),
            false => Answer::of_http(signal, status, is_protobuf, after, &body),
        })
    }

    /// The response without secrets and control characters, cut to a maximum length.
    fn masked(&self, answer: Answer) -> Answer {
        let shown = |text: String| {
            let text = self.masks.mask(&text);
            let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            plain.take(LOGGED).collect::<String>()
        };
        match answer {
            Answer::Accepted { rejected, message } => {
                Answer::Accepted { rejected, message: shown(message) }
            }
            Answer::Refused(reason) => Answer::Refused(shown(reason)),
            Answer::Later { after, reason, is_unreachable } => {
                Answer::Later { after, reason: shown(reason), is_unreachable }
            }
        }
    }
}

/// A request without a response may be repeated: the specification accepts duplicates.
fn unanswered(error: &Error) -> Answer {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    let of_http = error.downcast_ref::<reqwest::Error>();
    let is_unreachable = of_http.is_some_and(reqwest::Error::is_connect);
    // The first cause repeats the URL.
    let reason = causes.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(&causes).join(": ");
    let is_late = of_http.is_some_and(reqwest::Error::is_timeout);
    let reason = if is_late { format!("no answer in time: {reason}") } else { reason };
    Answer::Later { after: None, reason, is_unreachable }
}

fn headers(given: &[Pair<crate::secret::Secret>], masks: &mut Masks) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for Pair { name, value } in given {
        ensure!(!name.is_empty(), "--otlp-header: not of the form NAME=VALUE");
        let failed = || format!("--otlp-header {name}");
        let value = value.reveal().with_context(failed)?;
        masks.hide_header(&value);
        let header = HeaderName::try_from(name).with_context(failed)?;
        // The error does not contain the value.
        let mut value = HeaderValue::try_from(value).with_context(failed)?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(headers)
}

fn http(settings: &Settings) -> Result<reqwest::Client> {
    // An error means that a provider is installed already, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let receiver = &settings.receiver;
    let mut client = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(ATTEMPT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("wherefore/", env!("CARGO_PKG_VERSION")));
    let own = settings.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
    // Without TLS the system need not have certificates.
    let is_tls = receiver.is_tls() || proxies().iter().any(|url| url.scheme() == "https");
    client = if is_tls { client.tls_certs_merge(own) } else { client.tls_certs_only(own) };
    if receiver.is_grpc() {
        // The proxies in the environment use HTTP/1.1.
        client = client.http2_prior_knowledge().no_proxy();
    }
    client.build().context(NO_TLS)
}
