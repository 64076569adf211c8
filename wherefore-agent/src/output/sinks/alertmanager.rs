//! Prometheus' Alertmanager, through its API v2. Owns the set of firing alerts, which it sends repeatedly to
//! every member of a cluster, because Alertmanager forgets alerts. Refuses to group or to silence alerts,
//! which is Alertmanager's work.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::http::{self, Http};
use super::settings::{HttpSettings, Pair, Routing, duration};
use super::sink::{Attempt, AttemptFuture, Sink};
use super::wording::{annotations, labels};
use crate::message::alert::{Alert, Status};
use crate::secret::Secret;
use crate::text::rfc3339;

/// The most incidents that are sent repeatedly.
const MOST_FIRING: usize = 10_000;
/// Alerts in one request.
const BATCH: usize = 500;
/// Alertmanager resolves an alert that is not repeated for this number of periods. Prometheus uses the same
/// number.
const PERIODS: u32 = 4;
/// How long the sink waits for further members once one has accepted the alert.
const GRACE: Duration = Duration::from_secs(2);
/// An unreachable member is logged once for this number of failed attempts.
const SAY_EVERY: u32 = 60;

/// Settings of Alertmanager.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// An Alertmanager, without `/api/v2/alerts`; repeated for each member of a cluster. It may
    /// contain a user and a password, and may be `file:PATH` or `env:NAME`.
    #[arg(long, value_name = "URL", required = true, hide_env_values = true)]
    pub url: Vec<Secret>,
    /// Label of all alerts of this sink; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Vec<Pair<String>>,
    /// How often a firing alert is sent again.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    pub resend_every: Duration,
    /// Timeouts and trust.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// One Alertmanager, or all members of a cluster.
pub(super) struct Alertmanager {
    http: Arc<Http>,
    members: Vec<Member>,
    firing: HashMap<String, Firing>,
    /// The times at which incidents ended whose end is not sent yet, by key. These are not sent as firing any
    /// more.
    ending: HashMap<String, String>,
    settings: Settings,
}

struct Member {
    url: Url,
    /// Number of consecutive failed attempts.
    failed: u32,
}

/// An alert that is sent repeatedly, always with its first labels, because they identify it.
struct Firing {
    labels: BTreeMap<String, String>,
    alert: Alert,
}

impl Alertmanager {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let urls: Vec<Url> =
            settings.url.iter().map(http::url).collect::<Result<_>>().context("url")?;
        let member =
            |base| Ok(Member { url: http::below(base, &["api", "v2", "alerts"])?, failed: 0 });
        let members = urls.iter().map(member).collect::<Result<_>>()?;
        let http = Arc::new(Http::for_all(&settings.http, &urls)?);
        let (firing, ending) = Default::default();
        Ok(Self { http, members, firing, ending, settings: settings.clone() })
    }

    fn labels(&self, alert: &Alert) -> BTreeMap<String, String> {
        let own = self.settings.label.iter();
        let own = own.map(|pair| (pair.name.clone(), pair.value.clone()));
        own.chain(labels(alert)).collect()
    }

    /// Records the alert and returns the object to post.
    fn note(&mut self, alert: &Alert) -> Value {
        let known = self.firing.remove(&alert.key);
        let labels = known.map_or_else(|| self.labels(alert), |known| known.labels);
        let is_over = alert.status == Status::Resolved;
        let end = if is_over { self.ending.remove(&alert.key) } else { None };
        let end = match (is_over, self.ending.get(&alert.key)) {
            (true, _) => end.unwrap_or_else(|| alert.time.clone()),
            // A message that arrives late must not page people for an incident that is over.
            (false, Some(end)) => end.clone(),
            (false, None) => self.expiry(),
        };
        let posted = post(&labels, alert, &end);
        if !is_over && self.firing.len() < MOST_FIRING {
            self.firing.insert(alert.key.clone(), Firing { labels, alert: alert.clone() });
        }
        posted
    }

    /// When Alertmanager resolves an alert that is not sent again.
    fn expiry(&self) -> String {
        rfc3339(now_ns().saturating_add(nanoseconds(self.settings.resend_every * PERIODS)))
    }

    /// Posts alerts to all members. They count as delivered if at least one member accepts them.
    async fn post(&mut self, alerts: Vec<Value>) -> Attempt {
        let body = Value::Array(alerts);
        let mut posts = JoinSet::new();
        for (at, member) in self.members.iter().enumerate() {
            let request = self.http.post(&member.url).json(&body);
            let http = self.http.clone();
            posts.spawn(async move { (at, http.attempt(request).await) });
        }
        let mut attempts: Vec<Option<Attempt>> = self.members.iter().map(|_| None).collect();
        let mut until = None;
        while let Some(Ok((at, attempt))) = next(&mut posts, until).await {
            if matches!(attempt, Attempt::Delivered(_)) {
                // A member that hangs must not hold up the others.
                until = until.or(Some(Instant::now() + GRACE));
            }
            attempts[at] = Some(attempt);
        }
        self.judge(attempts)
    }

    fn judge(&mut self, attempts: Vec<Option<Attempt>>) -> Attempt {
        let (mut worst, mut taken) = (None, None);
        for (member, attempt) in self.members.iter_mut().zip(attempts) {
            let late =
                || Attempt::later(anyhow!("no answer in time, but another member accepted it"));
            match attempt.unwrap_or_else(late) {
                Attempt::Delivered(answer) => {
                    member.failed = 0;
                    taken = Some(answer);
                }
                failed => {
                    member.fail(&failed);
                    worst = Some(match worst {
                        Some(before) => combined_failure(before, failed),
                        None => failed,
                    });
                }
            }
        }
        let nobody = || Attempt::Never(anyhow!("no member is configured"));
        taken.map_or_else(|| worst.unwrap_or_else(nobody), Attempt::Delivered)
    }
}

/// The next answer, or none if it takes too long.
async fn next<T: 'static>(
    posts: &mut JoinSet<T>,
    until: Option<Instant>,
) -> Option<Result<T, JoinError>> {
    match until {
        None => posts.join_next().await,
        Some(until) => tokio::time::timeout_at(until, posts.join_next()).await.ok().flatten(),
    }
}

/// Combines two failures: retries if either allows it, after the longer of the requested delays.
fn combined_failure(before: Attempt, now: Attempt) -> Attempt {
    match (before, now) {
        (Attempt::Later { after, error }, Attempt::Later { after: other, .. }) => {
            Attempt::Later { after: after.max(other), error }
        }
        (before @ Attempt::Later { .. }, _) => before,
        (_, now) => now,
    }
}

fn now_ns() -> i64 {
    nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

impl Member {
    /// Counts a failure, and logs some of them.
    fn fail(&mut self, attempt: &Attempt) {
        if self.failed.is_multiple_of(SAY_EVERY) {
            let (host, port) = (self.url.host_str().unwrap_or_default(), self.url.port());
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            let error = attempt.problem();
            tracing::warn!(
                member = format!("{host}{port}"),
                error,
                "Alertmanager did not accept the alerts"
            );
        }
        self.failed = self.failed.saturating_add(1);
    }
}

/// If the clock was set back, stored times may be in the future. Alertmanager would wait for them, and
/// refuses an end before the beginning.
fn post(labels: &BTreeMap<String, String>, alert: &Alert, end: &str) -> Value {
    let now = rfc3339(now_ns());
    let is_over = alert.status == Status::Resolved;
    // All times have one format whose alphabetical order is the order of time.
    let start = alert.started.as_str().min(&now);
    let end = if is_over { end.min(&now) } else { end };
    json!({
        "labels": labels,
        "annotations": annotations(alert),
        "startsAt": start.min(end),
        "endsAt": end,
    })
}

impl Sink for Alertmanager {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        let posted = self.note(alert);
        Box::pin(self.post(vec![posted]))
    }

    fn reminds_every(&self) -> Option<Duration> {
        Some(self.settings.resend_every)
    }

    fn is_open(&mut self, alert: &Alert) {
        self.note(alert);
    }

    fn is_ending(&mut self, key: &str, time: &str) {
        self.ending.insert(key.to_owned(), time.to_owned());
    }

    fn forget(&mut self, key: &str) {
        self.firing.remove(key);
        self.ending.remove(key);
    }

    fn remind(&mut self) -> AttemptFuture<'_> {
        Box::pin(async {
            let end = self.expiry();
            let is_firing = |firing: &&Firing| !self.ending.contains_key(&firing.alert.key);
            let firing = self.firing.values().filter(is_firing);
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
