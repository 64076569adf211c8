//! Wherefore's kernel programs. The whole policy is here: read the frame, count it, let it pass.
//!
//! Every program returns "next" (TC_ACT_UNSPEC, which is TCX_NEXT) or XDP_PASS, so that others on
//! the same hook still run; none changes a packet.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
#![allow(missing_docs, reason = "entry points are named by their hook and direction")]
#![allow(unreachable_pub, reason = "the linker needs the entry points' symbols")]

mod account;
mod evidence;
mod filter;
mod maps;
mod packet;
mod table;

use core::mem::MaybeUninit;

use aya_ebpf::bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};
use wherefore_common::Direction::{self, Egress, Ingress};
use wherefore_common::{FlowKey, Frame, Reason, link};

use account::{Parsed, Sighting, account};
use maps::Scratch;
use packet::{Copied, LoadBytes};

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
    tc::<LAYER_3>(&ctx, Ingress)
}

#[classifier]
pub fn flow_tc_egress_l3(ctx: TcContext) -> i32 {
    tc::<LAYER_3>(&ctx, Egress)
}

/// Multi-buffer frames too (Linux 5.18).
#[xdp(frags)]
pub fn flow_xdp_frags(ctx: XdpContext) -> u32 {
    let len = packet::xdp_len(&ctx);
    let sighting = packet::xdp_sighting(&ctx, len);
    let mut key = MaybeUninit::uninit();
    let key = packet::clear_key(&mut key, &sighting);
    let frame = packet::xdp_linear(&ctx, len);
    let mut parsed = parse::<ETHERNET>(&frame, key);
    if frame.ran_short() {
        parsed = parse_copied::<_, ETHERNET>(&ctx, &sighting, key);
    }
    if account(key, parsed, &sighting) {
        evidence::keep(&ctx, &sighting, 0, ETHERNET);
    }
    XDP_PASS
}

/// For kernels before 5.18: frames lie in one buffer, and no helper copies them as evidence.
#[xdp]
pub fn flow_xdp(ctx: XdpContext) -> u32 {
    let len = ctx.data_end() - ctx.data();
    let sighting = packet::xdp_sighting(&ctx, len);
    let mut key = MaybeUninit::uninit();
    let key = packet::clear_key(&mut key, &sighting);
    let parsed = parse::<ETHERNET>(&packet::xdp_linear(&ctx, len), key);
    account(key, parsed, &sighting);
    XDP_PASS
}

const ETHERNET: bool = false;
const LAYER_3: bool = true;

/// Parses what lies in the linear part; only where that ran short, reads through the helper.
#[inline(always)]
fn tc<const IS_LAYER_3: bool>(ctx: &TcContext, direction: Direction) -> i32 {
    let sighting = packet::skb_sighting(ctx, direction);
    let mut key = MaybeUninit::uninit();
    let key = packet::clear_key(&mut key, &sighting);
    let frame = packet::skb_linear(ctx);
    let mut parsed = parse::<IS_LAYER_3>(&frame, key);
    if frame.ran_short() {
        parsed = parse_copied::<_, IS_LAYER_3>(ctx, &sighting, key);
    }
    if account(key, parsed, &sighting) {
        evidence::keep(ctx, &sighting, evidence::skb_tag(ctx), IS_LAYER_3);
    }
    TC_ACT_UNSPEC
}

#[inline(always)]
fn parse_copied<C: LoadBytes, const IS_LAYER_3: bool>(
    ctx: &C,
    sighting: &Sighting,
    key: &mut FlowKey,
) -> Parsed {
    let Some(scratch) = packet::scratch() else { return Parsed::skipped(Reason::NonIp) };
    // Wherever the first attempt ended: from here on the verifier sees one state.
    packet::reset_key(key, sighting);
    let skip = parse_in_scratch::<C, IS_LAYER_3>(ctx, scratch, key);
    Parsed::from_number(skip, scratch.extent)
}

/// A function of its own, so that its stack and instructions do not burden the common path; returns
/// [`Parsed::number`].
#[inline(never)]
fn parse_in_scratch<C: LoadBytes, const IS_LAYER_3: bool>(
    ctx: &C,
    scratch: &mut Scratch,
    key: &mut FlowKey,
) -> u32 {
    let parsed = parse::<IS_LAYER_3>(&Copied::new(ctx, &mut scratch.octets), key);
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
