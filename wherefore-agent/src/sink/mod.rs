//! Where alerts go. Owns the queues: a slow sink never delays an interval, every queue has a bound,
//! what doesn't fit is counted and said.

mod log_file;
mod slack;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::alert::Alert;
use crate::cli::CommonArgs;

/// Alerts that may wait for one sink.
const QUEUE: usize = 1024;
/// How long the sinks may take at the end.
const FAREWELL: Duration = Duration::from_secs(10);

/// A way to tell somebody.
pub trait Sink: Send {
    /// Its name in the log.
    fn name(&self) -> &'static str;

    /// Delivers one alert, with whatever retries it needs.
    fn deliver<'a>(&'a mut self, alert: &'a Alert) -> Delivery<'a>;
}

/// The course of a delivery.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// All sinks, each with its queue and task.
pub struct Sinks {
    runtime: Runtime,
    queues: Vec<Queue>,
}

struct Queue {
    name: &'static str,
    sender: mpsc::Sender<Arc<Alert>>,
    task: JoinHandle<()>,
    dropped: Arc<AtomicU64>,
}

/// Opens the sinks that the options ask for.
///
/// # Errors
/// Where one can't be opened or its options are wrong.
pub fn open(args: &CommonArgs) -> Result<Vec<Box<dyn Sink>>> {
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    if let Some(directory) = &args.log_dir {
        sinks.push(Box::new(log_file::LogFile::open(directory)?));
    }
    if let Some(slack) = slack::Slack::open(&args.slack)? {
        sinks.push(Box::new(slack));
    }
    Ok(sinks)
}

impl Sinks {
    /// Starts a task for each sink.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(sinks: Vec<Box<dyn Sink>>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("sinks")
            .enable_all()
            .build()
            .context("cannot start the sinks' thread")?;
        let queues = sinks.into_iter().map(|sink| Queue::start(&runtime, sink)).collect();
        Ok(Self { runtime, queues })
    }

    /// Hands an alert to every sink, without waiting.
    pub fn send(&self, alert: &Arc<Alert>) {
        for queue in &self.queues {
            if queue.sender.try_send(alert.clone()).is_err() {
                let dropped = queue.dropped.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::warn!(sink = queue.name, dropped, "the queue is full: an alert is lost");
            }
        }
    }

    /// Waits for what is queued, for a while.
    pub fn finish(self) {
        let Self { runtime, queues } = self;
        runtime.block_on(async {
            let farewell = async {
                for Queue { name, sender, task, .. } in queues {
                    drop(sender);
                    if let Err(error) = task.await {
                        tracing::error!(sink = name, %error, "the sink has failed");
                    }
                }
            };
            if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
                tracing::warn!("the sinks did not finish in time: alerts are lost");
            }
        });
        runtime.shutdown_background();
    }
}

impl Queue {
    fn start(runtime: &Runtime, sink: Box<dyn Sink>) -> Self {
        let name = sink.name();
        let (sender, receiver) = mpsc::channel(QUEUE);
        let task = runtime.spawn(serve(sink, receiver));
        Self { name, sender, task, dropped: Arc::default() }
    }
}

async fn serve(mut sink: Box<dyn Sink>, mut alerts: mpsc::Receiver<Arc<Alert>>) {
    while let Some(alert) = alerts.recv().await {
        if let Err(error) = sink.deliver(&alert).await {
            let (sink, error) = (sink.name(), format!("{error:#}"));
            tracing::error!(sink, error, "an alert could not be delivered");
        }
    }
}
