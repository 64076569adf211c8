//! The view's end of the socket: a thread that reads the agent's messages.

use std::io::{BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::LONGEST;
use crate::output::reading::ViewMessage;

/// Connects to an agent, and reads its first message.
///
/// # Errors
/// If no agent answers, this user may not connect, or the agent has another version.
pub fn connect(path: &Path) -> Result<(ViewMessage, BufReader<UnixStream>)> {
    let shown = path.display();
    let stream = UnixStream::connect(path)
        .with_context(|| format!("cannot attach to the agent at {shown}"))?;
    let mut stream = BufReader::new(stream);
    let hello =
        read(&mut stream).with_context(|| format!("{shown} is not the socket of an agent"))?;
    let ViewMessage::Hello(greeting) = &hello else {
        bail!("{shown} is not the socket of an agent: its first message is not a greeting")
    };
    let ours = env!("CARGO_PKG_VERSION");
    let theirs = &greeting.version;
    ensure!(
        theirs == ours,
        "the agent at {shown} has version {theirs}, but this program has version {ours}: use the same version for both"
    );
    Ok((hello, stream))
}

/// Passes on all messages, until the agent ends or `take` returns false.
pub fn attach(mut stream: BufReader<UnixStream>, take: impl Fn(ViewMessage) -> bool) {
    while let Ok(news) = read(&mut stream) {
        if !take(news) {
            return;
        }
    }
}

fn read(stream: &mut impl Read) -> Result<ViewMessage> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).context("the agent has closed the socket")?;
    let length = u32::from_le_bytes(head) as usize;
    ensure!(length <= LONGEST, "a message of {length} bytes");
    let mut message = Vec::new();
    let read = stream.take(length as u64).read_to_end(&mut message)?;
    ensure!(read == length, "the agent has closed the socket in the middle of a message");
    postcard::from_bytes(&message).context("a message has an unknown format")
}
