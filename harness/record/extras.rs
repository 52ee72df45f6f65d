//! The fields of a packet that are told on request.

use crate::model::case::ShowField;
use crate::model::packet::{PacketBody, SeenOption, TcpSegment};
use crate::model::wire::{End, address};
use crate::model::{Family, Packet, Show};
use crate::wire::echo::{Echo, Echoes};
use crate::wire::relative::{Relative, Told, distance};
use std::net::SocketAddr;

/// What a case asks for, and what is known of the packets so far.
pub(super) struct Extras<'a> {
    show: &'a Show,
    echoes: Echoes,
}

impl<'a> Extras<'a> {
    pub(super) fn new(show: &'a Show) -> Extras<'a> {
        Extras { show, echoes: Echoes::default() }
    }

    /// The fields of the next packet, in the order of the notation; `relative` knows it already,
    /// and `told` is what is told of a scripted one. A zero window is always shown, so it is not
    /// among them.
    pub(super) fn of(
        &mut self,
        packet: &Packet,
        told: Option<Told>,
        relative: &Relative,
    ) -> Vec<String> {
        let wants = |field| self.show.fields.contains(&field);
        let mut extras = Vec::new();
        if let PacketBody::Tcp(tcp) = &packet.body {
            if wants(ShowField::Window) && tcp.window != 0 {
                extras.push(format!("win {}", tcp.window));
            }
            if wants(ShowField::Options) {
                extras.extend(options(packet, tcp, told, relative, &mut self.echoes));
            }
        }
        if let Some(ttl) = packet.ttl.filter(|_| wants(ShowField::Ttl)) {
            extras.push(format!("ttl {ttl}"));
        }
        if let Some(tos) = packet.tos.filter(|_| wants(ShowField::Tos)) {
            extras.push(format!("tos {tos}{}", ecn(tos)));
        }
        if wants(ShowField::Df) && packet.dont_fragment == Some(true) {
            extras.push("df".to_owned());
        }
        extras
    }
}

/// What the last two bits say of congestion (RFC 3168 §5), in tcpdump's words.
fn ecn(tos: u8) -> &'static str {
    match tos & 3 {
        0 => "",
        1 => " ECT(1)",
        2 => " ECT(0)",
        _ => " CE",
    }
}

/// `options [nop,nop,sack 11-21]`: numbers count as those of the segment do.
fn options(
    packet: &Packet,
    tcp: &TcpSegment,
    told: Option<Told>,
    relative: &Relative,
    echoes: &mut Echoes,
) -> Option<String> {
    let from = SocketAddr::new(packet.source, tcp.source_port);
    let to = SocketAddr::new(packet.destination, tcp.destination_port);
    let echo = echoes.see(from, to, tcp);
    let number = |number: u32| match told {
        None => relative.acknowledged(from, to, number),
        Some(Told { sack_base, .. }) => {
            sack_base.map_or(i64::from(number), |base| distance(base, number))
        }
    };
    let told = tcp.options.iter().map(|option| match option {
        SeenOption::Word(word) => word.clone(),
        SeenOption::Sack(blocks) => {
            let blocks = blocks.iter().map(|(start, end)| (number(*start), number(*end)));
            blocks.fold("sack".to_owned(), |text, (start, end)| format!("{text} {start}-{end}"))
        }
        SeenOption::Timestamps { .. } => match echo {
            Echo::Zero => "TS ecr 0".to_owned(),
            Echo::Theirs(value) if is_peer(to) => format!("TS ecr {value}"),
            Echo::None | Echo::Theirs(_) => "TS".to_owned(),
            Echo::Other => "TS ecr other".to_owned(),
        },
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("options [{}]", told.join(",")))
}

/// A peer's clock says what the case has written.
fn is_peer(end: SocketAddr) -> bool {
    let family = if end.is_ipv4() { Family::V4 } else { Family::V6 };
    end.ip() == address(End::Peer, family)
}
