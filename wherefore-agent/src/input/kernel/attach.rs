//! Attaches programs to interfaces: the hook, the order, whether they are still attached, and detaching. Owns
//! our links and filters; never disturbs those of other programs.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use aya::programs::links::Link;
use aya::programs::tc::{SchedClassifierLink, TcAttachOptions};
use aya::programs::xdp::{XdpLink, XdpMode};
use aya::programs::{
    LinkOrder, MultiProgLink, Program, ProgramError, SchedClassifier, Xdp, loaded_programs,
};
use wherefore_common::Direction;
use wherefore_common::abi::program;

use super::clsact::{self, Claim, Qdisc};
use super::loader::Loaded;
use super::query;
use super::tc::{self, Slot};
use super::version::kernel_is_at_least;
use crate::input::interfaces::{Framing, Interface};
use crate::input::settings::{Attach, AttachOrder};

/// Everything that is attached.
pub(super) struct Attachments {
    wish: Attach,
    pub(super) order: AttachOrder,
    pub(super) placed: Vec<Placed>,
    hooks: Vec<&'static str>,
    /// Held as long as our filters are on a clsact qdisc; see [`Claim`].
    claims: Vec<Claim>,
    /// The names of the programs that are present at startup. Later, the kernel does not reveal names to us.
    pub(super) names: BTreeMap<u32, String>,
}

/// Which program is used, and so which hook.
enum Choice {
    Tc(&'static str),
    Xdp(&'static str),
}

/// One of our programs, and where it was attached.
pub(super) struct Placed {
    pub(super) ifindex: u32,
    pub(super) direction: Direction,
    /// The program's number.
    pub(super) program: u32,
    pub(super) place: Place,
}

pub(super) enum Place {
    Tcx(SchedClassifierLink),
    Clsact(SchedClassifierLink, Slot),
    Xdp(XdpLink),
}

impl Attachments {
    pub(super) fn new(wish: Attach, order: AttachOrder) -> Self {
        let programs = loaded_programs().filter_map(Result::ok);
        let name = |program: aya::programs::ProgramInfo| {
            program.name_as_str().map(|name| (program.id(), name.to_owned()))
        };
        Self {
            wish,
            order,
            placed: Vec::new(),
            hooks: Vec::new(),
            claims: Vec::new(),
            names: programs.filter_map(name).collect(),
        }
    }

    /// Loads every program that an interface may need, now or later: the kernel takes a while to verify them,
    /// and requires privileges that are dropped soon.
    ///
    /// # Errors
    /// If the kernel refuses one.
    pub(super) fn load_all(&self, loaded: &mut Loaded, in_turn: bool) -> Result<()> {
        let ingress = |framing| tc_program(framing, Direction::Ingress);
        let egress = |framing| tc_program(framing, Direction::Egress);
        let framings = [Framing::Ethernet, Framing::Layer3];
        let mut names = framings.map(egress).to_vec();
        if self.is_xdp() {
            names.push(xdp_program());
        } else {
            names.extend(framings.map(ingress));
        }
        if in_turn {
            let mut programs = loaded.programs().filter(|(name, _)| names.contains(name));
            return programs.try_for_each(|(name, program)| load(name, program));
        }
        // In parallel, with a thread for each program: the verifier takes most of the startup time.
        std::thread::scope(|scope| {
            let programs = loaded.programs().filter(|(name, _)| names.contains(name));
            let loads: Vec<_> =
                programs.map(|(name, program)| scope.spawn(move || load(name, program))).collect();
            loads.into_iter().try_for_each(|load| {
                load.join().unwrap_or_else(|_| bail!("the thread that loads a program has failed"))
            })
        })
    }

    /// Whether received packets are counted by XDP.
    pub(super) fn is_xdp(&self) -> bool {
        matches!(self.wish, Attach::Xdp | Attach::XdpGeneric)
    }

    /// Checks that there are programs for an interface, and loads those that are not loaded yet.
    ///
    /// # Errors
    /// If the kernel refuses them, or no program fits the interface.
    pub(super) fn prepare(
        &mut self,
        loaded: &mut Loaded,
        interface: &Interface,
        directions: &[Direction],
    ) -> Result<()> {
        for direction in directions {
            match self.program(interface, *direction)? {
                Choice::Xdp(name) => xdp(loaded, name).map(|_| ()),
                Choice::Tc(name) => classifier(loaded, name).map(|_| ()),
            }?;
        }
        Ok(())
    }

    /// Attaches to these directions of an interface.
    ///
    /// # Errors
    /// If the hook cannot be used, with the reason.
    pub(super) fn attach(
        &mut self,
        loaded: &mut Loaded,
        interface: &Interface,
        directions: &[Direction],
    ) -> Result<()> {
        for direction in directions {
            match self.program(interface, *direction)? {
                Choice::Xdp(name) => self.attach_xdp(loaded, interface, name),
                Choice::Tc(name) => self.attach_tc(loaded, interface, name, *direction),
            }?;
        }
        Ok(())
    }

    fn program(&self, interface: &Interface, direction: Direction) -> Result<Choice> {
        let Some(framing) = interface.framing else {
            bail!("its frames begin with neither Ethernet nor IP; try --daq libpcap");
        };
        if !self.is_xdp() || direction == Direction::Egress {
            return Ok(Choice::Tc(tc_program(framing, direction)));
        }
        if framing != Framing::Ethernet {
            bail!("XDP is for Ethernet devices: use --attach tcx or clsact");
        }
        Ok(Choice::Xdp(xdp_program()))
    }

    /// Whether there are programs for this interface.
    pub(super) fn can_be_on(&self, interface: &Interface) -> bool {
        self.program(interface, Direction::Ingress).is_ok()
    }

    /// The hooks in use, as text.
    pub(super) fn describe(&self) -> String {
        if self.hooks.is_empty() { "no hook yet".to_owned() } else { self.hooks.join(" and ") }
    }

    /// Whether attaching later and detaching need CAP_NET_ADMIN: netlink does. Links do not: they are made
    /// with a program's descriptor, and disappear with their own.
    pub(super) fn need_net_admin(&self) -> bool {
        !matches!(self.wish, Attach::Auto | Attach::Tcx) || !has_tcx()
    }

    /// Detaches everything, and logs what cannot be detached.
    pub(super) fn detach(&mut self) {
        for placed in self.placed.drain(..) {
            if let Err(error) = placed.take_off() {
                tracing::warn!(error = format!("{error:#}"), "cannot detach a program");
            }
        }
        self.claims.clear();
    }

    /// Detaches everything from one interface, which may no longer exist.
    pub(super) fn forget(&mut self, ifindex: u32) {
        for placed in self.placed.extract_if(.., |placed| placed.ifindex == ifindex) {
            if let Err(error) = placed.take_off() {
                tracing::debug!(error = format!("{error:#}"), ifindex, "nothing to detach");
            }
        }
        self.claims.retain(|claim| claim.ifindex != ifindex);
    }

    fn keep(&mut self, placed: Placed) {
        let hook = match (&placed.place, self.wish) {
            (Place::Tcx(_), _) => "tcx",
            (Place::Clsact(..), _) => "clsact",
            (Place::Xdp(_), Attach::Xdp) => "xdp",
            (Place::Xdp(_), _) => "xdp-generic",
        };
        self.placed.push(placed);
        if !self.hooks.contains(&hook) {
            self.hooks.push(hook);
        }
    }

    fn attach_tc(
        &mut self,
        loaded: &mut Loaded,
        interface: &Interface,
        name: &'static str,
        direction: Direction,
    ) -> Result<()> {
        let takes_clsact = self.wish == Attach::Clsact || (self.wish != Attach::Tcx && !has_tcx());
        let takes_clsact = takes_clsact && self.claim_clsact(interface, direction)?;
        if !takes_clsact {
            clsact::clean_up(interface);
        }
        let classifier = classifier(loaded, name)?;
        let program = classifier.info()?.id();
        let place = if takes_clsact {
            let (link, slot) = clsact::attach(classifier, interface, direction, self.order)?;
            Place::Clsact(link, slot)
        } else {
            Place::Tcx(attach_tcx(classifier, interface, direction, self.order)?)
        };
        self.keep(Placed { ifindex: interface.index, direction, program, place });
        Ok(())
    }

    /// Makes sure that the interface has a clsact qdisc that we can use; returns false if it has an `ingress`
    /// qdisc instead, but TCX can count sent packets.
    fn claim_clsact(&mut self, interface: &Interface, direction: Direction) -> Result<bool> {
        if !self.claims.iter().any(|claim| claim.ifindex == interface.index) {
            self.claims.push(Claim::on(interface)?);
        }
        if clsact::ensure_qdisc(interface)? == Qdisc::Clsact || direction != Direction::Egress {
            return Ok(true);
        }
        let name = &interface.name;
        if !has_tcx() {
            bail!(
                "the `ingress` qdisc on {name} has no filters for what is sent, and a clsact qdisc \
                 can't be added beside it; replace it: tc qdisc del dev {name} ingress; tc qdisc add \
                 dev {name} clsact; and add its filters again"
            );
        }
        tracing::info!(
            interface = name,
            "an ingress qdisc occupies the place of clsact: sent packets are counted by TCX"
        );
        Ok(false)
    }

    fn attach_xdp(
        &mut self,
        loaded: &mut Loaded,
        interface: &Interface,
        name: &'static str,
    ) -> Result<()> {
        let mode = if self.wish == Attach::Xdp { XdpMode::Driver } else { XdpMode::Skb };
        let xdp = xdp(loaded, name)?;
        let attached = xdp.attach_to_if_index(interface.index, mode).with_context(|| {
            format!(
                "cannot attach XDP in this mode: the device may not support it, or another \
                 program is there (see `ip link show {}`); try --attach tcx",
                interface.name
            )
        })?;
        let (program, link) = (xdp.info()?.id(), xdp.take_link(attached)?);
        let (ifindex, place) = (interface.index, Place::Xdp(link));
        self.keep(Placed { ifindex, direction: Direction::Ingress, program, place });
        Ok(())
    }
}

fn attach_tcx(
    classifier: &mut SchedClassifier,
    interface: &Interface,
    direction: Direction,
    order: AttachOrder,
) -> Result<SchedClassifierLink> {
    let order = match order {
        AttachOrder::First => LinkOrder::first(),
        AttachOrder::Last => LinkOrder::last(),
    };
    let (at, options) = (clsact::attach_type(direction), TcAttachOptions::TcxOrder(order));
    let attached = classifier.attach_with_options(&interface.name, at, options);
    let id = attached.context("cannot attach to TCX (Linux 6.6; try --attach clsact)")?;
    Ok(classifier.take_link(id)?)
}

impl Placed {
    /// What happened to the program; `None` if it is in place, or if the kernel does not report it.
    pub(super) fn loss(&self) -> Result<Option<String>> {
        Ok(match &self.place {
            Place::Tcx(link) => self.tcx_loss(&query::tcx_link(link.fd()?)?),
            Place::Clsact(_, slot) => self.filter_loss(*slot)?,
            Place::Xdp(_) => match tc::xdp_programs(self.ifindex)?[..] {
                ref programs if programs.contains(&self.program) => None,
                [other, ..] => Some(format!("XDP program {other} replaced ours")),
                [] => Some("our XDP program was detached".to_owned()),
            },
        })
    }

    fn tcx_loss(&self, link: &query::TcxLink) -> Option<String> {
        if link.ifindex != self.ifindex {
            return Some("our TCX link was detached".to_owned());
        }
        let other = Some(link.program).filter(|program| *program != self.program);
        other.map(|program| format!("program {program} replaced ours in its TCX link"))
    }

    fn filter_loss(&self, slot: Slot) -> Result<Option<String>> {
        Ok(match tc::filter(self.ifindex, self.direction, slot)? {
            Some(filter) if filter.program == Some(self.program) => None,
            Some(other) => Some(format!("our filter was replaced: {other}")),
            None if tc::hook_qdisc(self.ifindex)?.is_none() => {
                Some("the qdisc of our filters was deleted".to_owned())
            }
            None => Some("our filter was deleted".to_owned()),
        })
    }

    /// Detaches the program, unless this has already happened. A program that replaced it stays.
    pub(super) fn take_off(self) -> Result<()> {
        let is_lost = matches!(self.loss(), Ok(Some(_)));
        match self.place {
            Place::Tcx(link) => link.detach()?,
            // Detaching would delete the filter that is there now.
            Place::Clsact(link, _) if is_lost => std::mem::forget(link),
            Place::Clsact(link, _) => link.detach()?,
            Place::Xdp(link) => link.detach()?,
        }
        Ok(())
    }
}

/// TCX came with Linux 6.6.
fn has_tcx() -> bool {
    kernel_is_at_least(6, 6)
}

/// Multi-buffer programs came with Linux 5.18.
fn xdp_program() -> &'static str {
    if kernel_is_at_least(5, 18) { program::XDP_FRAGS } else { program::XDP }
}

fn tc_program(framing: Framing, direction: Direction) -> &'static str {
    match (framing, direction) {
        (Framing::Ethernet, Direction::Egress) => program::TC_EGRESS,
        (Framing::Ethernet, _) => program::TC_INGRESS,
        (Framing::Layer3, Direction::Egress) => program::TC_EGRESS_L3,
        (Framing::Layer3, _) => program::TC_INGRESS_L3,
    }
}

/// Retries when a signal interrupts the verifier, which is no verdict (EAGAIN of bpf(2)). libbpf tries five
/// times.
fn despite_signals(mut load: impl FnMut() -> Result<(), ProgramError>) -> Result<(), ProgramError> {
    const ATTEMPTS: u32 = 10;
    let mut attempt = 1;
    loop {
        match load() {
            Err(ProgramError::LoadError { io_error, .. })
                if io_error.raw_os_error() == Some(libc::EAGAIN) && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// Loads a program that is not loaded yet.
fn load(name: &str, program: &mut Program) -> Result<()> {
    if program.fd().is_ok() {
        return Ok(());
    }
    despite_signals(|| match program {
        Program::SchedClassifier(classifier) => classifier.load(),
        Program::Xdp(xdp) => xdp.load(),
        _ => Err(ProgramError::UnexpectedProgramType),
    })
    .with_context(|| format!("the kernel refuses program {name}"))
}

/// The program, loaded.
fn classifier<'a>(loaded: &'a mut Loaded, name: &str) -> Result<&'a mut SchedClassifier> {
    let program = loaded.program(name)?;
    load(name, program)?;
    let Program::SchedClassifier(classifier) = program else {
        bail!("program {name} of the eBPF object is not for TC");
    };
    Ok(classifier)
}

/// The program, loaded.
fn xdp<'a>(loaded: &'a mut Loaded, name: &str) -> Result<&'a mut Xdp> {
    let program = loaded.program(name)?;
    load(name, program)?;
    let Program::Xdp(xdp) = program else {
        bail!("program {name} of the eBPF object is not for XDP");
    };
    Ok(xdp)
}
