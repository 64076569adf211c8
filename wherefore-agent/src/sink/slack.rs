//! Slack by an incoming webhook. Owns its message format and which answers are worth a retry
//! (Slack's documentation of incoming webhooks and rate limits); never logs the URL, which is a
//! secret.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::json;

use super::{Delivery, Sink};
use crate::alert::Alert;
use crate::cli::SlackArgs;
use crate::config::UsageError;
use crate::text::Bytes;

/// Attempts for one alert, with a pause that doubles between them.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, also where the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);

/// An incoming webhook.
pub(super) struct Slack {
    client: Client,
    url: Url,
    args: SlackArgs,
}

/// What became of an attempt.
enum Attempt {
    Delivered,
    /// It may work later, after this pause where the server says so.
    Later(Option<Duration>, anyhow::Error),
    /// It won't.
    Never(anyhow::Error),
}

impl Slack {
    /// The webhook of the options; `None` without a URL (the Go tool's default is `nil`).
    pub(super) fn open(args: &SlackArgs) -> Result<Option<Self>> {
        let Some(url) = args.slack_url.as_deref().filter(|url| !matches!(*url, "" | "nil")) else {
            return Ok(None);
        };
        // The URL is a secret: the message doesn't repeat it.
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(url) = url else {
            bail!(UsageError("--slack-url: not an http or https URL".to_owned()));
        };
        // An error says that it is done already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(TIMEOUT).build().context("cannot set up HTTP")?;
        Ok(Some(Self { client, url, args: args.clone() }))
    }

    fn message(&self, alert: &Alert) -> serde_json::Value {
        let headline = format!("{} -> {}: {}", alert.src, alert.dst, Bytes(alert.bytes as f64));
        let mut message = json!({
            "text": format!("{} {}", self.args.slack_emoji, alert.text),
            "channel": self.args.slack_channel,
            "username": "wherefore",
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": headline}},
                {"type": "section", "text": {"type": "plain_text", "text": alert.text}},
            ],
        });
        if self.args.slack_emoji.is_empty() {
            message["icon_url"] = json!(self.args.slack_icon);
        } else {
            message["icon_emoji"] = json!(self.args.slack_emoji);
        }
        message
    }

    async fn attempt(&self, message: &serde_json::Value) -> Attempt {
        let sent = self.client.post(self.url.clone()).json(message).send().await;
        match sent {
            Err(error) => Attempt::Later(None, error.without_url().into()),
            Ok(response) if response.status().is_success() => Attempt::Delivered,
            Ok(response) => judge(response, &self.url).await,
        }
    }
}

/// The beginning of what a server says; it may say a lot.
async fn beginning(mut response: Response) -> String {
    const ENOUGH: usize = 200;
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= ENOUGH {
            break;
        }
    }
    String::from_utf8_lossy(&body).chars().take(ENOUGH).collect()
}

async fn judge(response: Response, url: &Url) -> Attempt {
    let status = response.status();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    // Servers like to repeat the path that they don't know, which here is a secret.
    let body = beginning(response).await;
    let body = if url.path().len() > 1 { body.replace(url.path(), "…") } else { body };
    let error = anyhow::anyhow!("Slack answered {status}: {body}");
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        Attempt::Later(retry_after, error)
    } else {
        Attempt::Never(error)
    }
}

impl Sink for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn deliver<'a>(&'a mut self, alert: &'a Alert) -> Delivery<'a> {
        Box::pin(async move {
            let message = self.message(alert);
            let mut pause = FIRST_PAUSE;
            for attempt in 1.. {
                match self.attempt(&message).await {
                    Attempt::Delivered => break,
                    Attempt::Never(error) => return Err(error),
                    Attempt::Later(_, error) if attempt == ATTEMPTS => {
                        return Err(error.context(format!("gave up after {ATTEMPTS} attempts")));
                    }
                    Attempt::Later(asked, error) => {
                        tracing::debug!(error = format!("{error:#}"), attempt, "will try again");
                        tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                        pause *= 2;
                    }
                }
            }
            Ok(())
        })
    }
}
