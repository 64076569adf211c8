//! The options of attribution. Owns names and defaults.

use clap::builder::{BoolishValueParser, PossibleValue};
use clap::{ArgAction, Args, ValueEnum};

use super::UsageError;
use crate::attribute::{Mode, Settings};
use crate::input::Daq;

/// Options of attribution: how owners are found, and how much about them is shown.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Attribution")]
pub struct AttributionArgs {
    /// How the process behind each flow is found. `kernel`: by the socket of each packet, exactly, even if
    /// the process has ended (eBPF). `proc`: by the sockets and open files at the end of each interval;
    /// sockets that were closed earlier have no owner. `auto`: `kernel` if it works, otherwise `proc`. `off`:
    /// not at all. If `kernel` is asked for and impossible, the agent does not start.
    #[arg(long, value_enum, default_value_t)]
    pub attribution: Mode,
    /// Show the command lines of processes. They may contain secrets.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub show_arguments: bool,
    /// Hide names, PIDs and programs of processes: show only users, units, containers and pods.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub hide_processes: bool,
}

impl AttributionArgs {
    /// Refuses the kernel's records of sockets where the kernel does not count.
    ///
    /// # Errors
    /// If they are asked for.
    pub fn refuse_without_kernel(&self, daq: Daq) -> anyhow::Result<()> {
        if self.attribution == Mode::Kernel && daq == Daq::Libpcap {
            anyhow::bail!(UsageError(
                "--attribution kernel needs --daq ebpf: libpcap does not know the sockets of packets; \
                 use --attribution auto or proc"
                    .to_owned()
            ));
        }
        Ok(())
    }

    /// The settings of the layer below.
    pub fn settings(&self) -> Settings {
        let Self { attribution, show_arguments, hide_processes } = *self;
        Settings {
            mode: attribution,
            shows_arguments: show_arguments,
            hides_processes: hide_processes,
        }
    }
}

impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Kernel, Self::Proc, Self::Off]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Auto => "auto",
            Self::Kernel => "kernel",
            Self::Proc => "proc",
            Self::Off => "off",
        }))
    }
}
