//! The command line: every option with its name, its documentation and its default, once. Owns
//! spelling; what the values mean together is checked in [`crate::config`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::anomaly::Method;
use crate::group::GroupBy;

/// Intervals of a capture that stay open for late packets, where nothing else is said.
pub const DEFAULT_REORDER: u32 = 12;

/// Wherefore art thou transferring 1 GB/s to a Chinese IP block?
///
/// Counts what every flow of this host moves, in the kernel, and tells who sends what to whom and
/// which of it is unusual. Without a command it watches: `wherefore -i eth0` is `wherefore run -i
/// eth0`. Options may also be spelled as the Go tool did: `-anom_methods=fence`.
#[derive(Debug, Parser)]
#[command(name = "wherefore", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `run`, the default command.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch interfaces, live.
    Run(Box<RunArgs>),
    /// Read capture files as if they were live, on their own time. Needs no privilege.
    Replay(Box<ReplayArgs>),
    /// The detector as a filter: numbers in, one JSON object a line out.
    Score(ScoreArgs),
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Interfaces to watch, comma separated or repeated. Default: the one of the default route,
    /// else the busiest that is up.
    #[arg(short = 'i', long = "interface", value_name = "NAME", value_delimiter = ',')]
    pub interfaces: Vec<String>,
    /// Where packets are counted: `ebpf` in the kernel, `libpcap` in this process, `auto` the
    /// former where it works.
    #[arg(long, value_enum, default_value_t)]
    pub daq: Daq,
    /// How eBPF programs are attached. `auto` takes tcx, on kernels before 6.6 clsact. `xdp`
    /// counts received frames before GRO, which it disables on some devices; `xdp-generic` is not
    /// told of how many segments a super-packet is, and counts it as one; what is sent is always
    /// counted at TC.
    #[arg(long, value_enum, default_value_t)]
    pub attach: Attach,
    /// Log what the kernel programs could not put in a flow (with `--loglevel debug`).
    #[arg(long)]
    pub bpf_debug: bool,
    /// Load this eBPF object instead of the built-in one.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub bpf_object: Option<PathBuf>,
    /// Octets of each packet that libpcap captures.
    #[arg(short = 's', long, value_name = "OCTETS", default_value_t = 65_536,
          value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub snaplen: u32,
    /// How long libpcap may wait for packets to hand them over together; at most 100 ms, so that
    /// intervals end on time.
    #[arg(short = 'w', long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    pub read_timeout: Duration,
    /// Read this capture file instead of an interface, like `wherefore replay FILE`.
    #[arg(long, value_name = "FILE")]
    pub pcapfile: Option<PathBuf>,
    /// Stop after this time.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Capture files (pcap, pcapng, also gzip or zstd), one after the other; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Intervals with packets that stay open, so that packets out of order are still counted in
    /// their own; later ones are counted in the oldest open one, and as late.
    #[arg(long, value_name = "INTERVALS", default_value_t = DEFAULT_REORDER,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub reorder: u32,
    /// Show no progress.
    #[arg(long)]
    pub no_progress: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
}

/// Options of `score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// Files of numbers, one a line, or of CSV `timestamp,value`; standard input without any.
    /// With `--series-per-line` or another detector than `lytics` also of CSV with the header
    /// `series,timestamp,value`, which comes out with a column `score`.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Each line is a series, comma separated, oldest point first; out comes a line of as many
    /// scores: 0 is ordinary, higher is rarer.
    #[arg(long)]
    pub series_per_line: bool,
    /// What judges. Default: `flow` with `--series-per-line`, else `lytics`.
    #[arg(long = "detector", value_enum)]
    pub judge: Option<Judge>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub detector: DetectorArgs,
}

/// Options of `run` and `replay`.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// How often what moved is collected and judged.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub transfer_interval: Duration,
    /// What counts as one flow for detection.
    #[arg(long, value_enum, default_value_t)]
    pub group_by: GroupBy,
    /// Flows counted in one interval, and groups with a history, at the most. What exceeds it is
    /// counted as overflow. Default: in the kernel what 128 MB of maps hold, but 65,536 at least
    /// and 262,144 at most; 262,144 groups; in a replay 4,194,304 of both.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub max_flows: Option<u32>,
    /// Quiet intervals after which a group is forgotten.
    #[arg(long, value_name = "INTERVALS", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub expire_after: u32,
    /// Rows in the table of the largest groups.
    #[arg(long, value_name = "ROWS", default_value_t = 10,
          value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub top: u16,
    /// Write flows as JSON Lines: live those of each interval, in a replay those of all files.
    #[arg(long, value_name = "FILE|-")]
    pub flows: Option<PathBuf>,
    /// Write alerts as JSON Lines.
    #[arg(long, value_name = "FILE|-")]
    pub alerts: Option<PathBuf>,
    /// Write what each group moved in each interval as JSON Lines, to tune detection on.
    #[arg(long, value_name = "FILE|-")]
    pub series: Option<PathBuf>,
    /// Directory of `wherefore_anomalies.log`.
    #[arg(short = 'l', long, value_name = "DIRECTORY")]
    pub log_dir: Option<PathBuf>,
    /// Directory of what must outlive the agent: alerts that are not delivered yet, incidents that
    /// are not over. Default: what systemd says (`STATE_DIRECTORY`), else none.
    #[arg(long, value_name = "DIRECTORY", env = "STATE_DIRECTORY")]
    pub state_dir: Option<PathBuf>,
    /// What is logged: debug, info, warn, error; fatal and panic are error.
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    pub loglevel: LogLevel,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: FilterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub detector: DetectorArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub slack: SlackArgs,
}

/// Which packets are watched.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Filter")]
pub struct FilterArgs {
    /// Prefixes to watch, comma separated or repeated. Without any, everything is watched.
    #[arg(long = "filter-ip-cidr", value_name = "CIDR", value_delimiter = ',',
          value_parser = prefix)]
    pub cidr: Vec<IpNet>,
    /// With `false`, watch what is outside of `--filter-ip-cidr` instead.
    #[arg(long = "filter-bool", value_name = "BOOL", default_value_t = true, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub inside: bool,
    /// The source address decides. With neither this nor `--filter-dst`, either address does.
    #[arg(long = "filter-src", value_name = "BOOL", default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub source: bool,
    /// The destination address decides.
    #[arg(long = "filter-dst", value_name = "BOOL", default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub destination: bool,
    /// Prefixes to leave out of what is watched; the longest prefix that holds an address counts.
    #[arg(long = "filter-exclude", value_name = "CIDR", value_delimiter = ',',
          value_parser = prefix)]
    pub exclude: Vec<IpNet>,
}

/// How groups are judged.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Detection")]
pub struct DetectorArgs {
    /// Use the Go tool's defaults exactly, which alert about nothing but new flows: methods diff,
    /// fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from
    /// its first interval, alerted about each interval, whatever it moves.
    #[arg(long)]
    pub compat: bool,
    /// Methods to judge by: magnitude, diff, highrank, lowrank, cdf, fence, ks.
    /// Default: magnitude, diff, highrank, lowrank.
    #[arg(long, value_name = "METHODS", value_delimiter = ',', value_parser = method)]
    pub anom_methods: Vec<Method>,
    /// Points at the end of the window that are judged. Default: 1.
    #[arg(long, value_name = "POINTS")]
    pub anom_active_size: Option<usize>,
    /// Size of the reference before them, in multiples of the active size. Default: 4.
    #[arg(long, value_name = "NUMBER")]
    pub anom_n_seasons: Option<usize>,
    /// Points kept and tested of each group. Default: 10.
    #[arg(long, value_name = "POINTS")]
    pub anom_gv_cap: Option<usize>,
    /// The smallest change that counts, as a fraction of the reference (the magnitude method,
    /// which never exceeds 1). Default: 1, at least twice or nothing at all.
    #[arg(long, value_name = "FRACTION")]
    pub anom_sensitivity: Option<f64>,
    /// Lower bound of the fence method, in octets an interval; NA or 5e-324 for none. Default: NA.
    #[arg(long, value_name = "OCTETS|NA", value_parser = lower_bound, allow_negative_numbers = true)]
    pub anom_lower_bound: Option<LowerBound>,
    /// Upper bound of the fence method, in octets an interval. Default: 10,000,000.
    #[arg(long, value_name = "OCTETS", allow_negative_numbers = true)]
    pub anom_upper_bound: Option<f64>,
    /// Alert where the probability is above this. Default: 0.6.
    #[arg(long, value_name = "PROBABILITY")]
    pub alert_threshold: Option<f64>,
    /// Alert only where the interval differs from the reference by this many octets.
    /// Default: 100,000.
    #[arg(long, value_name = "OCTETS")]
    pub alert_min_bytes: Option<f64>,
    /// How long to be silent about a group after an alert. Default: 5m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub alert_repeat: Option<Duration>,
}

/// The Slack sink.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Slack")]
pub struct SlackArgs {
    /// Incoming webhook to send alerts to. It is a secret, and others can read a command line:
    /// better put it in the environment. Default: none.
    #[arg(long, value_name = "URL", env = "WHEREFORE_SLACK_URL", hide_env_values = true)]
    pub slack_url: Option<String>,
    /// Channel, for webhooks that let it be chosen.
    #[arg(long, value_name = "NAME", default_value = "#wherefore")]
    pub slack_channel: String,
    /// Emoji to use as the icon; the icon's URL is used where this is empty.
    #[arg(long, value_name = "EMOJI", default_value = ":warning:")]
    pub slack_emoji: String,
    /// Picture to use as the icon.
    #[arg(long, value_name = "URL", default_value = "")]
    pub slack_icon: String,
}

/// What judges a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Judge {
    /// For short, bursty series of flows: -log10 of a rarity.
    Flow,
    /// For long, seasonal series of hosts, interfaces, prefixes: -log10 of a rarity.
    Aggregate,
    /// The seven methods of the Go tool: a probability.
    Lytics,
}

/// Where packets are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Daq {
    /// eBPF where it works, else libpcap; says which and why.
    #[default]
    Auto,
    /// In the kernel.
    Ebpf,
    /// In this process.
    Libpcap,
}

/// How eBPF programs are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Attach {
    /// tcx, else clsact.
    #[default]
    Auto,
    /// TCX links (Linux 6.6).
    Tcx,
    /// Filters of the clsact qdisc.
    Clsact,
    /// XDP in the driver.
    Xdp,
    /// XDP in the network stack.
    XdpGeneric,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[allow(missing_docs)]
pub enum LogLevel {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Fatal,
    Panic,
}

/// A lower bound, or none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowerBound(pub Option<f64>);

/// Rewrites the Go tool's spelling, `-anom_methods=fence`, to `--anom-methods=fence`. Only the
/// names of that tool's options are touched, so that `-i eth0` and bundled short options stay.
pub fn normalise(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    arguments.into_iter().map(normalise_one).collect()
}

const SEED_OPTIONS: [&str; 21] = [
    "anom_active_size",
    "anom_gv_cap",
    "anom_lower_bound",
    "anom_methods",
    "anom_n_seasons",
    "anom_sensitivity",
    "anom_upper_bound",
    "daq",
    "filter_bool",
    "filter_dst",
    "filter_ip_CIDR",
    "filter_src",
    "loglevel",
    "pcapfile",
    "slack_channel",
    "slack_emoji",
    "slack_icon",
    "slack_url",
    "transfer_interval",
    "help",
    "version",
];

/// Options of the Go tool that this version does not have. Refused by name: `-log_packets` would
/// else be read as `-l og_packets`.
const NOT_YET: [&str; 5] =
    ["archive_dir", "log_packets", "max_pcap_log_size", "max_pcap_rotations", "f"];

/// The options among the arguments that the Go tool had and this version lacks.
pub fn missing_seed_options(arguments: &[OsString]) -> Vec<String> {
    let names = arguments.iter().skip(1).filter_map(|argument| {
        let text = argument.to_str()?;
        let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-'))?;
        Some(name.split_once('=').map_or(name, |(name, _)| name).replace('-', "_"))
    });
    names.filter(|name| NOT_YET.contains(&name.as_str())).collect()
}

fn normalise_one(argument: OsString) -> OsString {
    let Some(text) = argument.to_str() else { return argument };
    let bare = text.trim_start_matches('-');
    let dashes = text.len() - bare.len();
    let (name, value) = bare.split_once('=').map_or((bare, None), |(n, v)| (n, Some(v)));
    let is_seed = SEED_OPTIONS.iter().any(|seed| {
        name.eq_ignore_ascii_case(seed) || name.eq_ignore_ascii_case(&seed.replace('_', "-"))
    });
    if !is_seed || !(1..=2).contains(&dashes) {
        return argument;
    }
    let name = name.to_ascii_lowercase().replace('_', "-");
    value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}")).into()
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with a unit: 500ms, 5s, 1m30s"))?;
    if duration.is_zero() { Err("must be longer than nothing".to_owned()) } else { Ok(duration) }
}

/// A prefix, or an address as a prefix of full length.
fn prefix(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map(|net| net.trunc())
        .map_err(|_| "not an address or prefix such as 192.0.2.0/24 or 2001:db8::/32".to_owned())
}

fn method(text: &str) -> Result<Method, String> {
    text.trim().parse::<Method>().map_err(|error| error.to_string())
}

fn lower_bound(text: &str) -> Result<LowerBound, String> {
    /// How the Go tool writes "none": its smallest positive number.
    const GO_NONE: f64 = 5e-324;
    if text.eq_ignore_ascii_case("na") {
        return Ok(LowerBound(None));
    }
    let number: f64 = text.parse().map_err(|_| "not a number, nor NA".to_owned())?;
    Ok(LowerBound((number != GO_NONE).then_some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Cli {
        let arguments = arguments.iter().map(OsString::from);
        Cli::try_parse_from(normalise(arguments)).expect("the arguments parse")
    }

    #[test]
    fn the_definition_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_go_tools_spelling_means_the_same_as_gnus() {
        let seed = parse(&["wherefore", "-i", "eth0", "-anom_methods=fence", "-filter_src=true"]);
        let gnu = parse(&["wherefore", "-i", "eth0", "--anom-methods=fence", "--filter-src"]);
        assert_eq!(seed.run.common.detector.anom_methods, [Method::Fence]);
        assert_eq!(format!("{seed:?}"), format!("{gnu:?}"));
    }

    #[test]
    fn options_that_are_not_there_yet_are_named() {
        let missing = |text: &str| missing_seed_options(&["wherefore".into(), text.into()]);
        assert_eq!(missing("-log_packets=true"), ["log_packets"]);
        assert_eq!(missing("--archive-dir=/tmp"), ["archive_dir"]);
        assert_eq!(missing("-l"), [""; 0]);
    }

    #[test]
    fn short_options_are_left_alone() {
        let cli = parse(&["wherefore", "-ieth0,eth1", "-s", "100", "-w", "1s"]);
        assert_eq!(cli.run.interfaces, ["eth0", "eth1"]);
        assert_eq!(cli.run.snaplen, 100);
    }

    #[test]
    fn the_go_tools_way_to_say_no_lower_bound_is_understood() {
        let cli = parse(&["wherefore", "-anom_lower_bound=5e-324"]);
        assert_eq!(cli.run.common.detector.anom_lower_bound, Some(LowerBound(None)));
    }
}
