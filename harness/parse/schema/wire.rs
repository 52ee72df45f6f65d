//! The steps of the wire in the schema.

use super::{
    VARIABLE_NAME, any_of, described, int, list_of, map_of, map_of_verb, object_of, or_variable,
    pairs, reference, words,
};
use crate::model::icmp;
use crate::parse::language::wire::{FORGET, HOST_VERBS, RECV, SENDS, TCP_OPTIONS, USUAL_PEERS};
use crate::parse::language::{Form, Verb};
use crate::parse::packet::usual_form;
use serde_json::{Map, Value, json};

/// Subjects that are no sockets.
pub(super) const NOT_A_SOCKET: &str = "(?!(peer[0-9]*|router|host)\\.)";
/// The definition of a peer's verb that is called like a socket's.
pub(super) fn like_a_socket_s(verb: &str) -> Option<&'static str> {
    let both = [("send", "peer-send"), ("recv", "peer-recv")];
    both.into_iter().find(|(word, _)| *word == verb).map(|(_, definition)| definition)
}

/// The flags that editors propose.
const USUAL_FLAGS: &[&str] = &["S", "S.", ".", "P.", "F.", "R", "R.", "none"];
const PEER: &str = "peer[0-9]*";

/// The objects of all verbs, by the names of their definitions.
pub(super) fn definitions() -> Vec<(String, Value)> {
    let mut definitions = vec![
        ("peer-send".to_owned(), described(sent(), SENDS[0].doc)),
        ("peer-recv".to_owned(), described(object_of(RECV), RECV.doc)),
        ("tcp-flags".to_owned(), flags()),
        ("tcp-options".to_owned(), options()),
    ];
    let host = HOST_VERBS.iter().map(|verb| {
        let object = match verb.name {
            "sysctl" => settings(),
            _ => object_of(verb),
        };
        (format!("host-{}", verb.name), described(object, verb.doc))
    });
    definitions.extend(host);
    definitions
}

/// Steps with an object: those that editors propose, and patterns for all.
pub(super) fn steps(properties: &mut Map<String, Value>, patterns: &mut Map<String, Value>) {
    for peer in USUAL_PEERS {
        properties.insert(format!("{peer}.send"), reference("peer-send"));
    }
    for peer in USUAL_PEERS.iter().filter(|peer| **peer != "router") {
        properties.insert(format!("{peer}.recv"), reference("peer-recv"));
    }
    patterns.insert(format!("^({PEER}|router)\\.send$"), reference("peer-send"));
    patterns.insert(format!("^{PEER}\\.recv$"), reference("peer-recv"));
    for verb in HOST_VERBS {
        let name = verb.name;
        properties.insert(format!("host.{name}"), reference(&format!("host-{name}")));
    }
}

/// Steps without an object: those that editors propose, and a pattern for all.
pub(super) fn bare_steps() -> [Value; 2] {
    let proposed = |verb| json!({ "const": format!("peer.{verb}"), "description": doc_of(verb) });
    [
        any_of(vec![proposed("recv"), proposed("forget")]),
        json!({
            "type": "string",
            "pattern": format!("^({PEER}|{VARIABLE_NAME})\\.(recv|forget)$"),
        }),
    ]
}

fn doc_of(verb: &str) -> &'static str {
    if verb == "forget" { FORGET } else { RECV.doc }
}

fn sent() -> Value {
    let map = |verb: &Verb| described(map_of_verb(verb), verb.doc);
    let mut forms = vec![reference("tcp-flags"), reference("variable")];
    forms.extend(SENDS.iter().map(map));
    any_of(forms)
}

fn flags() -> Value {
    or_variable(any_of(vec![
        words(USUAL_FLAGS.iter().copied()),
        json!({ "type": "string", "pattern": "^[FSRP.UEWe]+$" }),
    ]))
}

fn options() -> Value {
    let usual = words(TCP_OPTIONS.iter().map(|word| usual_form(word)));
    let any = format!("^({})( |$)", TCP_OPTIONS.join("|"));
    or_variable(list_of(any_of(vec![
        usual,
        json!({ "type": "string", "pattern": any }),
        reference("variable"),
    ])))
}

fn settings() -> Value {
    json!({
        "type": "object",
        "patternProperties": {
            "^(net\\.[A-Za-z0-9._-]+|.*\\$.*)$": { "type": ["integer", "string"] },
        },
        "additionalProperties": false,
        "minProperties": 1,
    })
}

/// What may stand after a key of the wire.
pub(super) fn form(form: Form) -> Value {
    let text = || json!({ "type": "string" });
    match form {
        Form::Flags => reference("tcp-flags"),
        Form::TcpOptions => reference("tcp-options"),
        Form::Number(bases) => {
            let pattern = format!("^({})([+-][0-9]+)?$", bases.join("|"));
            let mut absolute = map_of(pairs([("abs", or_variable(int(0, u32::MAX.into())))]));
            absolute["required"] = json!(["abs"]);
            or_variable(any_of(vec![
                int(i32::MIN.into(), u32::MAX.into()),
                json!({ "type": "string", "pattern": pattern }),
                absolute,
            ]))
        }
        // A peer, the router, a socket or an IP address.
        Form::Host | Form::Sender => text(),
        Form::Icmp => or_variable(any_of(vec![
            words(icmp::ERRORS),
            json!({ "type": "string", "pattern": "^type [0-9]+ code [0-9]+$" }),
        ])),
        Form::Cut => or_variable(any_of(vec![
            json!({ "type": "integer", "minimum": 8, "maximum": 65_528, "multipleOf": 8 }),
            list_of(or_variable(json!({ "type": "string", "pattern": "^[0-9]+-[0-9]+$" }))),
        ])),
        Form::LocalEnd => any_of(vec![json!({ "const": "closed-port" }), text()]),
        Form::Payload => any_of(vec![json!({ "type": "integer", "minimum": 0 }), text()]),
        _ => json!({}),
    }
}
