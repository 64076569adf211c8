//! Checks outside this machine's kernel: sinks, data about addresses, the running agent.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::check::Check;
use crate::attribute::Directory;
use crate::options;
use crate::options::cli::CommonArgs;
use crate::output::{sinks, socket};

/// How long a receiver is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Data about addresses that are older are worth a look, in days.
const OLD: i64 = 200;

/// Each sink, as far as can be seen without sending anything.
pub(super) fn sinks(common: &CommonArgs) -> Vec<Check> {
    let specs = match options::sinks::specs(common) {
        Ok(specs) => specs,
        Err(error) => {
            let mend = "wherefore config check names each problem";
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
            "alerts are on standard output and in files alone",
            "--sink or --slack-url; see docs/alerts.md",
        )];
    }
    let broken = sinks::check(&specs);
    let broken = broken.into_iter().map(|problem| {
        Check::fails("sink", problem, "it gets no alerts", "wherefore alert test tries it")
    });
    let hosts = specs.iter().flat_map(sinks::SinkSpec::hosts);
    let mut checks: Vec<_> = broken.chain(hosts.map(|host| reach(&host))).collect();
    if checks.is_empty() {
        let count = specs.len();
        checks.push(Check::ok("sinks", format!("{count}, with sound settings")));
    }
    checks
}

/// Whether something listens there.
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
        Ok(()) => {
            Check::ok("sink", format!("{host} answers; `wherefore alert test` sends something"))
        }
        Err(error) => Check::fails(
            "sink",
            format!("{host}: {error}"),
            "alerts wait, and are lost after a while",
            "check name, network and proxy; `wherefore alert test` says more",
        ),
    }
}

/// How old the data about addresses are.
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
            "peers have addresses only",
            "leave out --geo none",
        ),
        Some(days) if days > OLD => Check::costs(
            "countries",
            format!("{words}: {days} days old"),
            "some addresses have moved since",
            "name a newer file with --geo",
        ),
        _ => Check::ok("countries", words),
    }
}

/// Days since a date such as `2026-06-17`.
fn age_in_days(date: &str) -> Option<i64> {
    let midnight: Timestamp = format!("{}T00:00:00Z", date.get(..10)?).parse().ok()?;
    Some((Timestamp::now().as_second() - midnight.as_second()) / 86_400)
}

/// Whether an agent runs that `top` may attach to.
pub(super) fn agent(path: Option<&Path>) -> Check {
    let is_usual = path.is_none();
    let path = path.unwrap_or_else(|| Path::new(socket::USUAL));
    let shown = path.display();
    match socket::connect(path) {
        Ok(_) => Check::ok("agent", format!("one answers at {shown}")),
        Err(_) if is_usual && !path.exists() => {
            Check::ok("agent", "none runs as a service; `wherefore top` counts by itself")
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
