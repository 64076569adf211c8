//! Options of detection and of incidents. Owns their spelling and documentation; [`crate::options`] sets the
//! defaults that depend on `--compat`.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use super::duration;
use crate::attribute::geo::Country;
use crate::detect::allow::Allowed;
use crate::detect::methods::Method;
use crate::detect::places::PlaceRules;
use crate::message::alert::KeyScope;

pub use crate::detect::settings::{Budget, KindShare};

/// How groups are judged.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Detection")]
pub struct DetectorArgs {
    /// Use exactly the Go tool's defaults, which alert only about new flows: eth0 by libpcap,
    /// only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper
    /// bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options
    /// still apply.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub compat: bool,
    /// Judge by these methods of the Go tool, and alert if their probability is high: magnitude,
    /// diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except
    /// --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is
    /// magnitude, diff, highrank, lowrank.
    #[arg(long, value_name = "METHODS", value_delimiter = ',', value_parser = method)]
    pub anom_methods: Vec<Method>,
    /// Number of newest points of the window that are judged. Default: 1.
    #[arg(long, value_name = "POINTS")]
    pub anom_active_size: Option<usize>,
    /// Size of the reference, which is the points before them, in multiples of the active size. Default: 4.
    #[arg(long, value_name = "NUMBER")]
    pub anom_n_seasons: Option<usize>,
    /// Number of points that are kept and tested for each group. Default: 10.
    #[arg(long, value_name = "POINTS")]
    pub anom_gv_cap: Option<usize>,
    /// The smallest change that counts, as a fraction of the reference (for the magnitude method, which never
    /// exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0.
    #[arg(long, value_name = "FRACTION")]
    pub anom_sensitivity: Option<f64>,
    /// Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA.
    #[arg(long, value_name = "BYTES|NA", value_parser = lower_bound, allow_negative_numbers = true)]
    pub anom_lower_bound: Option<LowerBound>,
    /// Upper bound of the fence method, in bytes an interval. Default: 10,000,000.
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub anom_upper_bound: Option<f64>,
}

/// When and how often incidents are reported.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Alerts")]
pub struct AlertArgs {
    /// How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns
    /// how rare a finding must be to keep to this budget. Default: 10/day.
    #[arg(long, value_name = "NUMBER/hour|day|week")]
    pub alert_budget: Option<Budget>,
    /// Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload,
    /// beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND`
    /// enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all.
    #[arg(
        long,
        value_name = "KIND[=SHARE]|-KIND",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub alert_kinds: Vec<KindShare>,
    /// An incident begins if its probability is above this, whatever the budget. With the Go tool's methods
    /// it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of
    /// this host has nothing as rare: 0.999 means once in 1,000 intervals.
    #[arg(long, value_name = "PROBABILITY")]
    pub alert_threshold: Option<f64>,
    /// The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method,
    /// which has its own bound.
    #[arg(long, value_name = "BYTES")]
    pub alert_min_bytes: Option<f64>,
    /// The shortest time between two reports about an incident that continues. It is a minute if the incident
    /// becomes more severe or reaches ten times the volume. Default: 5m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub alert_repeat: Option<Duration>,
    /// Number of quiet intervals after which an incident is over.
    #[arg(long, value_name = "INTERVALS", default_value_t = 6,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub alert_resolve: u32,
    /// After an incident is over, the same is not reported again for this time, unless it lasts longer, is more
    /// severe or ten times as large. After each further report within six hours, the time is four times as long.
    /// Default: 5m; none with `--compat`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub alert_cooldown: Option<Duration>,
    /// The most new incidents in a given time that are reported one by one; further ones are reported in a
    /// summary. `none` for no limit. Default: 20/10m.
    #[arg(long, value_name = "NUMBER/TIME|none")]
    pub alert_limit: Option<RateLimit>,
    /// Traffic that is counted and shown, but not judged. An address or prefix, a port, or both,
    /// comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`.
    /// Traffic matches if either of its ends does.
    #[arg(long, value_name = "CIDR|PORT", value_delimiter = ',')]
    pub alert_allow: Vec<Allowed>,
    /// Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them
    /// in an interval. Two letters each, comma separated or repeated. Does not use the budget.
    #[arg(long, value_name = "COUNTRY", value_delimiter = ',')]
    pub alert_country: Vec<Country>,
    /// Alert about any traffic with these autonomous systems: `AS4134` or `4134`.
    #[arg(long, value_name = "AS", value_delimiter = ',', value_parser = system)]
    pub alert_asn: Vec<u32>,
    /// Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`)
    /// in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does
    /// not use the budget. Default: neither.
    #[arg(long, value_enum, value_name = "country|asn", value_delimiter = ',')]
    pub alert_new: Vec<NewPlace>,
    /// How long this host is watched before `--alert-new` reports anything.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = duration)]
    pub alert_new_after: Duration,
    /// Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`).
    /// Default: true; false with `--compat` and with the fence method, which needs no history.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub alert_quiet_start: Option<bool>,
    /// Also update the baseline during an incident. Default: false; true with `--compat`.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub alert_learn: Option<bool>,
    /// A change that lasts this long becomes part of the baseline, even during an incident.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub alert_learn_after: Duration,
    /// Which agents use the same key for the same incident, for receivers that get alerts from several
    /// agents: `host` for agents on one host, `network` for all agents.
    #[arg(long, value_enum, default_value_t)]
    pub alert_key_scope: KeyScope,
    /// Label to add to every alert, comma separated or repeated.
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = label)]
    pub alert_label: Vec<(String, String)>,
}

/// The kinds of places that are reported when they are new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum NewPlace {
    /// A country.
    Country,
    /// An AS.
    Asn,
}

impl AlertArgs {
    /// The countries and AS to look for, and the minimum of bytes.
    pub(crate) fn places(&self, min_bytes: f64) -> PlaceRules {
        PlaceRules {
            countries: self.alert_country.clone(),
            systems: self.alert_asn.clone(),
            new_countries: self.alert_new.contains(&NewPlace::Country),
            new_systems: self.alert_new.contains(&NewPlace::Asn),
            learn_ns: i64::try_from(self.alert_new_after.as_nanos()).unwrap_or(i64::MAX),
            min_bytes: min_bytes as u64,
        }
    }
}

/// `AS4134` or `4134`.
fn system(text: &str) -> Result<u32, String> {
    let number = text.get(..2).filter(|letters| letters.eq_ignore_ascii_case("as"));
    let number = number.map_or(text, |_| &text[2..]);
    number.parse().map_err(|_| "must be the number of an AS, such as AS4134".to_owned())
}

/// A number in a given time, or no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit(pub Option<(u32, Duration)>);

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        let wanted = || "must be none, or a number and a time such as 20/10m".to_owned();
        let (count, per) = text.split_once('/').ok_or_else(wanted)?;
        let count = count.trim().parse().ok().filter(|count| *count > 0).ok_or_else(wanted)?;
        Ok(Self(Some((count, duration(per.trim())?))))
    }
}

/// A lower bound, or none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowerBound(pub Option<f64>);

fn method(text: &str) -> Result<Method, String> {
    text.trim().parse::<Method>().map_err(|error| error.to_string())
}

fn lower_bound(text: &str) -> Result<LowerBound, String> {
    /// The Go tool's spelling of "none": its smallest positive number.
    const GO_NONE: f64 = 5e-324;
    if text.eq_ignore_ascii_case("na") {
        return Ok(LowerBound(None));
    }
    let number: f64 = text.parse().map_err(|_| "must be a number or NA".to_owned())?;
    Ok(LowerBound((number != GO_NONE).then_some(number)))
}

/// Checks a label. Its name must be a valid Prometheus label, so that every receiver accepts it.
fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not NAME=VALUE")?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(is_word) {
        return Err("a name must consist of letters, digits and underscores, and must not begin with a digit".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}
