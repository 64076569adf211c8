//! The command line: every option with its name, its documentation and its default, once. Owns
//! spelling; [`crate::options`] checks combinations of values.

mod backtest;
mod detection;
mod evidence;
mod export;
mod generated;
mod history;
mod listen;
mod places;
mod short;
mod spelling;
mod top;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::input::filter;
pub use crate::input::{Attach, AttachOrder, Daq};
use crate::log::LogLevel;
use crate::options::attribution::AttributionArgs;
use crate::traffic::group::GroupBy;
pub use backtest::BacktestArgs;
pub use detection::{AlertArgs, Budget, DetectorArgs, KindShare, LowerBound, NewPlace, RateLimit};
pub use evidence::EvidenceArgs;
pub use export::ExportArgs;
pub use generated::Generated;
pub use history::{FileArgs, HistoryArgs, KeepArgs, WhyArgs};
pub use listen::ListenArgs;
pub use places::{GeoArgs, PlaceArgs};
pub use short::command;
pub use spelling::normalise;
pub use top::{DoctorArgs, TopArgs};

/// Default of `--reorder`: intervals of a capture that stay open for late packets.
pub const DEFAULT_REORDER: u32 = 12;

/// Wherefore art thou transferring 1 GB/s to a Chinese IP block?
///
/// Counts the traffic of every flow of this host, in the kernel. Shows who sends what to whom, and alerts
/// when traffic is unusual. Without a command it watches: `wherefore -i eth0` is the same as
/// `wherefore run -i eth0`. Options may also be given in the Go tool's spelling, `-anom_methods=fence`, as
/// variables, `WHEREFORE_ANOM_METHODS=fence`, or in a file, `anom_methods = "fence"`
/// (`wherefore config default` prints one). A flag overrides a variable, and a variable overrides the file.
#[derive(Debug, Parser)]
#[command(
    name = "wherefore",
    version,
    args_conflicts_with_subcommands = true,
    args_override_self = true
)]
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
    /// Show a live view in the terminal. It attaches to a running agent, or counts by itself, or
    /// replays a capture.
    Top(Box<TopArgs>),
    /// Check this machine. Prints what works, what does not, the consequence and the fix. The exit
    /// code is 1 if something does not work.
    Doctor(Box<DoctorArgs>),
    /// Replay capture files as if they were live, on their own time. Needs no privilege.
    Replay(Box<ReplayArgs>),
    /// Show what would have been reported. Prints when, and at which budget, for captures, flows or series.
    Backtest(Box<BacktestArgs>),
    /// Show who transferred what, and when. Reads the file that the agent keeps; needs no privilege but to
    /// read it.
    History(Box<HistoryArgs>),
    /// Explain an address, process or country in sentences. What it transferred, with whom, since when,
    /// its baseline and its incidents.
    Why(Box<WhyArgs>),
    /// Run a detector on numbers. Writes one JSON object a line.
    Score(ScoreArgs),
    /// Print the name, country and AS of addresses. Writes one JSON object a line if standard output is not a
    /// terminal.
    Geo(GeoArgs),
    /// Check, show or print the configuration. It combines the command line, the environment
    /// and the file.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Test the sinks of alerts.
    #[command(subcommand)]
    Alert(AlertCommand),
    /// Print documents generated from the definition of the options.
    #[command(hide = true)]
    Generate {
        /// The kind of document.
        #[arg(value_enum)]
        what: Generated,
    },
}

/// Commands about the options.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print all errors in the options; the exit code is 2 if there are any.
    Check(Box<RunArgs>),
    /// Print each option with its value and its origin. Secrets are not shown.
    Show(Box<RunArgs>),
    /// Print a configuration file with every option, its documentation and its default.
    Default,
}

/// Commands about alerts.
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Send a test alert through each sink, or the named ones, and print the answers.
    Test(Box<AlertTestArgs>),
}

/// Options of `alert test`.
#[derive(Debug, Args)]
pub struct AlertTestArgs {
    /// Name of the sink, or a kind of sinks. Default: all.
    #[arg(value_name = "SINK")]
    pub name: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
}

impl Cli {
    /// The options of `run` and `replay`, if the command has them.
    pub fn common(&self) -> Option<&CommonArgs> {
        match &self.command {
            None => Some(&self.run.common),
            Some(
                Command::Run(args)
                | Command::Config(ConfigCommand::Check(args) | ConfigCommand::Show(args)),
            ) => Some(&args.common),
            Some(Command::Replay(args)) => Some(&args.common),
            Some(Command::Top(args)) => Some(&args.run.common),
            Some(Command::Doctor(args)) => Some(&args.run.common),
            Some(Command::Alert(AlertCommand::Test(args))) => Some(&args.common),
            // `backtest` has only some of them.
            Some(Command::Backtest(_)) => None,
            Some(Command::History(_) | Command::Why(_) | Command::Score(_) | Command::Geo(_)) => {
                None
            }
            Some(Command::Config(_) | Command::Generate { .. }) => None,
        }
    }

    /// The options of `run`, if the command uses them.
    pub(crate) fn run_args(&self) -> Option<&RunArgs> {
        match &self.command {
            None => Some(&self.run),
            Some(
                Command::Run(args)
                | Command::Config(ConfigCommand::Check(args) | ConfigCommand::Show(args)),
            ) => Some(args),
            Some(_) => None,
        }
    }

    /// The options of `top`, if that is the command.
    pub fn into_top(self) -> Option<TopArgs> {
        match self.command {
            Some(Command::Top(args)) => Some(*args),
            _ => None,
        }
    }

    /// The options of `run`, if that is the command.
    pub fn into_run(self) -> Option<RunArgs> {
        match self.command {
            None => Some(self.run),
            Some(Command::Run(args)) => Some(*args),
            Some(Command::Top(args)) => Some(args.run),
            Some(_) => None,
        }
    }
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. The agent
    /// follows interfaces that appear and disappear. Default: the interface of the default route, even if
    /// this changes; without a default route, the busiest interface that is up.
    #[arg(short = 'i', long = "interface", value_name = "NAME", value_delimiter = ',',
          value_parser = NonEmptyStringValueParser::new())]
    pub interfaces: Vec<String>,
    /// Where packets are counted: `ebpf` in the kernel, `libpcap` in this process; `auto` in the kernel if
    /// that works, otherwise in this process.
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    pub daq: Daq,
    /// How eBPF programs are attached. `auto` uses tcx, or clsact on kernels before 6.6. `xdp` counts
    /// received frames before GRO, and disables GRO on some devices. `xdp-generic` does not know the number
    /// of segments of a GRO packet, and counts it as one. Sent packets are always counted at TC.
    #[arg(long, value_enum, default_value_t)]
    pub attach: Attach,
    /// Position among other programs on the same hook, which may decide about a packet and end the chain
    /// (Cilium's do). `first`: sees every packet that the device receives or is about to send; the others run
    /// after it as before. `last`: sees only packets that the others let through.
    #[arg(long, value_enum, default_value_t)]
    pub attach_order: AttachOrder,
    /// Log packets that the kernel programs could not put in a flow (with `--loglevel debug`).
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub bpf_debug: bool,
    /// Load this eBPF object instead of the built-in one.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub bpf_object: Option<PathBuf>,
    /// Bytes of each packet that libpcap captures, and that `--log-packets` keeps (at most 65,536
    /// with eBPF).
    #[arg(short = 's', long, value_name = "BYTES", default_value_t = 65_536,
          value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub snaplen: u32,
    /// How long libpcap may buffer packets before it delivers them; at most 100 ms, so that intervals end on
    /// time.
    #[arg(short = 'w', long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    pub read_timeout: Duration,
    /// Read this capture file instead of an interface, like `wherefore replay FILE`.
    #[arg(long, value_name = "FILE")]
    pub pcapfile: Option<PathBuf>,
    /// Socket that `wherefore top` attaches to; this user and group may connect. Default: `view.sock` in the
    /// directory that systemd sets (`RUNTIME_DIRECTORY`), otherwise none.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Once attached, give up access to files, ports and system calls that is not needed. Use `off` if the
    /// sandbox denies something that you need; the log says what it denies.
    #[arg(long, value_enum, default_value_t)]
    pub sandbox: Sandbox,
    /// Stop after this time.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    // After these fields, because options after a flattened group get its heading in the help.
    #[command(flatten)]
    #[allow(missing_docs)]
    pub attribution: AttributionArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub listener: ListenArgs,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Capture files (pcap, pcapng, also gzip or zstd), in this order; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Number of intervals that stay open for packets that are out of order. Packets that come even later are
    /// counted in the oldest open interval, and as late.
    #[arg(long, value_name = "INTERVALS", default_value_t = DEFAULT_REORDER,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub reorder: u32,
    /// Do not show progress.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub no_progress: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
}

/// Options of `score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// Files with a number or CSV `timestamp,value` on each line; default: standard input. With
    /// `--series-per-line` or a detector other than `lytics`, also CSV with the header
    /// `series,timestamp,value`; the output then has an additional column `score`.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read one series a line, comma separated, oldest point first; write a line with as many
    /// scores: 0 is ordinary, higher is rarer.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub series_per_line: bool,
    /// The detector to use. Default: `flow`, or `lytics` if the Go tool's methods are named.
    #[arg(long = "detector", value_enum)]
    pub judge: Option<Judge>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub detector: DetectorArgs,
}

/// Options of `run` and `replay`.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it
    /// exists; `replay` and `backtest` read none.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The name of this host in alerts. Default: its host name.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub host_name: Option<String>,
    /// Length of an interval: how often traffic is collected and judged.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub transfer_interval: Duration,
    /// What forms one group for detection.
    #[arg(long, value_enum, default_value_t)]
    pub group_by: GroupBy,
    /// The most flows in an interval, and the most groups with a history. Further flows are counted as
    /// overflow. The kernel's table has this guaranteed capacity, and up to three times that, depending on
    /// hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub max_flows: Option<u32>,
    /// Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool's methods 60.
    #[arg(long, value_name = "INTERVALS", value_parser = clap::value_parser!(u32).range(1..))]
    pub expire_after: Option<u32>,
    /// Number of rows in the table of the largest groups.
    #[arg(long, value_name = "ROWS", default_value_t = 10,
          value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub top: u16,
    /// Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay
    /// replaces its content by the flows of all captures.
    #[arg(long, value_name = "FILE|-")]
    pub flows: Option<PathBuf>,
    /// Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`.
    #[arg(long, value_name = "FILE|-")]
    pub alerts: Option<PathBuf>,
    /// Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or
    /// replaces its content, as for `--flows`.
    #[arg(long, value_name = "FILE|-")]
    pub series: Option<PathBuf>,
    /// Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it
    /// if it is missing, but not its parents.
    #[arg(short = 'l', long, value_name = "DIRECTORY")]
    pub log_dir: Option<PathBuf>,
    /// Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma
    /// separated; may be repeated. Write a comma in a value as `\,`. Kinds and settings: docs/alerts.md.
    #[arg(long = "sink", value_name = "KIND,KEY=VALUE,…", hide_env_values = true)]
    pub sinks: Vec<String>,
    /// Directory for state that survives a restart. This is undelivered alerts,
    /// open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none.
    #[arg(long, value_name = "DIRECTORY", env = "STATE_DIRECTORY")]
    pub state_dir: Option<PathBuf>,
    /// The lowest severity that is logged. `fatal` and `panic` mean `error`.
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
    pub alert: AlertArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub places: PlaceArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub slack: SlackArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub evidence: EvidenceArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub export: ExportArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keep: KeepArgs,
}

/// Which packets are watched.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Filter")]
pub struct FilterArgs {
    /// Prefixes to watch, comma separated or repeated. Default: everything is watched.
    #[arg(long = "filter-ip-cidr", value_name = "CIDR", value_delimiter = ',',
          value_parser = prefix)]
    pub cidr: Vec<IpNet>,
    /// With `false`, watch only traffic outside of `--filter-ip-cidr`.
    #[arg(long = "filter-bool", value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = true, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub inside: bool,
    /// Compare only the source address. Without this and `--filter-dst`, either address may match.
    #[arg(long = "filter-src", value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub source: bool,
    /// Compare only the destination address.
    #[arg(long = "filter-dst", value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub destination: bool,
    /// Watch only matching traffic, in tcpdump's language (pcap-filter(7)): `tcp port
    /// 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel
    /// evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq
    /// libpcap`, which `auto` then chooses) or a replay.
    #[arg(short = 'f', long = "pcap-filter", alias = "f", value_name = "EXPRESSION")]
    pub expression: Option<String>,
    /// Prefixes not to watch. The longest prefix that contains an address decides.
    #[arg(long = "filter-exclude", value_name = "CIDR", value_delimiter = ',',
          value_parser = prefix)]
    pub exclude: Vec<IpNet>,
}

impl FilterArgs {
    /// The settings of the filter.
    pub fn settings(&self) -> filter::Settings {
        let Self { cidr, inside, source, destination, expression, exclude } = self.clone();
        filter::Settings { cidr, inside, source, destination, expression, exclude }
    }

    /// Whether the filter excludes anything.
    pub(crate) fn is_used(&self) -> bool {
        !self.cidr.is_empty() || !self.exclude.is_empty() || self.expression.is_some()
    }
}

/// The Slack sink.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Slack")]
pub struct SlackArgs {
    /// Incoming webhook to send alerts to. It is a secret and other users can read the command line, so
    /// prefer an environment variable. Default: none.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub slack_url: Option<String>,
    /// Channel, for webhooks that allow choosing it.
    #[arg(long, value_name = "NAME", default_value = "#wherefore")]
    pub slack_channel: String,
    /// Emoji to use as the icon; if it is empty, the icon's URL is used.
    #[arg(long, value_name = "EMOJI", default_value = ":warning:")]
    pub slack_emoji: String,
    /// Picture to use as the icon.
    #[arg(long, value_name = "URL", default_value = "")]
    pub slack_icon: String,
}

impl SlackArgs {
    /// The settings without any Slack option.
    pub(crate) fn none() -> Self {
        let [slack_channel, slack_emoji, slack_icon] = [const { String::new() }; 3];
        Self { slack_url: None, slack_channel, slack_emoji, slack_icon }
    }
}

/// Detectors of `score`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Judge {
    /// For short, bursty series of flows: -log10 of a rarity.
    Flow,
    /// For long, seasonal series of hosts, interfaces, prefixes: -log10 of a rarity.
    Aggregate,
    /// The seven methods of the Go tool: a probability.
    Lytics,
}

/// Whether the agent gives up access that it does not need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Sandbox {
    /// Landlock and seccomp, as far as the kernel supports them. Not possible with a command sink.
    #[default]
    On,
    /// Capabilities only.
    Off,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with a unit: 500ms, 5s, 1m30s"))?;
    if duration.is_zero() { Err("must be longer than 0".to_owned()) } else { Ok(duration) }
}

/// A prefix, or an address as a prefix of full length.
fn prefix(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(|_| address()).map(|net| net.trunc()).map_err(|_| {
        "must be an address or a prefix, such as 192.0.2.0/24 or 2001:db8::/32".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::detect::methods::Method;

    fn parse(arguments: &[&str]) -> Cli {
        let command = <Cli as clap::CommandFactory>::command();
        let arguments = normalise(&command, arguments.iter().map(OsString::from));
        Cli::try_parse_from(arguments).expect("the arguments parse")
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
    fn short_options_are_left_alone() {
        let cli = parse(&["wherefore", "-ieth0,eth1", "-s", "100", "-w", "1s"]);
        assert_eq!(cli.run.interfaces, ["eth0", "eth1"]);
        assert_eq!(cli.run.snaplen, 100);
    }

    #[test]
    fn letters_have_one_dash_or_two() {
        for words in
            [&["-i=lo"][..], &["--i=lo"], &["-i", "lo"], &["--i", "lo"], &["-interface=lo"]]
        {
            assert_eq!(
                parse(&[&["wherefore"], words].concat()).run.interfaces,
                ["lo"],
                "{words:?}"
            );
        }
        let cli = parse(&["wherefore", "--s=100", "--w", "1s", "--l=/tmp", "--f=tcp", "-l", ""]);
        assert_eq!((cli.run.snaplen, cli.run.read_timeout), (100, Duration::from_secs(1)));
        assert_eq!(cli.run.common.log_dir.as_deref(), Some("/tmp".as_ref()));
        // The last one counts, as in the Go tool.
        assert_eq!(parse(&["wherefore", "-top=5", "--top", "6"]).run.common.top, 6);
    }

    #[test]
    fn names_of_files_behind_two_dashes_are_left_alone() {
        let cli =
            parse(&["wherefore", "replay", "--no_progress=T", "--", "-anom_methods=x", "--i=y"]);
        let Some(Command::Replay(replay)) = cli.command else { panic!("{cli:?}") };
        assert_eq!(replay.files, ["-anom_methods=x", "--i=y"].map(PathBuf::from));
        assert!(replay.no_progress);
    }

    #[test]
    fn an_expression_may_be_given_in_any_way() {
        for words in
            [&["-f=tcp"][..], &["-f", "tcp"], &["-ftcp"], &["--f=tcp"], &["--pcap-filter", "tcp"]]
        {
            let cli = parse(&[&["wherefore"], words].concat());
            assert_eq!(cli.run.common.filter.expression.as_deref(), Some("tcp"), "{words:?}");
        }
    }

    #[test]
    fn the_go_tools_way_to_say_no_lower_bound_is_understood() {
        let cli = parse(&["wherefore", "-anom_lower_bound=5e-324"]);
        assert_eq!(cli.run.common.detector.anom_lower_bound, Some(LowerBound(None)));
    }
}
