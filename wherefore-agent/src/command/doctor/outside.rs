//! Checks outside this machine's kernel: sinks, data about addresses, the running agent. Owns the limits of
//! these checks; refuses to send an alert.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::check::Check;
use crate::attribute::Directory;
use crate::options;
use crate::options::cli::CommonArgs;
use crate::output::{sinks, socket};

/// How long a receiver may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(3);
/// Older data about addresses is reported, in days.
const OLD: i64 = 200;

/// Each sink, as far as it can be checked without sending anything.
pub(super) fn sinks(common: &CommonArgs) -> Vec<Check> {
    let specs = match options::sinks::specs(common) {
        Ok(specs) => specs,
        Err(error) => {
            let mend = "run `wherefore config check`: it lists each problem";
            return vec![Check::fails(
                "sinks",
                format!("{error:#}"),
                "the agent does not start",
                mend,
            )];
        }
    };
    if specs.is_empty() {
        return vec![Check::costs(
            "sinks",
            "none",
            "alerts are only on standard output and in files",
            "configure --sink or --slack-url; see docs/alerts.md",
        )];
    }
    let broken = sinks::check(&specs);
    let broken = broken.into_iter().map(|problem| {
        Check::fails("sink", problem, "it gets no alerts", "run `wherefore alert test` to try it")
    });
    let hosts = specs.iter().flat_map(sinks::SinkSpec::hosts);
    let mut checks: Vec<_> = broken.chain(hosts.map(|host| reach(&host))).collect();
    if checks.is_empty() {
        let count = specs.len();
        checks.push(Check::ok("sinks", format!("{count}, with valid settings")));
    }
    checks
}

/// Whether the receiver accepts connections.
fn reach(host: &str) -> Check {
    let connect = || -> std::io::Result<()> {
        let mut last = Err(std::io::ErrorKind::AddrNotAvailable.into());
        for address in host.to_socket_addrs()? {
            last = TcpStream::connect_timeout(&address, PATIENCE).map(drop);
            if last.is_ok() {
                break;
            }
        }
        last
    };
    match connect() {
        Ok(()) => Check::ok(
            "sink",
            format!("{host} accepts connections; `wherefore alert test` sends a test alert"),
        ),
        Err(error) => Check::fails(
            "sink",
            format!("{host}: {error}"),
            "alerts wait, and are dropped after a day",
            "check name, network and proxy; `wherefore alert test` shows more",
        ),
    }
}

/// The age of the data about addresses.
pub(super) fn places(common: &CommonArgs) -> Check {
    let directory = match Directory::open(&common.places.live()) {
        Ok(directory) => directory,
        Err(error) => {
            let mend = "name another file with --geo";
            return Check::fails(
                "countries",
                format!("{error:#}"),
                "the agent does not start",
                mend,
            );
        }
    };
    let sources = directory.sources();
    let words: Vec<_> = sources.iter().map(|(name, date)| format!("{name} of {date}")).collect();
    let words = words.join(", ");
    match sources.iter().filter_map(|(_, date)| age_in_days(date)).min() {
        None if sources.is_empty() => Check::costs(
            "countries",
            "no data about countries and AS",
            "peers are shown without country and AS",
            "remove --geo off",
        ),
        Some(days) if days > OLD => Check::costs(
            "countries",
            format!("{words}: {days} days old"),
            "some addresses belong to others by now",
            "name a newer file with --geo",
        ),
        _ => Check::ok("countries", words),
    }
}

/// The number of days since a date such as `2026-06-17`.
fn age_in_days(date: &str) -> Option<i64> {
    let midnight: Timestamp = format!("{}T00:00:00Z", date.get(..10)?).parse().ok()?;
    Some((Timestamp::now().as_second() - midnight.as_second()) / 86_400)
}

/// Whether an agent runs to which `top` can attach.
pub(super) fn agent(path: Option<&Path>) -> Check {
    let is_usual = path.is_none();
    let path = path.unwrap_or_else(|| Path::new(socket::USUAL));
    let shown = path.display();
    match socket::connect(path) {
        Ok(_) => Check::ok("agent", format!("an agent answers at {shown}")),
        Err(_) if is_usual && !path.exists() => {
            Check::ok("agent", "no agent runs as a service; `wherefore top` counts by itself")
        }
        Err(error) => Check::costs(
            "agent",
            format!("{error:#}"),
            "`wherefore top` cannot attach",
            "start the agent, or join the group that may use its socket",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_an_age() {
        assert!(age_in_days("2020-01-01").is_some_and(|days| days > 1800));
        assert_eq!([age_in_days("soon"), age_in_days("")], [None; 2]);
    }
}
