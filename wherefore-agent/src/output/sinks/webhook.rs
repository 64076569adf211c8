//! Any HTTP server. Owns the body of an Alertmanager webhook (version 4), the signature of Standard Webhooks,
//! and the user's own bodies; refuses a template whose result is not JSON if its content type is.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use super::http::{self, Http};
use super::settings::{HttpSettings, Pair, Routing};
use super::sink::{Attempt, AttemptFuture, Sink};
use super::template::Template;
use super::wording::{annotations, firing_or_resolved, labels};
use crate::message::alert::{Alert, Status};
use crate::secret::Secret;

/// The end of an open incident in Alertmanager's format.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// Settings of a webhook.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// URL to post to; it may contain a secret, and may be `file:PATH` or `env:NAME` of a URL.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub url: Secret,
    /// Secret to sign requests with, as in Standard Webhooks: `whsec_` and base64.
    #[arg(long, value_name = "SECRET", hide_env_values = true)]
    pub secret: Option<Secret>,
    /// Header to send; may be repeated. The value may be `file:PATH` or `env:NAME`.
    #[arg(long, value_name = "NAME=VALUE", hide_env_values = true)]
    pub header: Vec<Pair<Secret>>,
    /// Body instead of Alertmanager's: a text, or `@FILE` of a text, with fields of the alert
    /// in braces, such as `{src}` or `{labels.team}`.
    #[arg(long, value_name = "TEXT|@FILE")]
    pub template: Option<String>,
    /// Content type of the template. If it is JSON, fields are escaped for it.
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    pub content_type: String,
    /// Timeouts and trust.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// An HTTP server.
pub(super) struct Webhook {
    http: Http,
    url: Url,
    headers: HeaderMap,
    template: Option<Template>,
    secret: Option<Vec<u8>>,
}

impl Webhook {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let url = http::url(&settings.url).context("url")?;
        let mut http = Http::new(&settings.http, &url)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, header_value(&settings.content_type, "content_type")?);
        for Pair { name, value } in &settings.header {
            let value = value.reveal().with_context(|| format!("header {name}"))?;
            http.masks().hide_header(&value);
            let header = HeaderName::try_from(name).with_context(|| format!("header {name}"))?;
            headers.insert(header, header_value(&value, name)?);
        }
        let is_json = settings.content_type.to_ascii_lowercase().contains("json");
        let template = settings.template.as_deref();
        let template = template.map(|text| Template::open(text, is_json)).transpose();
        let template = template.context("template")?;
        if let Some(template) = &template {
            template.texts().for_each(|text| http.masks().hide_keys(text));
        }
        if let Some(Ok(secret)) = settings.secret.as_ref().map(Secret::reveal) {
            http.hide(secret.strip_prefix("whsec_").unwrap_or(&secret));
        }
        let secret = settings.secret.as_ref().map(signing_key).transpose();
        Ok(Self { http, url, headers, template, secret: secret.context("secret")? })
    }

    fn body(&self, alert: &Alert) -> String {
        let ours = || alertmanager_v4(alert).to_string();
        self.template.as_ref().map_or_else(ours, |template| template.fill(alert))
    }

    async fn try_once(&self, alert: &Alert) -> Attempt {
        let body = self.body(alert);
        let mut request = self.http.post(&self.url).headers(self.headers.clone());
        if let Some(key) = &self.secret {
            // The same for each attempt, so that receivers can recognise retries.
            let id = format!("{}.{}.{}", alert.key, alert.status.as_str(), alert.time);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = now.as_secs().to_string();
            let signature = match sign(key, &format!("{id}.{time}.{body}")) {
                Ok(signature) => signature,
                Err(error) => return Attempt::Never(error),
            };
            request = request.header("webhook-id", id).header("webhook-timestamp", time);
            request = request.header("webhook-signature", signature);
        }
        self.http.attempt(request.body(body)).await
    }
}

fn header_value(text: &str, what: &str) -> Result<HeaderValue> {
    let value = HeaderValue::from_str(text).ok();
    let mut value = value.with_context(|| format!("{what}: a header cannot contain this value"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn signing_key(secret: &Secret) -> Result<Vec<u8>> {
    let text = secret.reveal()?;
    let Some(encoded) = text.strip_prefix("whsec_") else {
        bail!("must be whsec_ and a key in base64");
    };
    BASE64_STANDARD.decode(encoded).ok().context("the text after whsec_ is not base64")
}

fn sign(key: &[u8], signed: &str) -> Result<String> {
    let mac = Hmac::<Sha256>::new_from_slice(key).context("cannot sign with this secret")?;
    let signature = mac.chain_update(signed).finalize().into_bytes();
    Ok(format!("v1,{}", BASE64_STANDARD.encode(signature)))
}

fn alertmanager_v4(alert: &Alert) -> Value {
    let (labels, annotations) = (labels(alert), annotations(alert));
    let status = firing_or_resolved(alert.status);
    let end = if alert.status == Status::Resolved { &alert.time } else { NO_END };
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{key=\"{}\"}}", alert.key),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "wherefore",
        "groupLabels": {"alertname": labels.get("alertname")},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": alert.started,
            "endsAt": end,
            "generatorURL": "",
            // Alertmanager's fingerprints have 16 digits.
            "fingerprint": alert.key.get(..16).unwrap_or(&alert.key),
        }],
    })
}

impl Sink for Webhook {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        Box::pin(self.try_once(alert))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        // The example from the libraries of the specification.
        let Ok(secret) = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse();
        let signed = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let signature = sign(&signing_key(&secret).unwrap(), signed).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
