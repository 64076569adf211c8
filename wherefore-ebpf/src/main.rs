//! Wherefore's kernel programs. The whole policy is here: read the frame, count it, let it pass.
//!
//! Every program returns "next" (TC_ACT_UNSPEC, which is TCX_NEXT) or XDP_PASS, so that other programs on the
//! same hook still run; none changes a packet.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, stmt_expr_attributes)]
#![allow(missing_docs, reason = "entry points are named by their hook and direction")]
#![allow(unreachable_pub, reason = "the linker needs the entry points' symbols")]

mod account;
mod address;
mod dns;
mod evidence;
mod filter;
mod maps;
mod name;
mod owner;
mod packet;
mod remainder;
mod shared;
mod table;

use core::mem::MaybeUninit;

use aya_ebpf::bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};
use wherefore_common::Direction::{self, Egress, Ingress};
use wherefore_common::plain::{self, Plain};
use wherefore_common::{FlowKey, Frame, Reason, link};

use account::{Flow, Parsed};
use maps::Scratch;
use name::Name;
use packet::{BehindEthernet, Copied, Hook, LinearXdp};

#[classifier]
pub fn flow_tc_ingress(ctx: TcContext) -> i32 {
    tc::<ETHERNET>(&ctx, Ingress)
}

#[classifier]
pub fn flow_tc_egress(ctx: TcContext) -> i32 {
    tc::<ETHERNET>(&ctx, Egress)
}

#[classifier]
pub fn flow_tc_ingress_l3(ctx: TcContext) -> i32 {
    if ctx.is_own_copy() {
        return TC_ACT_UNSPEC;
    }
    match BehindEthernet::of(&ctx) {
        Some(packet) => rare_tc(&packet, Ingress),
        None => tc::<LAYER_3>(&ctx, Ingress),
    }
}

#[classifier]
pub fn flow_tc_egress_l3(ctx: TcContext) -> i32 {
    tc::<LAYER_3>(&ctx, Egress)
}

/// Also for multi-buffer frames (Linux 5.18).
#[xdp(frags)]
pub fn flow_xdp_frags(ctx: XdpContext) -> u32 {
    if account::<_, ETHERNET>(&ctx, Ingress) {
        evidence::keep(&ctx, Ingress, ETHERNET);
    }
    XDP_PASS
}

/// For kernels before 5.18: a frame is in one buffer, and no helper can copy it as evidence.
#[xdp]
pub fn flow_xdp(ctx: XdpContext) -> u32 {
    account::<_, ETHERNET>(&LinearXdp(ctx), Ingress);
    XDP_PASS
}

const ETHERNET: bool = false;
const LAYER_3: bool = true;

#[inline(always)]
fn tc<const IS_LAYER_3: bool>(ctx: &TcContext, direction: Direction) -> i32 {
    if account::<_, IS_LAYER_3>(ctx, direction) {
        evidence::keep(ctx, direction, IS_LAYER_3);
    }
    TC_ACT_UNSPEC
}

/// The same as [`tc`], for frames without a fast path of their own.
#[inline(always)]
fn rare_tc(hook: &BehindEthernet, direction: Direction) -> i32 {
    let mut flow = MaybeUninit::uninit();
    let parsed = parse_any::<BehindEthernet, LAYER_3>(hook.same(), direction as u32, &mut flow);
    // SAFETY: `parse_any` has written it.
    let flow = unsafe { flow.assume_init_ref() };
    if parsed == Parsed::FLOW {
        dns::keep(hook.same(), &flow.key, 1);
    }
    if account::account(hook.same(), flow, parsed) != 0 {
        evidence::keep(hook, direction, LAYER_3);
    }
    TC_ACT_UNSPEC
}

/// Counts a frame of any kind in its flow, or as uncounted by its reason; returns whether it is
/// watched.
#[inline(always)]
fn account<H: Hook, const IS_LAYER_3: bool>(hook: &H, direction: Direction) -> bool {
    let mut flow = MaybeUninit::uninit();
    let parsed = match count_plain::<H, IS_LAYER_3>(hook, direction, &mut flow) {
        Some(Some(is_watched)) => return is_watched,
        Some(None) => Parsed::FLOW,
        // Not plain, because it lacks a header; neither the device nor libpcap counts it.
        None if direction == Ingress && hook.is_own_copy() => return false,
        None => parse_any::<H, IS_LAYER_3>(hook.same(), direction as u32, &mut flow),
    };
    // SAFETY: both have written it.
    let flow = unsafe { flow.assume_init_ref() };
    if parsed == Parsed::FLOW {
        dns::keep(hook.same(), &flow.key, u32::from(IS_LAYER_3));
    }
    account::account(hook.same(), flow, parsed) != 0
}

/// The fast path: counts a plain packet whose flow has a slot, which is nearly every packet. The registers
/// and instructions of this function are what Wherefore costs. Returns whether the packet is watched. If the
/// flow has no slot, fills its key; `None` if the frame is not a plain packet.
#[inline(always)]
fn count_plain<H: Hook, const IS_LAYER_3: bool>(
    hook: &H,
    direction: Direction,
    flow: &mut MaybeUninit<Flow>,
) -> Option<Option<bool>> {
    let metadata = hook.metadata();
    if metadata.is_gso() {
        return None;
    }
    let ifindex = hook.ifindex();
    let frame = hook.linear(&metadata);
    let count = #[inline(always)]
    |packet: &Plain| {
        let name = Name::of_plain(packet, ifindex, direction);
        let is_answer = dns::is_wanted(packet.ports);
        let frame_len = metadata.frame_len();
        let counted =
            if is_answer { None } else { table::count_at_once(&name, &packet.extent, frame_len) };
        if counted.is_none() {
            flow.write(Flow { key: name.key(), extent: packet.extent });
        }
        counted
    };
    if IS_LAYER_3 { plain::raw(&frame, count) } else { plain::ethernet(&frame, count) }
}

/// Parses any frame; returns [`Parsed::number`]. A separate function, so that its stack and registers do not
/// burden the fast path.
#[inline(never)]
fn parse_any<H: Hook, const IS_LAYER_3: bool>(
    hook: H,
    direction: u32,
    flow: &mut MaybeUninit<Flow>,
) -> u32 {
    let flow = packet::clear_flow(flow, hook.ifindex(), direction);
    // Reads the linear part; only if this is too short, reads through the helper.
    let frame = hook.linear(&hook.metadata());
    let mut parsed = parse::<IS_LAYER_3>(&frame, &mut flow.key);
    if frame.ran_short() {
        parsed = parse_copied::<H, IS_LAYER_3>(hook, flow);
    }
    flow.extent = parsed.extent;
    parsed.number()
}

#[inline(always)]
fn parse_copied<H: Hook, const IS_LAYER_3: bool>(hook: H, flow: &mut Flow) -> Parsed {
    // SAFETY: the linear part is parsed, and a copied frame uses the reference that it is given.
    let scratch = unsafe { packet::scratch() };
    let Some(scratch) = scratch else { return Parsed::skipped(Reason::NonIp) };
    // Whatever the first attempt has written: from here on, the verifier sees one state.
    packet::reset_flow(flow);
    let skip = parse_in_scratch::<H, IS_LAYER_3>(hook, scratch, &mut flow.key);
    Parsed::from_number(skip, scratch.extent)
}

/// A separate function, like [`parse_any`]; returns [`Parsed::number`].
#[inline(never)]
fn parse_in_scratch<H: Hook, const IS_LAYER_3: bool>(
    hook: H,
    scratch: &mut Scratch,
    key: &mut FlowKey,
) -> u32 {
    let parsed = parse::<IS_LAYER_3>(&Copied::new(&hook, &mut scratch.buffer), key);
    scratch.extent = parsed.extent;
    parsed.number()
}

#[inline(always)]
fn parse<const IS_LAYER_3: bool>(frame: &impl Frame, key: &mut FlowKey) -> Parsed {
    Parsed::from(if IS_LAYER_3 {
        link::parse_raw(frame, key)
    } else {
        link::parse_ethernet(frame, key)
    })
}

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
