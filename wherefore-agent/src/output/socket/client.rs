//! The view's end: a thread that reads the agent's messages.

use std::io::{BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::LONGEST;
use crate::output::reading::News;

/// Connects to an agent, and reads its greeting.
///
/// # Errors
/// If none answers, this user may not connect, or it has another version.
pub fn connect(path: &Path) -> Result<(News, BufReader<UnixStream>)> {
    let shown = path.display();
    let stream = UnixStream::connect(path)
        .with_context(|| format!("cannot attach to the agent at {shown}"))?;
    let mut stream = BufReader::new(stream);
    let hello = read(&mut stream).with_context(|| format!("{shown} is no agent's socket"))?;
    let News::Hello(greeting) = &hello else { bail!("{shown}: no greeting came first") };
    let ours = env!("CARGO_PKG_VERSION");
    let theirs = &greeting.version;
    ensure!(theirs == ours, "the agent at {shown} is version {theirs}, and this is {ours}");
    Ok((hello, stream))
}

/// Passes all messages on, until the agent is gone or the view is.
pub fn attach(mut stream: BufReader<UnixStream>, take: impl Fn(News) -> bool) {
    while let Ok(news) = read(&mut stream) {
        if !take(news) {
            return;
        }
    }
}

fn read(stream: &mut impl Read) -> Result<News> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).context("the agent is gone")?;
    let length = u32::from_le_bytes(head) as usize;
    ensure!(length <= LONGEST, "a message of {length} bytes");
    let mut message = Vec::new();
    let read = stream.take(length as u64).read_to_end(&mut message)?;
    ensure!(read == length, "the agent is gone in the middle of a message");
    postcard::from_bytes(&message).context("a message in another format")
}
