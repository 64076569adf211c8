//! HTTP for all sinks. Owns the client, its limits, which answers are worth a retry, and that errors contain
//! no secret; refuses redirects, which would send secrets to another server.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, Url};

use super::masks::Masks;
use super::passing::MayPass;
use super::settings::HttpSettings;
use super::sink::Attempt;
use crate::secret::Secret;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the sink reads the body of an answer.
const LISTEN: Duration = Duration::from_secs(2);
/// The error if a client cannot be set up.
pub(in crate::output) const NO_TLS: &str =
    "cannot set up TLS: are CA certificates installed (package ca-certificates, SSL_CERT_FILE)?";
/// The bytes that are read of an answer, and the characters that are logged of it.
const READ: usize = 16 * 1024;
const TOLD: usize = 200;

/// An HTTP client, and the secrets to hide in its errors.
pub(super) struct Http {
    client: Client,
    masks: Masks,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// The beginning of its body, without secrets.
    pub(super) body: String,
}

impl Http {
    /// A client for this URL. Its secret parts are masked in errors.
    pub(super) fn new(args: &HttpSettings, url: &Url) -> Result<Self> {
        Self::for_all(args, std::slice::from_ref(url))
    }

    /// A client for several URLs.
    pub(super) fn for_all(args: &HttpSettings, urls: &[Url]) -> Result<Self> {
        // An error means that a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(CONNECT.min(args.timeout))
            .timeout(args.timeout)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("wherefore/", env!("CARGO_PKG_VERSION")));
        let own = args.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
        // Without TLS the system need not have certificates.
        let is_tls = urls.iter().chain(&proxies()).any(|url| url.scheme() == "https");
        client = if is_tls { client.tls_certs_merge(own) } else { client.tls_certs_only(own) };
        let client = client.build().context(MayPass(NO_TLS))?;
        let mut masks = Masks::default();
        urls.iter().chain(&proxies()).for_each(|url| masks.hide_url(url));
        Ok(Self { client, masks })
    }

    /// Masks this secret in all output.
    pub(super) fn hide(&mut self, secret: &str) {
        self.masks.hide(secret);
    }

    /// The masks, to add more.
    pub(super) fn masks(&mut self) -> &mut Masks {
        &mut self.masks
    }

    pub(super) fn post(&self, url: &Url) -> RequestBuilder {
        self.client.post(url.clone())
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// If there is no answer.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let sent = request.send().await;
        let response = sent.map_err(|error| {
            let error = anyhow::Error::from(error.without_url());
            anyhow!(self.masks.mask(&format!("{error:#}")))
        })?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = beginning(response, self.masks.longest()).await;
        // Cut after masking: half a secret would not be masked.
        let body = self.masks.mask(&body).chars().take(TOLD).collect();
        Ok(Answer { status, retry_after, body })
    }

    /// Sends a request that delivers an alert.
    pub(super) async fn attempt(&self, request: RequestBuilder) -> Attempt {
        self.send(request).await.map_or_else(Attempt::later, Answer::judge)
    }
}

impl Answer {
    /// What an answer means, unless the receiver documents another meaning.
    pub(super) fn judge(self) -> Attempt {
        let Self { status, retry_after, body } = self;
        if status.is_success() {
            return Attempt::Delivered(format!("{} {body}", status.as_u16()));
        }
        let error = anyhow!("the server answered {status}: {body}");
        let is_passing = matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
        if is_passing || status.is_server_error() {
            Attempt::Later { after: retry_after, error }
        } else {
            Attempt::Never(error)
        }
    }
}

/// Reads a URL. An error does not repeat it, because it may be a secret.
///
/// # Errors
/// If it is not a URL, or cannot be read from its file or variable.
pub(super) fn url(secret: &Secret) -> Result<Url> {
    let url = Url::parse(&secret.reveal()?).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.context("not an http or https URL")
}

/// A URL with path segments appended; the URL may end in `/`.
pub(super) fn below(base: &Url, parts: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    let Ok(mut path) = url.path_segments_mut() else { bail!("not an http or https URL") };
    path.pop_if_empty().extend(parts);
    drop(path);
    Ok(url)
}

/// The certificates in a file.
pub(in crate::output) fn certificates(path: &Path) -> Result<Vec<Certificate>> {
    let shown = path.display();
    let pem = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let certificates = Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
    certificates.with_context(|| format!("{shown} contains no certificates in PEM"))
}

/// The `Retry-After` of an answer: seconds, with or without a fraction, or a date. Anything else is ignored.
pub(in crate::output) fn retry_after(response: &Response) -> Option<Duration> {
    wait_of(response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim())
}

fn wait_of(value: &str) -> Option<Duration> {
    let until = |date: SystemTime| date.duration_since(SystemTime::now()).unwrap_or_default();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let fraction = value.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
    let fraction =
        fraction.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    fraction.or_else(|| httpdate::parse_http_date(value).ok().map(until))
}

/// The proxies in the environment. Their URLs may contain a password.
pub(in crate::output) fn proxies() -> Vec<Url> {
    let names =
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    names.iter().filter_map(|name| Url::parse(&std::env::var(name).ok()?).ok()).collect()
}

/// Reads the beginning of an answer, which may be long and slow. A long one is cut before its last `secret`
/// bytes, which may be the start of a secret.
async fn beginning(mut response: Response, secret: usize) -> String {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= READ {
                break;
            }
        }
    };
    // Without a body, the status is enough.
    let _ = tokio::time::timeout(LISTEN, read).await;
    if body.len() >= READ {
        body.truncate(READ.saturating_sub(secret));
    }
    String::from_utf8_lossy(&body).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_retry_after_is_read_or_asks_for_nothing() {
        let date = |seconds: i64| {
            let now = SystemTime::now() + Duration::from_secs(200_000);
            httpdate::fmt_http_date(now - Duration::from_secs((200_000 - seconds) as u64))
        };
        for (value, least, most) in [
            ("0", 0.0, 0.0),
            ("7", 7.0, 7.0),
            ("0.5", 0.5, 0.5),
            ("1e30", 1e18, f64::MAX),
            (&date(-100_000), 0.0, 0.0),
            (&date(100), 98.0, 100.0),
        ] {
            let wait = wait_of(value).unwrap().as_secs_f64();
            assert!((least..=most).contains(&wait), "{value}: {wait}");
        }
        for value in ["-1", "junk", "", "NaN", "1 s"] {
            assert_eq!(wait_of(value), None, "{value}");
        }
    }

    #[test]
    fn what_passes_is_tried_again() {
        let judge = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Answer { status, retry_after: None, body: String::new() }.judge()
        };
        for status in [408, 425, 429, 500, 503, 599] {
            assert!(matches!(judge(status), Attempt::Later { .. }), "{status}");
        }
        for status in [301, 302, 400, 401, 403, 404, 410, 413] {
            assert!(matches!(judge(status), Attempt::Never(_)), "{status}");
        }
        assert!(matches!(judge(202), Attempt::Delivered(_)));
    }
}
