//! `screenshot`: the picture of the live view in the README, from a real run. Owns the script: ordinary
//! traffic between two network namespaces, with addresses that nobody outside can reach, then an upload.

use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::lab::Lab;
use super::{Options, svg};
use crate::{shell, workspace};

/// Size of the terminal.
const SIZE: [usize; 2] = [120, 27];
/// Ordinary traffic before the upload.
const ORDINARY: Duration = Duration::from_secs(75);
/// How long the alert may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The head of the pairs' first column.
const PAIRS: &str = "HERE ⇄ PEER";
/// The path of the picture.
const PICTURE: &str = "docs/view.svg";

/// Peers of the scene: address, bytes of a datagram to it and from it, and milliseconds between two.
const PEERS: [([u8; 4], usize, usize, u64); 9] = [
    ([8, 8, 8, 8], 60, 140, 400),
    ([151, 101, 1, 140], 90, 1200, 25),
    ([140, 82, 121, 4], 300, 900, 90),
    ([193, 0, 6, 139], 48, 48, 900),
    ([130, 89, 148, 77], 120, 1300, 70),
    ([91, 189, 91, 38], 200, 600, 160),
    ([1, 1, 1, 1], 70, 180, 300),
    ([185, 199, 108, 153], 90, 1000, 220),
    ([10, 77, 0, 2], 700, 220, 60),
];
/// Where the upload goes.
pub(super) const TARGET: [u8; 4] = [114, 114, 114, 114];

/// Makes the picture.
///
/// # Errors
/// If tmux or a privilege is missing, or no alert comes.
pub(crate) fn screenshot(options: &Options) -> Result<()> {
    super::as_root("screenshot", options, play)
}

fn play(program: &Path) -> Result<()> {
    shell::require("tmux", "to have a terminal")?;
    let lab = Lab::new().context("joining two network namespaces")?;
    lend(&lab)?;
    let terminal = Terminal::open(&lab, program)?;
    let is_over = AtomicBool::new(false);
    let shown = thread::scope(|scope| {
        let talk = scope.spawn(|| talk(&lab, &is_over));
        let shown = act(&lab, &terminal);
        is_over.store(true, Ordering::Relaxed);
        let talked = talk.join().map_err(|_| anyhow::anyhow!("the traffic failed"))?;
        talked.and(shown)
    })?;
    let path = workspace::root().join(PICTURE);
    let [columns, rows] = SIZE;
    std::fs::write(&path, svg::draw(&shown, columns, rows))
        .with_context(|| format!("writing {}", path.display()))?;
    shell::say(format!("{} is drawn", path.display()));
    Ok(())
}

/// Gives the second host the addresses of all peers.
pub(super) fn lend(lab: &Lab) -> Result<()> {
    let addresses = PEERS.iter().map(|peer| peer.0).chain([TARGET]);
    addresses.map(Ipv4Addr::from).try_for_each(|address| lab.lend(address))
}

/// Ordinary traffic, an upload, and the screen once the alert is shown.
fn act(lab: &Lab, terminal: &Terminal) -> Result<String> {
    shell::say(format!("screenshot: {} s of ordinary traffic", ORDINARY.as_secs()));
    thread::sleep(ORDINARY);
    // All traffic here is one process's: pairs have more to show.
    while !terminal.text(&[])?.contains(PAIRS) {
        terminal.tmux(&["send-keys", "g"])?;
        thread::sleep(Duration::from_millis(300));
    }
    shell::say("screenshot: an upload");
    upload(lab)?;
    let end = Instant::now() + PATIENCE;
    while !terminal.text(&[])?.contains('▲') {
        ensure!(Instant::now() < end, "no alert came:\n{}", terminal.text(&[])?);
        thread::sleep(Duration::from_millis(200));
    }
    terminal.text(&["-e"])
}

/// Small datagrams to and from every peer, until it is over.
pub(super) fn talk(lab: &Lab, is_over: &AtomicBool) -> Result<()> {
    thread::scope(|scope| {
        let talks = PEERS.map(|(peer, sent, received, pause)| {
            scope.spawn(move || talk_with(lab, peer.into(), [sent, received], pause, is_over))
        });
        talks
            .into_iter()
            .try_for_each(|talk| talk.join().unwrap_or_else(|_| bail!("a peer failed")))
    })
}

fn talk_with(
    lab: &Lab,
    peer: Ipv4Addr,
    [sent, received]: [usize; 2],
    pause: u64,
    is_over: &AtomicBool,
) -> Result<()> {
    let here = lab.a.enter(|| UdpSocket::bind((lab.a.address, 0)))?.context("binding")?;
    let there = lab.b.enter(|| UdpSocket::bind((peer, 443)))?.context("binding a peer")?;
    here.connect(there.local_addr()?)?;
    there.connect(here.local_addr()?)?;
    let bytes = [0; 1400];
    let mut turn = 0_usize;
    while !is_over.load(Ordering::Relaxed) {
        // Exactly the ordinary rate.
        turn = (turn * 7 + 3) % 11;
        here.send(&bytes[..sent + turn])?;
        there.send(&bytes[..received + turn * 8])?;
        thread::sleep(Duration::from_millis(pause + turn as u64));
    }
    Ok(())
}

/// Some seconds at the rate of a slow line.
pub(super) fn upload(lab: &Lab) -> Result<()> {
    use std::io::{Read, Write};
    const PIECES: usize = 120;
    let listener = lab.b.enter(|| TcpListener::bind((Ipv4Addr::from(TARGET), 443)))?;
    let listener = listener.context("listening")?;
    let target = listener.local_addr()?;
    let receiver = thread::spawn(move || -> std::io::Result<u64> {
        let (stream, _) = listener.accept()?;
        std::io::copy(&mut stream.take(u64::MAX), &mut std::io::sink())
    });
    let mut stream = lab.a.enter(|| TcpStream::connect(target))?.context("connecting")?;
    let piece = vec![0; 1 << 20];
    for _ in 0..PIECES {
        stream.write_all(&piece)?;
        thread::sleep(Duration::from_millis(60));
    }
    drop(stream);
    receiver.join().map_err(|_| anyhow::anyhow!("the receiver failed"))??;
    Ok(())
}

/// A terminal in tmux that runs the view.
struct Terminal(String);

impl Terminal {
    fn open(lab: &Lab, program: &Path) -> Result<Self> {
        let socket = std::env::temp_dir().join(format!("wf-screen-{}", std::process::id()));
        let terminal = Self(socket.display().to_string());
        let [columns, rows] = SIZE.map(|number| number.to_string());
        let mut view = lab.a.command(program);
        view.args(["top", "--config", "none", "-i", lab.a.device, "--transfer-interval", "2s"]);
        view.args(["--host-name", "web1"]);
        let size = ["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows];
        let words: Vec<String> = std::iter::once(view.get_program())
            .chain(view.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let line = format!("env -u NO_COLOR COLORTERM=truecolor {}", words.join(" "));
        terminal.tmux(&[&size[..], &[&line]].concat())?;
        Ok(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> Result<String> {
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &self.0]).args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        shell::output(&mut tmux)
    }

    fn text(&self, arguments: &[&str]) -> Result<String> {
        self.tmux(&[&["capture-pane", "-p"], arguments].concat())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}
