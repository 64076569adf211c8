//! Programs on interfaces: which hook, in which order to try, and how to get off again. Owns links
//! and filters; never disturbs those of others.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use anyhow::{Context, Result, bail};
use aya::programs::tc::{self, NlOptions, SchedClassifierLinkId, TcAttachOptions, TcAttachType};
use aya::programs::xdp::{XdpLinkId, XdpMode};
use aya::programs::{LinkOrder, Program, ProgramError, SchedClassifier, Xdp};
use wherefore_common::Direction;
use wherefore_common::abi::program;

use super::loader::{Loaded, kernel_is_at_least};
use crate::cli::Attach;
use crate::source::interfaces::{Framing, Interface};

/// Everything that is attached.
pub(super) struct Attachments {
    wish: Attach,
    /// By interface number.
    links: Vec<(u32, Link)>,
    hooks: Vec<&'static str>,
    /// Held as long as our filters are on a clsact qdisc, see [`ClsactClaim`].
    claims: Vec<ClsactClaim>,
}

/// Which program, and so which hook.
enum Choice {
    Tc(&'static str),
    Xdp(&'static str),
}

enum Link {
    Tc(&'static str, SchedClassifierLinkId),
    Xdp(&'static str, XdpLinkId),
}

impl Attachments {
    pub(super) fn new(wish: Attach) -> Self {
        Self { wish, links: Vec::new(), hooks: Vec::new(), claims: Vec::new() }
    }

    /// Loads every program that an interface may need, now or later: the kernel takes a while to
    /// verify them, and wants privileges for it that are given up soon.
    ///
    /// # Errors
    /// Where the kernel refuses one.
    pub(super) fn load_all(&self, loaded: &mut Loaded) -> Result<()> {
        let ingress = |framing| tc_program(framing, Direction::Ingress);
        let egress = |framing| tc_program(framing, Direction::Egress);
        let framings = [Framing::Ethernet, Framing::Layer3];
        let mut names = framings.map(egress).to_vec();
        if self.is_xdp() {
            names.push(xdp_program());
        } else {
            names.extend(framings.map(ingress));
        }
        // Side by side: the verifier takes most of a start, and one processor for each program.
        std::thread::scope(|scope| {
            let programs = loaded.programs().filter(|(name, _)| names.contains(name));
            let loads: Vec<_> =
                programs.map(|(name, program)| scope.spawn(move || load(name, program))).collect();
            loads.into_iter().try_for_each(|load| {
                load.join().unwrap_or_else(|_| bail!("loading a program broke off"))
            })
        })
    }

    fn is_xdp(&self) -> bool {
        matches!(self.wish, Attach::Xdp | Attach::XdpGeneric)
    }

    /// Checks that there are programs for an interface, and loads those that are not yet.
    ///
    /// # Errors
    /// Where the kernel refuses them, or no program fits the interface.
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
    /// Where the hook is not to be had, with the reason.
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

    /// The hooks in use, for people.
    pub(super) fn describe(&self) -> String {
        if self.hooks.is_empty() { "no hook yet".to_owned() } else { self.hooks.join(" and ") }
    }

    /// Whether attaching later and detaching need CAP_NET_ADMIN: for netlink they do; links are
    /// made of a program's descriptor, and vanish with their own.
    pub(super) fn need_net_admin(&self) -> bool {
        !matches!(self.wish, Attach::Auto | Attach::Tcx) || !has_tcx()
    }

    /// Takes everything off. What can't be taken off is said.
    pub(super) fn detach(&mut self, loaded: &mut Loaded) {
        for (_, link) in self.links.drain(..) {
            if let Err(error) = detach_one(loaded, link) {
                tracing::warn!(error = format!("{error:#}"), "cannot detach a program");
            }
        }
        self.claims.clear();
    }

    /// Takes everything off one interface, which may be gone with all that was on it.
    pub(super) fn forget(&mut self, loaded: &mut Loaded, ifindex: u32) {
        for (_, link) in self.links.extract_if(.., |(of, _)| *of == ifindex) {
            if let Err(error) = detach_one(loaded, link) {
                tracing::debug!(error = format!("{error:#}"), ifindex, "nothing to detach");
            }
        }
        self.claims.retain(|claim| claim.ifindex != ifindex);
    }

    fn keep(&mut self, interface: &Interface, link: Link, hook: &'static str) {
        self.links.push((interface.index, link));
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
        let classifier = classifier(loaded, name)?;
        let at = match direction {
            Direction::Egress => TcAttachType::Egress,
            Direction::Ingress | Direction::Unknown => TcAttachType::Ingress,
        };
        let takes_clsact = self.wish == Attach::Clsact || (self.wish != Attach::Tcx && !has_tcx());
        let (link, hook) = if takes_clsact {
            self.claims.extend(claim_clsact(interface, &self.claims)?);
            (attach_clsact(classifier, &interface.name, at)?, "clsact")
        } else {
            let options = TcAttachOptions::TcxOrder(LinkOrder::default());
            let attached = classifier.attach_with_options(&interface.name, at, options);
            (attached.context("cannot attach to TCX (Linux 6.6; try --attach clsact)")?, "tcx")
        };
        self.keep(interface, Link::Tc(name, link), hook);
        Ok(())
    }

    fn attach_xdp(
        &mut self,
        loaded: &mut Loaded,
        interface: &Interface,
        name: &'static str,
    ) -> Result<()> {
        let (mode, hook) = match self.wish {
            Attach::Xdp => (XdpMode::Driver, "xdp"),
            _ => (XdpMode::Skb, "xdp-generic"),
        };
        let attached = xdp(loaded, name)?.attach(&interface.name, mode);
        let link = attached.with_context(|| {
            format!(
                "cannot attach XDP in this mode: the device may not support it, or another \
                 program is there (see `ip link show {}`); try --attach tcx",
                interface.name
            )
        })?;
        self.keep(interface, Link::Xdp(name, link), hook);
        Ok(())
    }
}

fn detach_one(loaded: &mut Loaded, link: Link) -> Result<()> {
    match link {
        Link::Tc(name, link) => classifier(loaded, name)?.detach(link)?,
        Link::Xdp(name, link) => xdp(loaded, name)?.detach(link)?,
    }
    Ok(())
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

/// A signal interrupts the verifier, which is no verdict (EAGAIN of bpf(2)); libbpf tries five times.
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

/// Loads a program that is not yet.
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

fn attach_clsact(
    classifier: &mut SchedClassifier,
    interface: &str,
    at: TcAttachType,
) -> Result<SchedClassifierLinkId> {
    let options = TcAttachOptions::Netlink(NlOptions::default());
    classifier
        .attach_with_options(interface, at, options)
        .context("cannot attach to the clsact qdisc")
}

/// The right to put our filters on an interface's clsact qdisc. Filters outlive the process that
/// was killed, and ours all bear one name: only one agent may use them on an interface, and it
/// alone may take old ones off. An abstract socket is a lock that the kernel gives back in any
/// case, and is seen by just those who see the interface.
struct ClsactClaim {
    ifindex: u32,
    _lock: UnixListener,
}

/// Claims the interface, unless it is claimed, and takes off what a killed agent left.
fn claim_clsact(interface: &Interface, claims: &[ClsactClaim]) -> Result<Option<ClsactClaim>> {
    if claims.iter().any(|claim| claim.ifindex == interface.index) {
        return Ok(None);
    }
    let name = format!("wherefore/clsact/{}", interface.index);
    let address = SocketAddr::from_abstract_name(name)?;
    let Ok(lock) = UnixListener::bind_addr(&address) else {
        bail!(
            "another wherefore counts on {} by clsact; stop it, or use --attach tcx (Linux 6.6), \
             where several can",
            interface.name
        );
    };
    // It is an error if the qdisc is there, which is what is wanted.
    if let Err(error) = tc::qdisc_add_clsact(&interface.name) {
        tracing::debug!(%error, interface = interface.name, "clsact was not added");
    }
    remove_stale_filters(&interface.name);
    Ok(Some(ClsactClaim { ifindex: interface.index, _lock: lock }))
}

fn remove_stale_filters(interface: &str) {
    let ours = [
        (TcAttachType::Ingress, program::TC_INGRESS),
        (TcAttachType::Egress, program::TC_EGRESS),
        (TcAttachType::Ingress, program::TC_INGRESS_L3),
        (TcAttachType::Egress, program::TC_EGRESS_L3),
    ];
    for (at, name) in ours {
        match tc::qdisc_detach_program(interface, at, name) {
            Ok(()) => tracing::info!(interface, name, "removed a filter that a killed agent left"),
            // The usual case: there is none.
            Err(error) => tracing::trace!(%error, interface, name, "no stale filter"),
        }
    }
}
