//! `top`: the live view. Owns the choice between attaching to a running agent, counting by itself and a
//! replay; [`crate::output::terminal`] owns the view.

mod replay;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::live;
use crate::options::cli::TopArgs;
use crate::options::{Reload, UsageError};
use crate::output::reading::ViewMessage;
use crate::output::socket;
use crate::output::terminal::model::Model;
use crate::output::terminal::{self, Controls, Feed, View};

/// Shows the view until the user ends it.
///
/// # Errors
/// If there is no terminal, or neither an agent to attach to nor the privilege to count.
pub fn top(args: TopArgs, reload: Reload) -> Result<()> {
    if !terminal::is_able() {
        bail!(UsageError(
            "top needs a terminal; use `wherefore run` to write JSON Lines".to_owned()
        ));
    }
    if !args.replay.is_empty() {
        return replay::replay(args);
    }
    let named = args.run.socket.clone();
    let path = named.clone().unwrap_or_else(|| PathBuf::from(socket::USUAL));
    // If interfaces are named, count them here, whatever a running agent watches.
    if named.is_some() || (args.run.interfaces.is_empty() && path.exists()) {
        match attach(&path) {
            Err(error) if named.is_none() => {
                tracing::info!(
                    reason = format!("{error:#}"),
                    "cannot attach to a running agent: counting in this process"
                );
            }
            attached => return attached,
        }
    }
    let args = crate::options::cli::RunArgs { socket: None, ..args.run };
    live::run(&args, reload)
}

/// Shows the counts of a running agent.
fn attach(path: &Path) -> Result<()> {
    let (hello, stream) = socket::connect(path)?;
    let feed = Feed::default();
    feed.push(hello);
    let view = View::start(feed.clone(), Model::default(), Box::new(NoControls))?;
    let reader = std::thread::Builder::new().name("attached".to_owned());
    let news = feed.clone();
    let read = move || {
        socket::attach(stream, |item| {
            news.push(item);
            !news.is_closed()
        });
        news.push(ViewMessage::Lost);
    };
    reader.spawn(read).context("cannot start the thread that reads from the agent")?;
    view.wait().context("cannot draw on the terminal")
}

/// Ignores the user's commands: no key affects the agent.
struct NoControls;

impl Controls for NoControls {
    fn stop(&self) {}
}
