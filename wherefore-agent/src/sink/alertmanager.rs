//! Prometheus' Alertmanager by its API v2. Owns the set of what is firing, which is told again and
//! again because Alertmanager forgets, and that every member of a cluster is told; refuses to group
//! or to silence, which is Alertmanager's work.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::http::{self, Http};
use super::options::{HttpArgs, Pair, Routing, duration};
use super::wording::{annotations, labels};
use super::{Attempt, Course, Sink};
use crate::alert::{Alert, Status};
use crate::secret::Secret;
use crate::text::rfc3339;

/// Incidents that are told again.
const MOST_FIRING: usize = 10_000;
/// Alerts in one request.
const BATCH: usize = 500;
/// What is not told again for so many periods is over, as with Prometheus.
const PERIODS: u32 = 4;
/// How often a member that can't be reached is said to be so.
const SAY_EVERY: u32 = 60;

/// Settings of Alertmanager.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// An Alertmanager, without `/api/v2/alerts`; repeated for each member of a cluster. It may
    /// hold a user and a password, and may be `file:PATH` or `env:NAME`.
    #[arg(long, value_name = "URL", required = true, hide_env_values = true)]
    pub url: Vec<Secret>,
    /// Label of all alerts of this sink; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Vec<Pair<String>>,
    /// How often what is firing is told again.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    pub resend_every: Duration,
    /// Timeouts and trust.
    #[command(flatten)]
    pub http: HttpArgs,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// A cluster, or one.
pub(super) struct Alertmanager {
    http: Arc<Http>,
    members: Vec<Member>,
    firing: HashMap<String, Firing>,
    settings: Settings,
}

struct Member {
    url: Url,
    /// Attempts in a row that failed.
    failed: u32,
}

/// What is told again: labels as they were first, for they name the alert.
struct Firing {
    labels: BTreeMap<String, String>,
    alert: Alert,
}

impl Alertmanager {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let (mut http, mut members) = (Http::new(&settings.http)?, Vec::new());
        for url in &settings.url {
            let base = http::url(url).context("url")?;
            http.hide_url(&base);
            members.push(Member { url: http::below(&base, &["api", "v2", "alerts"])?, failed: 0 });
        }
        let http = Arc::new(http);
        Ok(Self { http, members, firing: HashMap::new(), settings: settings.clone() })
    }

    fn labels(&self, alert: &Alert) -> BTreeMap<String, String> {
        let own = self.settings.label.iter();
        let own = own.map(|pair| (pair.name.clone(), pair.value.clone()));
        own.chain(labels(alert)).collect()
    }

    /// Notes the alert and gives what is posted about it.
    fn note(&mut self, alert: &Alert) -> Value {
        let known = self.firing.remove(&alert.key);
        let labels = known.map_or_else(|| self.labels(alert), |known| known.labels);
        let end = match alert.status {
            Status::Resolved => alert.time.clone(),
            Status::Firing | Status::Update => self.expiry(),
        };
        let posted = post(&labels, alert, &end);
        if alert.status != Status::Resolved && self.firing.len() < MOST_FIRING {
            self.firing.insert(alert.key.clone(), Firing { labels, alert: alert.clone() });
        }
        posted
    }

    /// When an alert that is not told again is over.
    fn expiry(&self) -> String {
        let lasts = self.settings.resend_every * PERIODS;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + lasts;
        rfc3339(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Delivered where one member at least took it.
    async fn post(&mut self, alerts: Vec<Value>) -> Attempt {
        let body = Value::Array(alerts);
        let mut posts = JoinSet::new();
        for (at, member) in self.members.iter().enumerate() {
            let request = self.http.post(&member.url).json(&body);
            let http = self.http.clone();
            posts.spawn(async move { (at, http.attempt(request).await) });
        }
        let mut worst = None;
        let mut taken = None;
        for (at, attempt) in posts.join_all().await {
            if let Attempt::Delivered(answer) = attempt {
                self.members[at].failed = 0;
                taken = Some(answer);
            } else {
                self.members[at].fail(&attempt);
                // What may pass is hoped for.
                worst =
                    worst.filter(|kept| matches!(kept, Attempt::Later { .. })).or(Some(attempt));
            }
        }
        let nobody = || Attempt::Never(anyhow!("no member is configured"));
        taken.map_or_else(|| worst.unwrap_or_else(nobody), Attempt::Delivered)
    }
}

impl Member {
    /// Counts, and says so now and then.
    fn fail(&mut self, attempt: &Attempt) {
        if self.failed.is_multiple_of(SAY_EVERY) {
            let (host, port) = (self.url.host_str().unwrap_or_default(), self.url.port());
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            let error = attempt.problem();
            tracing::warn!(member = format!("{host}{port}"), error, "Alertmanager did not take it");
        }
        self.failed = self.failed.saturating_add(1);
    }
}

fn post(labels: &BTreeMap<String, String>, alert: &Alert, end: &str) -> Value {
    json!({
        "labels": labels,
        "annotations": annotations(alert),
        "startsAt": alert.started,
        "endsAt": end,
    })
}

impl Sink for Alertmanager {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> Course<'a> {
        let posted = self.note(alert);
        Box::pin(self.post(vec![posted]))
    }

    fn reminds_every(&self) -> Option<Duration> {
        Some(self.settings.resend_every)
    }

    fn is_open(&mut self, alert: &Alert) {
        self.note(alert);
    }

    fn remind(&mut self) -> Course<'_> {
        Box::pin(async {
            let end = self.expiry();
            let firing = self.firing.values();
            let mut all: Vec<Value> =
                firing.map(|Firing { labels, alert }| post(labels, alert, &end)).collect();
            while !all.is_empty() {
                let batch = all.split_off(all.len().saturating_sub(BATCH));
                let attempt = self.post(batch).await;
                if !matches!(attempt, Attempt::Delivered(_)) {
                    return attempt;
                }
            }
            Attempt::Delivered(String::new())
        })
    }
}
