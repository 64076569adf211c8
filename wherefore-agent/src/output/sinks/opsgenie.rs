//! Opsgenie's alert API, which Jira Service Management offers at another URL. Owns the format and its limits.
//! The alias makes an incident one alert there.

use anyhow::{Context, Result};
use clap::Args;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::http::{self, Http};
use super::settings::{HttpSettings, Routing};
use super::sink::{Attempt, AttemptFuture, Sink};
use super::wording::{annotations, cut, headline, labels, line};
use crate::message::alert::{Alert, Severity, Status};
use crate::secret::Secret;

/// The longest values of the fields, in characters.
const MESSAGE: usize = 130;
const ALIAS: usize = 512;
const DESCRIPTION: usize = 15_000;
const ENTITY: usize = 512;
const SOURCE: usize = 100;
/// The most tags, and the longest tag.
const TAGS: usize = 20;
const TAG: usize = 50;
/// The longest sum of all details, in characters.
const DETAILS: usize = 8000;

/// Settings of Opsgenie.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// Key of an API integration, or `file:PATH` or `env:NAME` of it.
    #[arg(long, value_name = "KEY", hide_env_values = true)]
    pub api_key: Secret,
    /// The API without `/v2/alerts`: `https://api.eu.opsgenie.com` for accounts in the EU,
    /// `https://api.atlassian.com/jsm/ops/integration` for Jira Service Management.
    #[arg(
        long,
        value_name = "URL",
        hide_env_values = true,
        default_value = "https://api.opsgenie.com",
        hide_default_value = true
    )]
    pub url: Secret,
    /// Team that answers; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub team: Vec<String>,
    /// Tag of the alerts; may be repeated.
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Timeouts and trust.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// An integration.
pub(super) struct Opsgenie {
    http: Http,
    url: Url,
    authorization: String,
    settings: Settings,
}

impl Opsgenie {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let url = http::url(&settings.url).context("url")?;
        let key = settings.api_key.reveal().context("api_key")?;
        let mut http = Http::new(&settings.http, &url)?;
        http.hide(&key);
        let authorization = format!("GenieKey {key}");
        Ok(Self { http, url, authorization, settings: settings.clone() })
    }

    fn open_body(&self, alert: &Alert) -> Value {
        let team = |name: &String| json!({"name": name, "type": "team"});
        let tags = self.settings.tag.iter().take(TAGS).map(|tag| cut(tag, TAG));
        json!({
            "message": cut(&headline(alert), MESSAGE),
            "alias": alias(alert),
            "description": cut(&line(alert), DESCRIPTION),
            "responders": self.settings.team.iter().map(team).collect::<Vec<_>>(),
            "tags": tags.collect::<Vec<_>>(),
            "details": details(alert),
            "entity": cut(&format!("{} -> {}", alert.src, alert.dst), ENTITY),
            "source": cut(&format!("wherefore on {}", alert.host), SOURCE),
            "priority": priority(alert.severity),
        })
    }

    fn close_body(alert: &Alert) -> Value {
        json!({
            "note": cut(&line(alert), DESCRIPTION),
            "source": cut(&format!("wherefore on {}", alert.host), SOURCE),
        })
    }

    async fn try_once(&self, alert: &Alert) -> Attempt {
        let is_over = alert.status == Status::Resolved;
        let alias = alias(alert);
        let parts: &[&str] =
            if is_over { &["v2", "alerts", &alias, "close"] } else { &["v2", "alerts"] };
        let mut url = match http::below(&self.url, parts) {
            Ok(url) => url,
            Err(error) => return Attempt::Never(error),
        };
        let body = if is_over {
            url.query_pairs_mut().append_pair("identifierType", "alias");
            Self::close_body(alert)
        } else {
            self.open_body(alert)
        };
        let request = self.http.post(&url).header("authorization", &self.authorization);
        match self.http.send(request.json(&body)).await {
            // Closing an alert that is not open is no error.
            Ok(answer) if is_over && answer.status == StatusCode::NOT_FOUND => {
                Attempt::Delivered("404, not open".to_owned())
            }
            Ok(answer) => answer.judge(),
            Err(error) => Attempt::later(error),
        }
    }
}

fn alias(alert: &Alert) -> String {
    cut(&alert.key, ALIAS)
}

fn details(alert: &Alert) -> Value {
    let mut room = DETAILS;
    let mut pairs: Vec<_> = labels(alert).into_iter().chain(annotations(alert)).collect();
    pairs.retain(|(name, value)| {
        let length = name.chars().count() + value.chars().count();
        let fits = length <= room && name != "description";
        room -= if fits { length } else { 0 };
        fits
    });
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::Warning => "P3",
        Severity::Info => "P5",
    }
}

impl Sink for Opsgenie {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        Box::pin(self.try_once(alert))
    }
}
