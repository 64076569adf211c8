//! Slack, through an incoming webhook. Owns the message format and its limits (Slack's documentation of
//! incoming webhooks and of Block Kit). Never shows the URL, which is a secret.

use anyhow::{Context, Result};
use clap::Args;
use reqwest::Url;
use serde_json::{Value, json};

use super::http::{self, Http};
use super::settings::{HttpSettings, Routing};
use super::sink::{AttemptFuture, Sink};
use super::wording::{cut, evidence, headline, line};
use crate::message::alert::Alert;
use crate::secret::Secret;

/// The longest header block, text object in a section, and message text, in characters.
const HEADER: usize = 150;
const SECTION: usize = 3000;
const TEXT: usize = 4000;

/// Settings of Slack.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// Incoming webhook, or `file:PATH` or `env:NAME` of it: it is a secret.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub url: Secret,
    /// Channel, for webhooks that allow choosing it.
    #[arg(long, value_name = "NAME", default_value = "#wherefore")]
    pub channel: String,
    /// Name to post as, for webhooks that allow choosing it.
    #[arg(long, value_name = "NAME", default_value = "wherefore")]
    pub username: String,
    /// Emoji to use as the icon; if it is empty, the icon's URL is used.
    #[arg(long, value_name = "EMOJI", default_value = ":warning:")]
    pub emoji: String,
    /// Picture to use as the icon.
    #[arg(long, value_name = "URL", default_value = "")]
    pub icon: String,
    /// Timeouts and trust.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

impl Settings {
    /// The settings that the Go tool's options correspond to.
    ///
    /// # Errors
    /// If this is not a URL.
    pub fn of_seed(url: Secret, channel: &str, emoji: &str, icon: &str) -> Result<Self> {
        http::url(&url)?;
        Ok(Self {
            url,
            channel: channel.to_owned(),
            username: "wherefore".to_owned(),
            emoji: emoji.to_owned(),
            icon: icon.to_owned(),
            http: HttpSettings::default(),
            routing: Routing::default(),
        })
    }
}

/// An incoming webhook.
pub(super) struct Slack {
    http: Http,
    url: Url,
    settings: Settings,
}

impl Slack {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let url = http::url(&settings.url).context("url")?;
        let http = Http::new(&settings.http, &url)?;
        Ok(Self { http, url, settings: settings.clone() })
    }

    fn message(&self, alert: &Alert) -> Value {
        let Settings { channel, username, emoji, icon, .. } = &self.settings;
        let line = line(alert);
        let mut message = json!({
            "text": cut(format!("{emoji} {}", escaped(&inert(&line))).trim_start(), TEXT),
            // For clients that show this text instead of the blocks: they must not interpret it.
            "mrkdwn": false,
            "parse": "none",
            "link_names": false,
            "unfurl_links": false,
            "unfurl_media": false,
            "channel": channel,
            "username": username,
            "blocks": [
                {"type": "header", "text": plain_text(&headline(alert), HEADER)},
                {"type": "section", "text": plain_text(&line, SECTION)},
                {"type": "context", "elements": [plain_text(&facts(alert), SECTION)]},
            ],
        });
        if emoji.is_empty() {
            message["icon_url"] = json!(icon);
        } else {
            message["icon_emoji"] = json!(emoji);
        }
        message
    }
}

fn facts(alert: &Alert) -> String {
    let severity = ("severity".to_owned(), alert.severity.as_str().to_owned());
    let labels = alert.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    let packets = (!alert.evidence.is_empty()).then(|| ("packets".to_owned(), evidence(alert)));
    let facts = std::iter::once(severity).chain(labels).chain(packets);
    facts.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

/// A text object without formatting, in which `:100:` in an address does not become an emoji.
fn plain_text(text: &str, most: usize) -> Value {
    let text = CALLS.iter().fold(text.to_owned(), |text, call| text.replace(call, &apart(call)));
    json!({"type": "plain_text", "text": cut(&text, most), "emoji": false})
}

/// Texts that begin a mention.
const CALLS: [&str; 7] = ["<!", "<@", "<#", "@here", "@channel", "@everyone", "@group"];

/// Inserts a zero-width space after the first character, so that Slack treats the word as plain text.
fn apart(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter();
    first.chain(['\u{200b}']).chain(characters).collect()
}

/// Prevents emoji, mentions, links and formatting. All of these begin with a character that is directly
/// followed by another one.
fn inert(text: &str) -> String {
    let is_special = |c: char| matches!(c, ':' | '*' | '_' | '~' | '`' | '@' | '#' | '!');
    let mut inert = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        inert.push(character);
        let is_followed = characters.peek().is_some_and(|next| !next.is_whitespace());
        if is_special(character) && is_followed {
            inert.push('\u{200b}');
        }
    }
    inert
}

/// Escapes text for Slack, so that it cannot begin a link or a mention.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

impl Sink for Slack {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        let request = self.http.post(&self.url).json(&self.message(alert));
        Box::pin(self.http.attempt(request))
    }
}
