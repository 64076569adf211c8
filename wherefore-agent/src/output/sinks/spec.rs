//! The kinds of sinks, each with its settings. Owns the list of kinds, their names, and how each is opened.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use anyhow::Result;
use clap::Subcommand;
use sha2::{Digest, Sha256};

use super::settings::Routing;
use super::sink::Sink;
use super::{
    alertmanager, command, email, file, http, journald, opsgenie, pagerduty, slack, syslog, webhook,
};
use crate::secret::Secret;

/// A sink with its settings.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum SinkSpec {
    /// Slack, by an incoming webhook.
    Slack(slack::Settings),
    /// PagerDuty, by its Events API v2.
    Pagerduty(pagerduty::Settings),
    /// Opsgenie, or Jira Service Management by its URL.
    Opsgenie(opsgenie::Settings),
    /// Any HTTP server: with the body of an Alertmanager webhook, or a body of your own.
    Webhook(webhook::Settings),
    /// Prometheus' Alertmanager, all members of a cluster.
    Alertmanager(alertmanager::Settings),
    /// Mail, by SMTP.
    Email(email::Settings),
    /// Syslog (RFC 5424), on this host or another.
    Syslog(syslog::Settings),
    /// systemd's journal, with a field for each fact.
    Journald(journald::Settings),
    /// Your own program, which gets the alert as JSON.
    Command(command::Settings),
    /// A file, to which each alert is appended as a line of JSON.
    File(file::Settings),
}

impl SinkSpec {
    /// The settings that all sinks have.
    pub fn routing(&self) -> &Routing {
        match self {
            Self::Slack(settings) => &settings.routing,
            Self::Pagerduty(settings) => &settings.routing,
            Self::Opsgenie(settings) => &settings.routing,
            Self::Webhook(settings) => &settings.routing,
            Self::Alertmanager(settings) => &settings.routing,
            Self::Email(settings) => &settings.routing,
            Self::Syslog(settings) => &settings.routing,
            Self::Journald(settings) => &settings.routing,
            Self::Command(settings) => &settings.routing,
            Self::File(settings) => &settings.routing,
        }
    }

    /// The file that the sink writes, if it is one.
    pub fn file(&self) -> Option<&Path> {
        if let Self::File(settings) = self { Some(&settings.path) } else { None }
    }

    /// The kind, as written in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Pagerduty(_) => "pagerduty",
            Self::Opsgenie(_) => "opsgenie",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::Email(_) => "email",
            Self::Syslog(_) => "syslog",
            Self::Journald(_) => "journald",
            Self::Command(_) => "command",
            Self::File(_) => "file",
        }
    }

    /// The name of a sink that the user did not name. It does not depend on the sink's position in the list.
    pub fn own_name(&self) -> String {
        let digest = Sha256::digest(self.identity().join("\0"));
        let short = digest.iter().take(4).fold(0, |all, byte| all << 8 | u32::from(*byte));
        format!("{}-{short:08x}", self.kind())
    }

    /// The settings that identify the sink, without secrets.
    fn identity(&self) -> Vec<String> {
        match self {
            Self::Command(to) => [&self.destination()[..], &to.arg[..]].concat(),
            _ => self.destination(),
        }
    }

    /// The hosts and ports that it connects to, as far as its settings contain them in plain text.
    pub fn hosts(&self) -> Vec<String> {
        let urls = self.destination().into_iter().filter_map(|to| reqwest::Url::parse(&to).ok());
        let host = |url: reqwest::Url| {
            Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
        };
        urls.filter_map(host).collect()
    }

    /// The TCP ports that it connects to; `None` if they are not known, because a URL is read from elsewhere
    /// or a proxy is used.
    pub(crate) fn tcp_ports(&self) -> Option<Vec<u16>> {
        match self {
            Self::Journald(_) | Self::File(_) | Self::Command(_) => Some(Vec::new()),
            Self::Email(to) => Some(vec![to.port()]),
            Self::Syslog(to) => match &to.address {
                syslog::Address::Tcp(host) => Some(vec![host.rsplit(':').next()?.parse().ok()?]),
                syslog::Address::Udp(_) | syslog::Address::Path(_) => Some(Vec::new()),
            },
            Self::Alertmanager(to) => to.url.iter().map(port_of).collect(),
            Self::Slack(slack::Settings { url, .. })
            | Self::Pagerduty(pagerduty::Settings { url, .. })
            | Self::Opsgenie(opsgenie::Settings { url, .. })
            | Self::Webhook(webhook::Settings { url, .. }) => Some(vec![port_of(url)?]),
        }
    }

    /// The destination as text, without secrets, which a command's arguments may contain.
    pub(super) fn destination(&self) -> Vec<String> {
        match self {
            Self::Slack(to) => vec![to.url.place(), to.channel.clone()],
            Self::Pagerduty(to) => vec![to.url.place(), to.routing_key.place()],
            Self::Opsgenie(to) => [&[to.url.place(), to.api_key.place()], &to.team[..]].concat(),
            Self::Webhook(to) => vec![to.url.place()],
            Self::Alertmanager(to) => to.url.iter().map(Secret::place).collect(),
            Self::Email(to) => {
                let port = to.port.as_ref().map(ToString::to_string);
                let receivers = to.to.iter().map(ToString::to_string);
                std::iter::once(to.server.clone()).chain(port).chain(receivers).collect()
            }
            Self::Syslog(to) => vec![to.address.to_string()],
            Self::Journald(to) => vec![to.socket.display().to_string()],
            Self::Command(to) => vec![to.program.display().to_string()],
            Self::File(to) => vec![to.path.display().to_string()],
        }
    }

    /// Reads secrets and templates, and opens local files; sends nothing.
    pub(super) fn open(&self) -> Result<Box<dyn Sink>> {
        Ok(match self {
            Self::Slack(settings) => Box::new(slack::Slack::open(settings)?),
            Self::Pagerduty(settings) => Box::new(pagerduty::PagerDuty::open(settings)?),
            Self::Opsgenie(settings) => Box::new(opsgenie::Opsgenie::open(settings)?),
            Self::Webhook(settings) => Box::new(webhook::Webhook::open(settings)?),
            Self::Alertmanager(settings) => Box::new(alertmanager::Alertmanager::open(settings)?),
            Self::Email(settings) => Box::new(email::Email::open(settings)?),
            Self::Syslog(settings) => Box::new(syslog::Syslog::open(settings)),
            Self::Journald(settings) => Box::new(journald::Journald::open(settings)?),
            Self::Command(settings) => Box::new(command::Program::open(settings)),
            Self::File(settings) => Box::new(file::LogFile::open(settings)?),
        })
    }
}

fn port_of(url: &Secret) -> Option<u16> {
    let is_direct = http::proxies().is_empty();
    let url = reqwest::Url::parse(&url.place()).ok().filter(|_| is_direct)?;
    url.port_or_known_default()
}

/// The names of sinks, in order, and the errors in them.
pub fn names(specs: &[SinkSpec]) -> (Vec<String>, Vec<String>) {
    let (mut problems, mut taken) = (Vec::new(), HashSet::new());
    for given in specs.iter().filter_map(|spec| spec.routing().name.as_ref()) {
        if !taken.insert(given.clone()) {
            problems.push(format!("two sinks have the name {given}"));
        }
    }
    let mut name = |spec: &SinkSpec| {
        let free = || {
            let own = spec.own_name();
            let numbered = (2..).map(|number| format!("{own}-{number}"));
            let mut names = std::iter::once(own.clone()).chain(numbered);
            names.find(|name| taken.insert(name.clone())).unwrap_or_default()
        };
        spec.routing().name.clone().unwrap_or_else(free)
    };
    (specs.iter().map(&mut name).collect(), problems)
}

/// The names that several sinks would share if they were not numbered.
pub fn alike(specs: &[SinkSpec]) -> BTreeSet<String> {
    let mut seen = HashSet::new();
    let unnamed = specs.iter().filter(|spec| spec.routing().name.is_none());
    unnamed.map(SinkSpec::own_name).filter(|name| !seen.insert(name.clone())).collect()
}
