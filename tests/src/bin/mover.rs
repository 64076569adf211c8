//! Processes that move bytes in many ways, and report the truth about it: a line for each socket that a
//! process used, `pid protocol local remote`, on standard output.
//!
//! `mover serve KIND ADDRESS` replies until its standard input ends, and prints `at ADDRESS` first.
//! `mover ask KIND ADDRESS BYTES` sends this many bytes and reads the reply. Kinds are below.
#![deny(unsafe_code)]

use std::io::{IoSlice, IoSliceMut, Read, Write, stdin};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    SockaddrStorage, bind, connect, listen, recvmsg, sendmsg, setsockopt, socket, sockopt,
};

/// The length of a reply.
const ANSWER: usize = 3000;
/// The longest wait for a datagram.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", kind, address] => serve(kind, address.parse()?),
        ["ask", kind, address, bytes] => ask(kind, address.parse()?, bytes.parse()?),
        // Started by another program, with a socket as standard input.
        ["answer-connection"] => answer(&mut inherited_stream()?),
        ["send-connection", bytes] => exchange(&mut inherited_stream()?, bytes.parse()?),
        ["take-connections"] => take_connections(),
        _ => bail!("usage: mover serve KIND ADDRESS | mover ask KIND ADDRESS BYTES"),
    }
}

/// Reports who used a socket.
fn report(protocol: u8, local: SocketAddr, remote: SocketAddr) -> Result<()> {
    // One write, so that lines of several processes do not mix.
    let line = format!("{} {protocol} {} {}\n", std::process::id(), plain(local), plain(remote));
    std::io::stdout().write_all(line.as_bytes()).context("reporting")
}

/// IPv4 in IPv6 is IPv4 on the wire.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn report_stream(stream: &TcpStream) -> Result<()> {
    report(6, stream.local_addr()?, stream.peer_addr()?)
}

fn inherited_stream() -> Result<TcpStream> {
    use std::os::fd::AsFd;
    Ok(stdin().as_fd().try_clone_to_owned()?.into())
}

fn this() -> Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

fn serve(kind: &str, address: SocketAddr) -> Result<()> {
    match kind {
        "udp" => return serve_udp(address, true),
        "udp-sink" => return serve_udp(address, false),
        "silent" => return serve_silently(address),
        _ => {}
    }
    let listener = listener(address, kind)?;
    println!("at {}", listener.local_addr()?);
    let worker = if kind == "pass" { Some(worker()?) } else { None };
    std::thread::spawn(end_with_input);
    for stream in listener.incoming() {
        let mut stream = stream?;
        match (kind, &worker) {
            ("spawn", _) => {
                let socket = Stdio::from(OwnedFd::from(stream));
                this()?.arg("answer-connection").stdin(socket).spawn()?;
            }
            ("pass", Some(worker)) => pass(worker, stream.as_raw_fd())?,
            _ => answer(&mut stream)?,
        }
    }
    Ok(())
}

/// With `reuseport`, several processes may listen at one address.
fn listener(address: SocketAddr, kind: &str) -> Result<TcpListener> {
    let descriptor = match kind {
        "reuseport" => {
            let descriptor =
                socket(family(address), SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
            setsockopt(&descriptor, sockopt::ReusePort, &true)?;
            descriptor
        }
        "mptcp" => multipath(address)?,
        _ => return Ok(TcpListener::bind(address)?),
    };
    bind(descriptor.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&descriptor, Backlog::new(100)?)?;
    Ok(descriptor.into())
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// A socket of Multipath TCP, or of TCP if the kernel has no other.
#[allow(unsafe_code, reason = "nix does not know the protocol")]
fn multipath(address: SocketAddr) -> Result<OwnedFd> {
    let (family, kind) = (family(address), libc::SOCK_STREAM | libc::SOCK_CLOEXEC);
    // SAFETY: it takes three numbers.
    let descriptor = unsafe { libc::socket(family as i32, kind, libc::IPPROTO_MPTCP) };
    if descriptor < 0 {
        return Ok(socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?);
    }
    // SAFETY: the kernel has just made it, and nothing else uses it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Receives nothing, ever.
fn serve_silently(address: SocketAddr) -> Result<()> {
    let socket = UdpSocket::bind(address)?;
    println!("at {}", socket.local_addr()?);
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Its threads wait for connections forever, and it holds nothing that must be dropped.
#[allow(clippy::disallowed_methods)]
fn end_with_input() {
    let _ = stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}

/// Reads all that comes, then answers.
fn answer(stream: &mut TcpStream) -> Result<()> {
    report_stream(stream)?;
    // The client may be gone before the reply.
    let _ = stream.read_to_end(&mut Vec::new());
    let _ = stream.write_all(&[7; ANSWER]);
    Ok(())
}

fn serve_udp(address: SocketAddr, answers: bool) -> Result<()> {
    let socket = UdpSocket::bind(address)?;
    println!("at {}", socket.local_addr()?);
    std::thread::spawn(end_with_input);
    let mut room = [0; 65_536];
    loop {
        let (size, from) = socket.recv_from(&mut room)?;
        report(17, SocketAddr::new(address.ip(), socket.local_addr()?.port()), from)?;
        if answers {
            socket.send_to(&room[..size], from)?;
        }
    }
}

/// A process that takes connections from this one.
fn worker() -> Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    let theirs = Stdio::from(OwnedFd::from(theirs));
    this()?.arg("take-connections").stdin(theirs).spawn()?;
    Ok(ours)
}

fn pass(to: &UnixStream, descriptor: RawFd) -> Result<()> {
    let (parts, descriptors) = ([IoSlice::new(b"x")], [descriptor]);
    let control = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(to.as_raw_fd(), &parts, &control, MsgFlags::empty(), None)?;
    Ok(())
}

fn take_connections() -> Result<()> {
    loop {
        let mut byte = [0];
        let mut parts = [IoSliceMut::new(&mut byte)];
        let mut room = nix::cmsg_space!(RawFd);
        let message = recvmsg::<()>(0, &mut parts, Some(&mut room), MsgFlags::empty())?;
        if message.bytes == 0 {
            return Ok(());
        }
        for control in message.cmsgs()? {
            let ControlMessageOwned::ScmRights(descriptors) = control else { continue };
            descriptors.into_iter().try_for_each(answer_passed)?;
        }
    }
}

/// The message has the number of a descriptor, which is this process's alone.
#[allow(unsafe_code, reason = "a number becomes a descriptor")]
fn answer_passed(descriptor: RawFd) -> Result<()> {
    // SAFETY: the kernel has just made it for this process, and nothing else uses it.
    let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
    answer(&mut owned.into())
}

fn ask(kind: &str, address: SocketAddr, bytes: usize) -> Result<()> {
    match kind {
        "udp" => return ask_udp(address, bytes, true),
        "udp-alone" => return ask_udp(address, bytes, false),
        _ => {}
    }
    let address = if kind == "mapped" { mapped(address) } else { address };
    let mut stream = if kind == "mptcp" {
        let descriptor = multipath(address)?;
        connect(descriptor.as_raw_fd(), &SockaddrStorage::from(address))?;
        descriptor.into()
    } else {
        TcpStream::connect(address)?
    };
    match kind {
        "exec" => {
            let socket = Stdio::from(OwnedFd::from(stream));
            let mut command = this()?;
            bail!(command.args(["send-connection", &bytes.to_string()]).stdin(socket).exec())
        }
        "spawn" => {
            report_stream(&stream)?;
            let socket = Stdio::from(OwnedFd::from(stream));
            let mut command = this()?;
            let child = command.args(["send-connection", &bytes.to_string()]).stdin(socket).spawn();
            child?.wait()?;
            Ok(())
        }
        // Its data is still in its buffer when it ends.
        "exit" => {
            report_stream(&stream)?;
            Ok(stream.write_all(&vec![1; bytes])?)
        }
        "thread" => {
            let send = || exchange(&mut stream, bytes);
            let named = std::thread::Builder::new().name("a-thread".to_owned());
            std::thread::scope(|scope| match named.spawn_scoped(scope, send)?.join() {
                Ok(done) => done,
                Err(_) => bail!("the thread broke off"),
            })
        }
        _ => exchange(&mut stream, bytes),
    }
}

fn mapped(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    (ip, address.port()).into()
}

fn exchange(stream: &mut TcpStream, bytes: usize) -> Result<()> {
    report_stream(stream)?;
    stream.write_all(&vec![1; bytes])?;
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

fn ask_udp(address: SocketAddr, bytes: usize, waits: bool) -> Result<()> {
    let any: SocketAddr = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse()?;
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    // Connected only to know its address.
    let known = UdpSocket::bind(any)?;
    known.connect(address)?;
    let local = SocketAddr::new(known.local_addr()?.ip(), socket.local_addr()?.port());
    report(17, local, address)?;
    socket.send_to(&vec![1; bytes.min(1200)], address)?;
    if waits {
        socket.recv_from(&mut [0; 2000])?;
    }
    Ok(())
}
