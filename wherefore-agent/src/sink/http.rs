//! HTTP as all sinks use it. Owns the client, its limits, which answers are worth another attempt,
//! and that no secret is told in errors; refuses redirects, which would carry secrets elsewhere.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use percent_encoding::percent_decode_str;
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, Url};

use super::Attempt;
use super::options::HttpArgs;
use crate::secret::Secret;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long is listened to what a server says besides its status.
const LISTEN: Duration = Duration::from_secs(2);
/// What is read of an answer, and what of it is told.
const READ: usize = 16 * 1024;
const TOLD: usize = 200;
/// Shorter texts are no secrets, and masking them would make answers unreadable.
const SHORTEST_SECRET: usize = 4;

/// A client, and what must not be told of its doings.
pub(super) struct Http {
    client: Client,
    secrets: Vec<String>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// Its beginning, without secrets.
    pub(super) body: String,
}

impl Http {
    pub(super) fn new(args: &HttpArgs) -> Result<Self> {
        // An error says that it is done already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(CONNECT.min(args.timeout))
            .timeout(args.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("wherefore/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &args.ca_file {
            client = client.tls_certs_merge(certificates(path)?);
        }
        Ok(Self { client: client.build().context("cannot set up HTTP")?, secrets: Vec::new() })
    }

    /// Has this kept out of what is told.
    pub(super) fn hide(&mut self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET {
            self.secrets.push(secret.to_owned());
        }
        // What contains another is masked first.
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// Has the secret parts of a URL kept out.
    pub(super) fn hide_url(&mut self, url: &Url) {
        /// Parts of paths that are longer may be a token.
        const TOKEN: usize = 8;
        self.hide(url.as_str());
        self.hide(url.path());
        url.query().iter().for_each(|query| self.hide(query));
        let values = url.query().into_iter().flat_map(|query| query.split('&'));
        let values = values.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        let parts = url.path_segments().into_iter().flatten().filter(|part| part.len() >= TOKEN);
        for part in parts.chain(values).chain([url.username()]).chain(url.password()) {
            self.hide(part);
            // Whoever repeats it may have decoded it.
            self.hide(&percent_decode_str(part).decode_utf8_lossy());
        }
    }

    pub(super) fn post(&self, url: &Url) -> RequestBuilder {
        self.client.post(url.clone())
    }

    /// Sends a request and reads what comes back.
    ///
    /// # Errors
    /// Where nothing does.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let sent = request.send().await;
        let response = sent.map_err(|error| {
            let error = anyhow::Error::from(error.without_url());
            anyhow!(self.mask(&format!("{error:#}")))
        })?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = beginning(response).await;
        // Cut afterwards: half a secret would not be found.
        let body = self.mask(&body).chars().take(TOLD).collect();
        Ok(Answer { status, retry_after, body })
    }

    /// Sends a request that delivers an alert.
    pub(super) async fn attempt(&self, request: RequestBuilder) -> Attempt {
        self.send(request).await.map_or_else(Attempt::later, Answer::judge)
    }

    fn mask(&self, text: &str) -> String {
        let mask = |text: String, secret: &String| text.replace(secret, "***");
        self.secrets.iter().fold(text.to_owned(), mask)
    }
}

impl Answer {
    /// What the answer means where nothing else is documented.
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

/// A URL; the message on a wrong one doesn't repeat it, as it may be a secret.
///
/// # Errors
/// Where it is none, or can't be read from where it lies.
pub(super) fn url(secret: &Secret) -> Result<Url> {
    let url = Url::parse(&secret.reveal()?).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.context("not an http or https URL")
}

/// A URL below another, which may or may not end in `/`.
pub(super) fn below(base: &Url, parts: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    let Ok(mut path) = url.path_segments_mut() else { bail!("not an http or https URL") };
    path.pop_if_empty().extend(parts);
    drop(path);
    Ok(url)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>> {
    let shown = path.display();
    let pem = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let certificates = Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
    certificates.with_context(|| format!("{shown} holds no certificates in PEM"))
}

/// Seconds or a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let until = |date: SystemTime| date.duration_since(SystemTime::now()).unwrap_or_default();
    let seconds = value.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| httpdate::parse_http_date(value).ok().map(until))
}

/// The beginning of what a server says; it may say a lot, and slowly.
async fn beginning(mut response: Response) -> String {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= READ {
                break;
            }
        }
    };
    // The status says enough.
    let _ = tokio::time::timeout(LISTEN, read).await;
    body.truncate(READ);
    String::from_utf8_lossy(&body).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_lose_their_secrets() {
        let mut http = Http::new(&HttpArgs::default()).unwrap();
        http.hide_url(
            &Url::parse("https://u:passw0rd@h/services/T0SECRETSECRET?key=abcd").unwrap(),
        );
        http.hide("topmost");
        let told = http.mask("/services/T0SECRETSECRET T0SECRETSECRET passw0rd key=abcd topmost h");
        assert_eq!(told, "*** *** *** *** *** h");
    }

    #[test]
    fn parts_of_a_url_are_secrets_as_they_are_and_decoded() {
        let mut http = Http::new(&HttpArgs::default()).unwrap();
        let url = Url::parse("https://tokenuser:pa%24%24word@h/hook?token=a%2Fquery&x=other");
        http.hide_url(&url.unwrap());
        let told = http.mask("tokenuser pa%24%24word pa$$word a%2Fquery a/query other h");
        assert_eq!(told, "*** *** *** *** *** *** h");
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
