//! PagerDuty, through its Events API v2. Owns the event's format and limits. The key makes an incident one
//! alert there.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use reqwest::Url;
use serde_json::{Value, json};

use super::http::{self, Http};
use super::settings::{HttpSettings, Routing};
use super::sink::{AttemptFuture, Sink};
use super::wording::{cut, line};
use crate::message::alert::{Alert, Status};
use crate::secret::Secret;

/// The longest summary, in characters.
const SUMMARY: usize = 1024;

/// Settings of PagerDuty.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// Integration key of a service ("Events API v2"), or `file:PATH` or `env:NAME` of it.
    #[arg(long, value_name = "KEY", hide_env_values = true)]
    pub routing_key: Secret,
    /// URL for events; `https://events.eu.pagerduty.com/v2/enqueue` for accounts in the EU.
    #[arg(
        long,
        value_name = "URL",
        hide_env_values = true,
        default_value = "https://events.pagerduty.com/v2/enqueue",
        hide_default_value = true
    )]
    pub url: Secret,
    /// Timeouts and trust.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// A PagerDuty service.
pub(super) struct PagerDuty {
    http: Http,
    url: Url,
    routing_key: String,
}

impl PagerDuty {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let url = http::url(&settings.url).context("url")?;
        let routing_key = settings.routing_key.reveal().context("routing_key")?;
        let mut http = Http::new(&settings.http, &url)?;
        http.hide(&routing_key);
        Ok(Self { http, url, routing_key })
    }

    fn event(&self, alert: &Alert) -> Value {
        let mut event = json!({
            "routing_key": self.routing_key,
            "event_action": if alert.status == Status::Resolved { "resolve" } else { "trigger" },
            "dedup_key": alert.key,
            "client": "wherefore",
            "payload": {
                "summary": cut(&line(alert), SUMMARY),
                "source": alert.host,
                "severity": alert.severity.as_str(),
                "timestamp": alert.time,
                "component": alert.interface,
                "group": format!("{} -> {}", alert.src, alert.dst),
                "class": alert.kind.as_str(),
                "custom_details": details(alert),
            },
        });
        // The source must not be empty.
        if alert.host.is_empty() {
            event["payload"]["source"] = json!("wherefore");
        }
        event
    }
}

/// The facts that help the person on call. The window is left out, because it may be long.
fn details(alert: &Alert) -> Value {
    let evidence: Vec<_> = alert.evidence.iter().map(|path| Path::to_string_lossy(path)).collect();
    json!({
        "started": alert.started,
        "src": alert.src,
        "dst": alert.dst,
        "group_by": alert.group_by,
        "bytes": alert.bytes,
        "packets": alert.packets,
        "bytes_per_second": alert.bytes_per_second,
        "usual_bytes": alert.usual_bytes,
        "probability": alert.probability,
        "methods": alert.methods,
        "labels": alert.labels,
        "evidence": evidence,
    })
}

impl Sink for PagerDuty {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        let request = self.http.post(&self.url).json(&self.event(alert));
        Box::pin(self.http.attempt(request))
    }
}
