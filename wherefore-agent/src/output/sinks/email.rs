//! Mail by SMTP. Owns the message, and that all messages of an incident form one thread; refuses to send a
//! password unencrypted.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use lettre::address::Envelope;
use lettre::message::header::{self, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use sha2::{Digest, Sha256};

use super::masks::Masks;
use super::passing::MayPass;
use super::settings::{Routing, duration};
use super::sink::{Attempt, AttemptFuture, Sink};
use super::wording::{annotations, cut, headline, labels, line};
use crate::message::alert::{Alert, Status};
use crate::secret::Secret;
use crate::usage::UsageError;

/// The longest subject, in characters.
const SUBJECT: usize = 200;

/// Settings of mail.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// The SMTP server.
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub server: String,
    /// Port of the server. Default: 587 with starttls, 465 with tls, 25 with none.
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// How the connection is encrypted: starttls, tls from the start, or none.
    #[arg(long, value_enum, default_value_t)]
    pub tls: Encryption,
    /// Certificates (PEM) to trust in addition to the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// User to log in as.
    #[arg(long, value_name = "NAME", requires = "password")]
    pub user: Option<String>,
    /// Password, or `file:PATH` or `env:NAME` of it.
    #[arg(long, value_name = "PASSWORD", hide_env_values = true, requires = "user")]
    pub password: Option<Secret>,
    /// Sender.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Mailbox,
    /// Recipient; may be repeated.
    #[arg(long, value_name = "ADDRESS", required = true)]
    pub to: Vec<Mailbox>,
    /// How long an attempt may take.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Encryption {
    /// After an unencrypted greeting.
    #[default]
    Starttls,
    /// From the start.
    Tls,
    /// Not at all.
    None,
}

impl Settings {
    /// The server's port.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Encryption::Starttls => 587,
            Encryption::Tls => 465,
            Encryption::None => 25,
        })
    }
}

/// An SMTP server.
pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    masks: Masks,
    settings: Settings,
    /// Recipients who have not received the current message yet, with its identifier.
    left: Option<(String, Vec<Address>)>,
}

/// The result of sending a message to some recipients.
#[derive(Default)]
struct Outcome {
    taken: Option<String>,
    refused: Vec<Error>,
    later: Vec<(Address, Error)>,
}

impl Email {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let tls = match settings.tls {
            Encryption::Starttls => Tls::Required(parameters(settings)?),
            Encryption::Tls => Tls::Wrapper(parameters(settings)?),
            Encryption::None => Tls::None,
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.server.as_str())
                .port(settings.port())
                .tls(tls)
                .timeout(Some(settings.timeout));
        let mut masks = Masks::default();
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            if settings.tls == Encryption::None {
                bail!(UsageError("a password is only sent with tls or starttls".to_owned()));
            }
            let password = password.reveal().context("password")?;
            masks.hide(&password);
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self { transport: builder.build(), masks, settings: settings.clone(), left: None })
    }

    fn message(&self, alert: &Alert) -> Result<Message> {
        let Settings { from, to, .. } = &self.settings;
        let domain = from.email.domain();
        let thread = message_id(&[&alert.key, &alert.started], domain);
        let builder = Message::builder()
            .from(from.clone())
            .subject(cut(&format!("[wherefore] {}", headline(alert)), SUBJECT))
            .header(header::MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .raw_header(plain("Auto-Submitted", AUTO))
            .raw_header(plain("X-Wherefore-Key", &alert.key));
        let builder = to.iter().cloned().fold(builder, MessageBuilder::to);
        // A retry uses the same identifier as the first attempt.
        let builder = if alert.status == Status::Firing {
            builder.message_id(Some(thread))
        } else {
            let parts = [alert.key.as_str(), &alert.started, alert.status.as_str(), &alert.time];
            let builder = builder.message_id(Some(message_id(&parts, domain)));
            builder.in_reply_to(thread.clone()).references(thread)
        };
        builder.body(body(alert)).context("cannot build a mail from this alert")
    }

    async fn try_once(&mut self, alert: &Alert) -> Attempt {
        let message = match self.message(alert) {
            Ok(message) => message,
            Err(error) => return Attempt::Never(error),
        };
        let parts = [alert.key.as_str(), &alert.started, alert.status.as_str(), &alert.time];
        let id = parts.join("\n");
        let all = || self.settings.to.iter().map(|to| to.email.clone()).collect();
        let left = self.left.take().filter(|(of, _)| *of == id);
        let to: Vec<Address> = left.map_or_else(all, |(_, left)| left);
        let outcome = self.send(&message.formatted(), &to).await;
        outcome.refused.iter().for_each(|error| {
            tracing::warn!(error = format!("{error:#}"), "the mail server refused a recipient");
        });
        self.judge(id, outcome)
    }

    /// Sends to all recipients at once. If that is refused, it sends to each separately, so that one
    /// recipient that no longer exists does not lose the alert for the others.
    async fn send(&self, message: &[u8], to: &[Address]) -> Outcome {
        let sent = self.send_to(message, to).await;
        let is_refused = |refusal: &Refusal| refusal.is_about_recipients;
        match sent {
            Ok(answer) => Outcome { taken: Some(answer), ..Outcome::default() },
            Err(refusal) if to.len() > 1 && is_refused(&refusal) => {
                let mut outcome = Outcome::default();
                for one in to {
                    match self.send_to(message, std::slice::from_ref(one)).await {
                        Ok(answer) => outcome.taken = Some(answer),
                        Err(refusal) => outcome.note(one, refusal),
                    }
                }
                outcome
            }
            Err(Refusal { is_final, error, .. }) => {
                let mut outcome = Outcome::default();
                if is_final {
                    outcome.refused.push(error);
                } else {
                    outcome.later =
                        to.iter().map(|to| (to.clone(), anyhow!("{error:#}"))).collect();
                }
                outcome
            }
        }
    }

    async fn send_to(&self, message: &[u8], to: &[Address]) -> Result<String, Refusal> {
        let from = self.settings.from.email.clone();
        let envelope = Envelope::new(Some(from), to.to_vec()).map_err(|error| Refusal {
            is_final: true,
            is_about_recipients: false,
            error: error.into(),
        })?;
        let sent = self.transport.send_raw(&envelope, message);
        // The transport's own timeout no longer applies once it is connected.
        let sent = tokio::time::timeout(self.settings.timeout, sent).await;
        let sent = sent.map_err(|_| Refusal {
            is_final: false,
            is_about_recipients: false,
            error: anyhow!("no answer in {:?}", self.settings.timeout),
        })?;
        let response = sent.map_err(|error| self.refusal(error))?;
        let text: Vec<&str> = response.message().collect();
        Ok(self.masks.mask(&format!("{} {}", response.code(), text.join(" "))))
    }

    fn refusal(&self, error: lettre::transport::smtp::Error) -> Refusal {
        let is_final = error.is_permanent() || error.is_client();
        let code = error.status().map(u16::from);
        let is_about_recipients =
            error.is_client() || code.is_some_and(|code| OF_RECIPIENTS.contains(&code));
        let text = self.masks.mask(&format!("{:#}", Error::from(error)));
        Refusal { is_final, is_about_recipients, error: anyhow!(cut(&text, 500)) }
    }

    fn judge(&mut self, id: String, outcome: Outcome) -> Attempt {
        let Outcome { taken, mut refused, later } = outcome;
        if !later.is_empty() {
            let (left, mut errors): (Vec<_>, Vec<_>) = later.into_iter().unzip();
            self.left = Some((id, left));
            return Attempt::later(errors.swap_remove(0));
        }
        match (taken, refused.pop()) {
            (Some(answer), None) => Attempt::Delivered(answer),
            (Some(answer), Some(error)) => {
                Attempt::Delivered(format!("{answer}; refused for others: {error:#}"))
            }
            (None, Some(error)) => Attempt::Never(error),
            (None, None) => Attempt::Never(anyhow!("there is no recipient")),
        }
    }
}

impl Outcome {
    fn note(&mut self, to: &Address, refusal: Refusal) {
        let error = refusal.error.context(to.to_string());
        if refusal.is_final {
            self.refused.push(error);
        } else {
            self.later.push((to.clone(), error));
        }
    }
}

/// Why a message was not accepted.
struct Refusal {
    is_final: bool,
    /// Whether the server may accept the message for one recipient and not for another.
    is_about_recipients: bool,
    error: Error,
}

/// Replies to RCPT TO (RFC 5321, section 4.3.2): a mailbox is full or gone, or there are too many recipients.
/// A refused login is not among them: it would be refused for each recipient.
const OF_RECIPIENTS: [u16; 11] = [450, 451, 452, 455, 501, 550, 551, 552, 553, 554, 555];

/// Asks automatic responders not to answer (RFC 3834).
const AUTO: &str = "auto-generated";

/// A host name or an address only, without scheme or port.
fn host(text: &str) -> Result<String, String> {
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    if is_address || !text.is_empty() && !text.contains([':', '/', '@', ' ']) {
        return Ok(text.to_owned());
    }
    Err("must be only a host name or an address; set port and tls with their own keys".to_owned())
}

/// A header whose name and value are ASCII.
fn plain(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn parameters(settings: &Settings) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(settings.server.clone());
    if let Some(path) = &settings.ca_file {
        let shown = path.display();
        let pem = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
        let certificate = Certificate::from_pem(&pem);
        let certificate =
            certificate.with_context(|| format!("{shown} is not a certificate in PEM"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().context(MayPass(super::http::NO_TLS))
}

/// A message identifier: equal for equal parts, and otherwise unique.
fn message_id(parts: &[&str], domain: &str) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("<{name}@{domain}>")
}

fn body(alert: &Alert) -> String {
    let facts = labels(alert).into_iter().chain(annotations(alert));
    let facts = facts.filter(|(name, _)| name != "description" && name != "summary");
    let facts: String = facts.map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{}\n\nstarted: {}\ntime: {}\n{facts}", line(alert), alert.started, alert.time)
}

impl Sink for Email {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        Box::pin(self.try_once(alert))
    }
}
