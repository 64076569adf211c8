//! The connection to the brokers, by librdkafka. Owns its properties, that no message contains a secret, and what
//! its errors mean; refuses to count.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};

use super::parcel::{Failure, Parcel, Refusal, Report};
use super::records::Record;
use super::settings::Settings;
use super::target::Topic;
use crate::output::sinks::masks::Masks;
use crate::usage::UsageError;

/// Our choice where librdkafka has another. Records of an interval come all at once, so that waiting for more costs
/// nothing; without idempotence a record whose answer is lost would count twice; keys go where Java's clients
/// send them.
const PROPERTIES: [(&str, &str); 8] = [
    ("client.id", "wherefore"),
    ("enable.idempotence", "true"),
    ("linger.ms", "50"),
    ("compression.type", "lz4"),
    ("partitioner", "murmur2_random"),
    ("message.timeout.ms", "60000"),
    ("queue.buffering.max.kbytes", "32768"),
    ("log.connection.close", "false"),
];
/// What a user cannot set: they have options, are a bound, load code, or log what is sent.
const OWNED: [&str; 9] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "transactional.id",
    "plugin.library.paths",
    "debug",
    "log_level",
    "statistics.interval.ms",
];
/// Parts of the names of properties that are secret.
const SECRET: [&str; 6] = ["password", "secret", "key", "pem", "token", "config"];
/// Files that would be opened after the sandbox closed.
const FILES: [(&str, &str); 3] = [
    ("ssl.ca.location", "ssl.ca.pem"),
    ("ssl.certificate.location", "ssl.certificate.pem"),
    ("ssl.key.location", "ssl.key.pem"),
];
/// How long reports about the reason of a failure take to be read.
const REASON: Duration = Duration::from_millis(50);
/// Characters of a reason that are logged.
const LOGGED: usize = 300;

/// Properties that librdkafka accepts.
pub(super) struct Configuration {
    config: ClientConfig,
    masks: Masks,
}

impl Configuration {
    /// Reads secrets, and lets librdkafka check names and values. Connects only later.
    ///
    /// # Errors
    /// If a property is unknown, has a wrong value or cannot be read.
    pub(super) fn check(settings: &Settings) -> Result<Self> {
        let (mut config, mut masks) = (ClientConfig::new(), Masks::default());
        for (name, value) in PROPERTIES {
            config.set(name, value);
        }
        config.set("bootstrap.servers", settings.target.brokers());
        config.set_log_level(RDKafkaLogLevel::Notice);
        for pair in &settings.properties {
            let name = pair.name.as_str();
            allowed(name)?;
            let value = pair.value.reveal().with_context(|| format!("--kafka-option {name}"))?;
            if !pair.value.place().is_empty() || SECRET.iter().any(|part| name.contains(part)) {
                masks.hide(&value);
            }
            config.set(name, value);
        }
        match config.create_native_config() {
            Ok(_) => Ok(Self { config, masks }),
            // The whole error repeats the value.
            Err(KafkaError::ClientConfig(_, reason, name, _)) => {
                let reason = masks.mask(&reason);
                bail!(UsageError(format!("--kafka-option {name} cannot be used: {reason}")))
            }
            Err(error) => bail!(masks.mask(&error.to_string())),
        }
    }
}

fn allowed(name: &str) -> Result<()> {
    ensure!(!name.is_empty(), UsageError("--kafka-option: not of the form NAME=VALUE".to_owned()));
    let is_owned = OWNED.contains(&name);
    ensure!(!is_owned, UsageError(format!("--kafka-option {name} cannot be set")));
    if let Some((_, instead)) = FILES.iter().find(|(file, _)| *file == name) {
        bail!(UsageError(format!("--kafka-option {name}: use {instead}=file:PATH")));
    }
    Ok(())
}

/// A producer and its threads.
pub(super) struct Producer(BaseProducer<Context>);

/// Receives what librdkafka reports, on the thread that polls; log lines on any thread.
struct Context {
    masks: Masks,
    reports: Mutex<Vec<Report>>,
    /// The last trouble with brokers since a record was delivered.
    trouble: Mutex<Option<String>>,
    /// Whether this producer cannot be used any more.
    is_broken: AtomicBool,
}

impl Producer {
    /// Starts its threads, which have the privileges of this one.
    ///
    /// # Errors
    /// If it cannot be started; as text without secrets.
    pub(super) fn start(configuration: &Configuration) -> Result<Self, String> {
        let Configuration { config, masks } = configuration;
        let context = Context {
            masks: masks.clone(),
            reports: Mutex::default(),
            trouble: Mutex::default(),
            is_broken: AtomicBool::new(false),
        };
        let started = config.create_with_context(context);
        started.map(Self).map_err(|error| shown(masks, &error.to_string()))
    }

    /// Waits until a broker answers.
    ///
    /// # Errors
    /// If none does in time; as text without secrets.
    pub(super) fn reach(&self, topic: &Topic, patience: Duration) -> Result<(), String> {
        let fetched = self.0.client().fetch_metadata(Some(topic.0.as_str()), patience);
        // Learns the reason.
        self.0.poll(REASON);
        fetched.map(drop).map_err(|error| self.context().because(error.to_string()))
    }

    /// Queues a record.
    ///
    /// # Errors
    /// If too much is queued, or librdkafka refuses it.
    pub(super) fn send(
        &self,
        topic: &Topic,
        record: &Record,
        parcel: Box<Parcel>,
    ) -> Result<(), (Refusal, Box<Parcel>)> {
        let sent = BaseRecord::with_opaque_to(&topic.0, parcel);
        let sent = sent.key(record.key.as_str()).payload(record.value.as_slice());
        self.0.send(sent).map_err(|(error, refused)| {
            let refusal = match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => Refusal::Full,
                _ => Refusal::Failed(self.context().failure(&error)),
            };
            (refusal, refused.delivery_opaque)
        })
    }

    /// Waits this long; returns reports about records.
    pub(super) fn poll(&self, time: Duration) -> Vec<Report> {
        self.0.poll(time);
        std::mem::take(&mut *lock(&self.context().reports))
    }

    /// Whether another producer is needed from now on.
    pub(super) fn is_broken(&self) -> bool {
        self.context().is_broken.load(Ordering::Relaxed)
    }

    fn context(&self) -> &Context {
        self.0.context()
    }
}

impl ClientContext for Context {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        let message = shown(&self.masks, message);
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.is_broken.store(true, Ordering::Relaxed);
        }
        let reason = shown(&self.masks, reason);
        let mut trouble = lock(&self.trouble);
        if trouble.is_none() {
            tracing::warn!(reason, "trouble with the brokers of --kafka");
        }
        // A broker's own reason says more than that none is left.
        let is_less = error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown);
        if !is_less || trouble.is_none() {
            *trouble = Some(reason);
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Parcel>;

    fn delivery(&self, result: &DeliveryResult<'_>, parcel: Box<Parcel>) {
        let failure = result.as_ref().err().map(|(error, _)| self.failure(error));
        if failure.is_none() {
            *lock(&self.trouble) = None;
        }
        lock(&self.reports).push(Report { parcel: *parcel, failure });
    }
}

impl Context {
    fn failure(&self, error: &KafkaError) -> Failure {
        use RDKafkaErrorCode as Code;
        let code = error.rdkafka_error_code();
        let text = code.map_or_else(|| error.to_string(), |code| code.to_string());
        let is_temporary = matches!(
            code,
            Some(
                Code::MessageTimedOut
                    | Code::QueueFull
                    | Code::PurgeQueue
                    | Code::PurgeInflight
                    | Code::Fatal
                    | Code::UnknownTopic
                    | Code::UnknownTopicOrPartition
            )
        );
        Failure { reason: self.because(text), is_temporary }
    }

    /// The text, and the trouble behind it.
    fn because(&self, text: String) -> String {
        let trouble = lock(&self.trouble).clone();
        shown(&self.masks, &trouble.map_or_else(|| text.clone(), |why| format!("{text}: {why}")))
    }
}

fn shown(masks: &Masks, text: &str) -> String {
    let text = masks.mask(text);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LOGGED).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The content is consistent after each change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
