//! Options about the names and places of addresses. Owns their spelling and documentation.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use crate::attribute::directory::Settings;
use crate::attribute::geo::GeoChoice;
use crate::attribute::names;

/// Options about country, AS and names of addresses.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Addresses")]
pub struct PlaceArgs {
    /// Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP,
    /// /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`:
    /// only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP
    /// reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere.
    #[arg(long, value_name = "FILE|auto|built-in|off", value_delimiter = ',')]
    pub geo: Vec<String>,
    /// Files with names of addresses, comma separated or repeated: an address and its name on each line, as
    /// in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads
    /// them.
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub names: Vec<PathBuf>,
    /// Learn names from DNS answers seen on the wire: an address gets the name that was asked for.
    /// A name is valid until an hour after its answer has expired.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = true, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub passive_dns: bool,
    /// Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the
    /// resolver which addresses this host talks to. The agent never waits for an answer.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub resolve: bool,
}

impl PlaceArgs {
    /// The settings of a live agent.
    pub fn live(&self) -> Settings {
        self.settings(GeoChoice::Auto, true)
    }

    /// The settings of a replay, whose output is the same everywhere.
    pub fn replay(&self) -> Settings {
        self.settings(GeoChoice::BuiltIn, false)
    }

    fn settings(&self, default: GeoChoice, reads_hosts: bool) -> Settings {
        let geo = match self.geo.as_slice() {
            [] => default,
            [word] => match word.as_str() {
                "auto" => GeoChoice::Auto,
                "built-in" => GeoChoice::BuiltIn,
                "off" => GeoChoice::Off,
                file => GeoChoice::Files(vec![PathBuf::from(file)]),
            },
            files => GeoChoice::Files(files.iter().map(PathBuf::from).collect()),
        };
        let (files, learns) = (self.names.clone(), self.passive_dns);
        let names = names::Settings { files, reads_hosts, learns };
        Settings { geo, names, resolves: self.resolve }
    }
}

/// Options of `geo`.
#[derive(Debug, Args)]
pub struct GeoArgs {
    /// Addresses. Without any, the sources of the data are printed with their dates.
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<std::net::IpAddr>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub places: PlaceArgs,
}
