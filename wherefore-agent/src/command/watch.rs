//! The views of a run: on this terminal, and attached through the socket. Owns the reading of the source
//! while somebody watches.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use crate::attribute::geo::Geo;
use crate::descriptors;
use crate::input::Source;
use crate::input::readings::{Readings, Watcher};
use crate::input::requests::Requester;
use crate::options::cli::RunArgs;
use crate::output::outputs::Outputs;
use crate::output::reading::{Hello, Reading, ViewMessage};
use crate::output::socket::Hub;
use crate::output::terminal::model::Model;
use crate::output::terminal::{self, Controls, Feed, View};
use crate::traffic::interval::Interval;

/// The socket, which is made while the agent has its privileges.
pub(super) type Bound = Option<(Hub, UnixListener)>;

/// Makes the socket, if one is configured or usual.
///
/// # Errors
/// If this fails although the user named the socket.
pub(super) fn bind(args: &RunArgs) -> Result<Bound> {
    let of_systemd = || std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
    if let Some(path) = &args.socket {
        return Hub::bind(path).map(Some);
    }
    let Some(directory) = of_systemd() else { return Ok(None) };
    match Hub::bind(&directory.join("view.sock")) {
        Ok(bound) => Ok(Some(bound)),
        Err(error) => {
            tracing::warn!(
                error = descriptors::explained(&error),
                "cannot make the socket: `wherefore top` cannot attach"
            );
            Ok(None)
        }
    }
}

/// The source, which is also read each second while somebody watches.
///
/// # Errors
/// If the view cannot use the terminal, or a thread cannot be started.
pub(super) fn watched(
    source: Box<dyn Source>,
    outputs: &mut Outputs,
    args: &RunArgs,
    bound: Bound,
    requester: Requester,
    geo: &Arc<Geo>,
) -> Result<Box<dyn Source>> {
    let hello = hello(source.as_ref(), args);
    let hub = bound.map(|(hub, listener)| hub.start(listener, hello.clone()).map(|()| hub));
    let hub = hub.transpose()?;
    if let Some(hub) = hub.clone() {
        outputs.publish(hub);
    }
    let has_view = outputs.is_for_a_person() && terminal::is_able();
    let view = has_view.then(|| start_view(outputs, hello, requester)).transpose()?;
    if hub.is_none() && view.is_none() {
        return Ok(source);
    }
    let watchers = Watchers { view, hub, geo: geo.clone() };
    Ok(Box::new(Readings::new(source, args.common.transfer_interval, watchers)))
}

fn start_view(outputs: &mut Outputs, hello: Hello, requester: Requester) -> Result<Feed> {
    let feed = Feed::default();
    feed.push(ViewMessage::Hello(Box::new(hello)));
    outputs.show(View::start(feed.clone(), Model::default(), Box::new(Stop(requester)))?);
    Ok(feed)
}

fn hello(source: &dyn Source, args: &RunArgs) -> Hello {
    Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: args.common.host(),
        source: source.describe(),
        interval_seconds: args.common.transfer_interval.as_secs_f64(),
    }
}

/// Everybody who watches.
struct Watchers {
    view: Option<Feed>,
    hub: Option<Hub>,
    geo: Arc<Geo>,
}

impl Watcher for Watchers {
    fn is_watching(&self) -> bool {
        self.view.is_some() || self.hub.as_ref().is_some_and(Hub::is_read)
    }

    fn see(&mut self, reading: &Interval, name: &dyn Fn(u32) -> String) {
        let reading = Reading::of(reading, name, &self.geo);
        if let Some(view) = &self.view {
            view.push(ViewMessage::Reading(Box::new(reading.clone())));
        }
        self.hub.iter().for_each(|hub| hub.read(reading.clone()));
    }
}

/// Ends the run when the user ends the view.
struct Stop(Requester);

impl Controls for Stop {
    fn stop(&self) {
        self.0.stop();
    }
}
