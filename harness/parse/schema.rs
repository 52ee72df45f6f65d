//! The language's tables -> a JSON schema, for editors.
//!
//! Draft 7, which yaml-language-server supports best. The usual socket names stand there with
//! every verb, because editors propose only properties; any other name is allowed by pattern.
//! The schema is a little wider than the parser: whether a socket exists only the parser knows.

mod wire;

use super::claim;
use super::header::BYS;
use super::language::{
    ADDRESS_WORDS, BARE_STEPS, COMMON, Form, HEADER, Key, PROCESS_VERBS, USUAL_NAMES,
    USUAL_PROCESS, VERBS, Verb,
};
use crate::model::Capability;
use crate::model::call::{MSG_FLAGS, SIGNALS, word_of};
use crate::model::case::{ShowField, State};
use crate::model::limits::{DESCRIPTORS_MAX, PASSED_MAX, STEPS_MAX};
use crate::model::option::{OPTIONS, OptionKind, SocketOption};
use serde_json::{Map, Value, json};

use wire::NOT_A_SOCKET;

/// A name, or text that a variable of the matrix makes one.
const NAME: &str = "[a-z$][a-z0-9$.-]*";
/// Text that only a variable makes a name: of a socket or of a peer.
const VARIABLE_NAME: &str = "[a-z0-9.-]*\\$[a-z0-9$.-]*";

/// The schema of a case as JSON text that ends with a line break.
pub(super) fn text() -> String {
    let mut definitions = Map::new();
    definitions.insert("variable".into(), variable());
    definitions.insert("address".into(), address());
    definitions.insert("duration".into(), duration());
    definitions.insert("step".into(), step());
    for verb in VERBS {
        definitions.insert(verb.name.into(), described(object_of(verb), verb.doc));
    }
    for key in COMMON {
        definitions.insert(key.name.into(), described(form(key.form), key.doc));
    }
    for (kind, name) in OPTION_KINDS {
        definitions.insert((*name).into(), option_value(*kind));
    }
    definitions.insert("option".into(), option_names());
    definitions.extend(wire::definitions());
    definitions.insert("message-flags".into(), flag_list(MSG_FLAGS));
    let properties =
        HEADER.iter().map(|(name, doc)| ((*name).to_owned(), described(header_form(name), doc)));
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "sockdiff case",
        "description": "One question to a network stack, as the sequence of steps that asks it.",
        "type": "object",
        "properties": properties.collect::<Map<String, Value>>(),
        "required": ["about", "steps"],
        "additionalProperties": false,
        "definitions": definitions,
    });
    format!("{schema:#}\n")
}

fn described(mut schema: Value, doc: &str) -> Value {
    if schema.get("$ref").is_some() {
        // Draft 7 ignores whatever stands beside a `$ref`.
        schema = json!({ "allOf": [schema] });
    }
    schema["description"] = doc.into();
    schema
}

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{definition}") })
}

fn variable() -> Value {
    json!({
        "type": "string",
        "pattern": "\\$[a-z]",
        "description": "A variable of the matrix: $how, $at.0.",
    })
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    let words: Vec<&str> = words.into_iter().collect();
    json!({ "enum": words })
}

fn list_of(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn any_of(schemas: Vec<Value>) -> Value {
    json!({ "anyOf": schemas })
}

fn or_variable(schema: Value) -> Value {
    any_of(vec![schema, reference("variable")])
}

fn map_of(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn header_form(name: &str) -> Value {
    let text = || json!({ "type": "string", "minLength": 1 });
    let name_list = || list_of(json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]*$" }));
    match name {
        "spec" | "covers" => list_of(text()),
        "tags" => list_of(json!({ "type": "string", "pattern": "^[a-z0-9-]+$" })),
        "topology" => words(["loopback", "wire"]),
        "family" => json!({
            "type": "array", "items": { "enum": [4, 6] }, "minItems": 1, "uniqueItems": true,
        }),
        "given" => given(),
        "needs" => list_of(words(Capability::ALL.iter().map(|(_, word)| *word))),
        "settings" => json!({
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "patternProperties": {
                    "^(net\\.[A-Za-z0-9._-]+|route\\.quickack|.*\\$.*)$": {
                        "type": ["integer", "string"],
                    },
                },
                "additionalProperties": false,
            },
        }),
        "matrix" => json!({
            "type": "object",
            "additionalProperties": { "type": "array", "minItems": 1 },
        }),
        "processes" => json!({ "type": "object", "additionalProperties": name_list() }),
        "show" => show(),
        "patience" | "deadline" => reference("duration"),
        "claims" => list_of(claim_form()),
        "steps" => json!({
            "type": "array",
            "items": { "$ref": "#/definitions/step" },
            "minItems": 1,
            "maxItems": STEPS_MAX,
        }),
        _ => text(),
    }
}

fn given() -> Value {
    let state = || or_variable(words(State::ALL.iter().map(|(_, word)| *word)));
    let by = or_variable(words(BYS.iter().map(|(_, word)| *word)));
    let options = reference("tcp-options");
    let mut map = map_of(pairs([("state", state()), ("by", by), ("options", options)]));
    map["required"] = json!(["state"]);
    any_of(vec![state(), map])
}

fn show() -> Value {
    let fields = || list_of(words(ShowField::ALL.iter().map(|(_, word)| *word)));
    let calls = list_of(json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]*\\.[a-z_]+$" }));
    any_of(vec![fields(), map_of(pairs([("packets", fields()), ("calls", calls)]))])
}

fn claim_form() -> Value {
    let form = |key: &str| match key {
        "platforms" => {
            any_of(vec![json!({ "type": "string" }), list_of(json!({ "type": "string" }))])
        }
        "row" => json!({ "type": "object" }),
        _ => json!({ "type": "string", "minLength": 1 }),
    };
    let keys = claim::KEYS.iter().map(|(key, doc)| (*key, described(form(key), doc)));
    let mut schema = map_of(pairs(keys));
    schema["required"] = json!(["source", "says"]);
    schema["anyOf"] = json!([{ "required": ["expect"] }, { "required": ["never"] }]);
    schema
}

fn duration() -> Value {
    json!({
        "type": "string",
        "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|min)$|\\$[a-z]",
        "description": "A duration: 300ms, 2s, 1min.",
    })
}

fn base() -> Value {
    let mut forms: Vec<Value> = ADDRESS_WORDS
        .iter()
        .map(|(word, doc)| json!({ "const": word, "description": doc }))
        .collect();
    forms.push(json!({
        "type": "string",
        "description": "A socket's own address, or a literal in quotes.",
    }));
    any_of(forms)
}

fn address() -> Value {
    let mut map = map_of(pairs([("addr", base()), ("port", form(Form::Port))]));
    map["required"] = json!(["addr"]);
    any_of(vec![base(), map])
}

fn int(low: i64, high: i64) -> Value {
    json!({ "type": "integer", "minimum": low, "maximum": high })
}

/// What may stand after a key.
fn form(form: Form) -> Value {
    match form {
        Form::Base => base(),
        Form::Address => reference("address"),
        Form::Port => any_of(vec![
            json!({ "const": "closed-port" }),
            json!({ "type": "string", "pattern": format!("^{NAME}$") }),
            int(0, 65535),
        ]),
        Form::NewName | Form::Socket | Form::PortHolder => {
            json!({ "type": "string", "pattern": format!("^{NAME}$") })
        }
        Form::NewNames | Form::Sockets => or_variable(json!({
            "type": "array",
            "items": { "type": "string", "pattern": format!("^{NAME}$") },
            "maxItems": PASSED_MAX,
        })),
        Form::Int(low, high) => or_variable(int(low, high)),
        Form::Text => json!({ "type": "string" }),
        Form::Flag => or_variable(json!({ "type": "boolean" })),
        Form::Time => reference("duration"),
        Form::Word(list) => or_variable(words(list.iter().copied())),
        Form::Bits(list) if list == MSG_FLAGS => reference("message-flags"),
        Form::Bits(list) => flag_list(list),
        Form::Words(list) => word_list(list),
        Form::WordOrInt(list, low, high) => {
            any_of(vec![words(list.iter().copied()), int(low, high), reference("variable")])
        }
        Form::Option => {
            any_of(vec![reference("option"), json!({ "type": "integer" }), reference("variable")])
        }
        wire => wire::form(wire),
    }
}

/// One word, several with `|` between them, or a list.
fn word_list(list: &[&str]) -> Value {
    let word = list.join("|");
    any_of(vec![
        words(list.iter().copied()),
        list_of(or_variable(words(list.iter().copied()))),
        json!({ "type": "string", "pattern": format!("^({word})(\\|({word}))+$") }),
        reference("variable"),
    ])
}

/// As a list of words, with numbers in place of some or all.
fn flag_list(list: &[&str]) -> Value {
    let bits = || int(1, u32::MAX.into());
    let flag = any_of(vec![words(list.iter().copied()), bits()]);
    let one = format!("({}|0x[0-9a-fA-F]+)", list.join("|"));
    let joined = json!({ "type": "string", "pattern": format!("^{one}(\\|{one})*$") });
    any_of(vec![word_list(list), bits(), list_of(or_variable(flag)), joined])
}

fn option_names() -> Value {
    words(OPTIONS.iter().map(|option| option.name))
}

/// What may stand after a verb: a value that is no map, or a map.
fn object_of(verb: &Verb) -> Value {
    if verb.takes_options() {
        return setsockopt(verb);
    }
    let mut forms: Vec<Value> = verb.short_keys().map(|key| form(key.form)).collect();
    forms.extend([reference("variable"), map_of_verb(verb)]);
    any_of(forms)
}

/// The map after a verb.
fn map_of_verb(verb: &Verb) -> Value {
    let keyed = |key: &Key| (key.name, described(form(key.form), key.doc));
    let own = verb.keys.iter().map(keyed);
    let mut map = map_of(pairs(own.chain(references(verb.common))));
    match verb.needs {
        [] => {}
        [only] => map["required"] = json!([only]),
        several => {
            let one = |key: &&str| json!({ "required": [key] });
            map["oneOf"] = several.iter().map(one).collect();
        }
    }
    map
}

fn references(keys: &'static [Key]) -> impl Iterator<Item = (&'static str, Value)> {
    keys.iter().map(|key| (key.name, reference(key.name)))
}

fn setsockopt(verb: &Verb) -> Value {
    let kind = |option: &SocketOption| word_of(OPTION_KINDS, option.kind);
    let options = OPTIONS.iter().map(|option| (option.name, reference(kind(option))));
    let by_number = verb.keys.iter().map(|key| (key.name, described(form(key.form), key.doc)));
    let mut map = map_of(pairs(references(COMMON).chain(options).chain(by_number)));
    map["patternProperties"] = json!({ "\\$[a-z]": {} });
    any_of(vec![
        map,
        reference("option"),
        list_of(or_variable(reference("option"))),
        reference("variable"),
    ])
}

/// What the value of an option may be, by the kind of the option.
const OPTION_KINDS: &[(OptionKind, &str)] = &[
    (OptionKind::Int, "value-int"),
    (OptionKind::Linger, "value-linger"),
    (OptionKind::Time, "value-time"),
    (OptionKind::Millis, "value-millis"),
    (OptionKind::Seconds, "value-seconds"),
    (OptionKind::Error, "value-error"),
    (OptionKind::Text, "value-text"),
    (OptionKind::TcpInfo, "value-tcp-info"),
];

fn option_value(kind: OptionKind) -> Value {
    let mut forms = vec![json!({ "type": "integer" })];
    match kind {
        OptionKind::Linger => {
            let part = || or_variable(json!({ "type": "integer" }));
            let mut map = map_of(pairs([("onoff", part()), ("linger", part())]));
            map["required"] = json!(["onoff", "linger"]);
            forms.push(map);
        }
        OptionKind::Time => {
            let part = || or_variable(json!({ "type": "integer" }));
            let mut map = map_of(pairs([("sec", part()), ("usec", part())]));
            map["required"] = json!(["sec", "usec"]);
            forms.extend([reference("duration"), map]);
        }
        OptionKind::Millis | OptionKind::Seconds => forms.push(reference("duration")),
        OptionKind::Text => forms.push(json!({ "type": "string" })),
        OptionKind::Int | OptionKind::Error | OptionKind::TcpInfo => {}
    }
    let mut zeros = map_of(pairs([("len", json!({ "type": "integer", "minimum": 0 }))]));
    zeros["required"] = json!(["len"]);
    forms.extend([zeros, reference("variable")]);
    any_of(forms)
}

/// What may stand after the verb of a process; none where it stands alone.
fn object_of_process(verb: &str) -> Option<Value> {
    Some(match verb {
        "kill" => words(SIGNALS.iter().copied()),
        "drop" => words(["capabilities"]),
        "setuid" => words(["nobody"]),
        "setrlimit" => {
            let number = json!({ "type": "integer", "minimum": 0, "maximum": DESCRIPTORS_MAX });
            let mut limit = map_of(pairs([("RLIMIT_NOFILE", or_variable(number))]));
            limit["required"] = json!(["RLIMIT_NOFILE"]);
            limit
        }
        _ => return None,
    })
}

fn step() -> Value {
    let mut properties = Map::new();
    let mut patterns = Map::new();
    for verb in VERBS {
        for name in USUAL_NAMES {
            properties.insert(format!("{name}.{}", verb.name), reference(verb.name));
        }
        let (name, of_peers) = match wire::like_a_socket_s(verb.name) {
            Some(of_peers) => ("[a-z][a-z0-9-]*", Some(of_peers)),
            None => (NAME, None),
        };
        let pattern = format!("^{NOT_A_SOCKET}{name}\\.{}$", verb.name);
        patterns.insert(pattern, reference(verb.name));
        if let Some(of_peers) = of_peers {
            let either = any_of(vec![reference(verb.name), reference(of_peers)]);
            patterns.insert(format!("^{VARIABLE_NAME}\\.{}$", verb.name), either);
        }
    }
    wire::steps(&mut properties, &mut patterns);
    for verb in BARE_STEPS {
        properties.insert(verb.name.to_owned(), described(object_of(verb), verb.doc));
    }
    for (verb, doc) in PROCESS_VERBS {
        if let Some(object) = object_of_process(verb) {
            let object = described(or_variable(object), doc);
            properties.insert(format!("{USUAL_PROCESS}.{verb}"), object.clone());
            patterns.insert(format!("^{NAME}\\.{verb}$"), object);
        }
    }
    let bare = VERBS.iter().filter(|verb| verb.needs.is_empty() && !verb.takes_options());
    let bare: Vec<&str> = bare.map(|verb| verb.name).collect();
    let proposed = USUAL_NAMES
        .iter()
        .flat_map(|name| bare.iter().map(move |verb| format!("{name}.{verb}")))
        .chain(["exit", "wait"].map(|verb| format!("{USUAL_PROCESS}.{verb}")));
    let pattern = format!("^{NOT_A_SOCKET}{NAME}\\.({}|exit|wait)$", bare.join("|"));
    let [peers, any_peer] = wire::bare_steps();
    json!({
        "anyOf": [
            { "enum": proposed.collect::<Vec<String>>() },
            { "type": "string", "pattern": pattern },
            peers,
            any_peer,
            {
                "type": "object",
                "properties": properties,
                "patternProperties": patterns,
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
            },
            reference("variable"),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::call;

    fn schema() -> Value {
        serde_json::from_str(&text()).expect("JSON")
    }

    #[test]
    fn schema_file_is_current() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/case.schema.json");
        let stored = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            stored == text(),
            "the language has changed: cargo run -- schema > cases/case.schema.json"
        );
    }

    #[test]
    fn every_verb_of_the_model_is_in_the_language() {
        let verbs: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
        assert_eq!(verbs, call::VERBS);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => map.iter().for_each(|(key, value)| match value.as_str() {
                    Some(text) if key == "$ref" => found.push(text.to_owned()),
                    _ => references(value, found),
                }),
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let (schema, mut found) = (schema(), Vec::new());
        references(&schema, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let definition = schema.pointer(reference.trim_start_matches('#'));
            assert!(definition.is_some(), "{reference}");
        }
    }

    #[test]
    fn editors_can_propose_and_check() {
        let schema = schema();
        for (key, doc) in HEADER {
            assert_eq!(schema["properties"][key]["description"], *doc, "{key}");
        }
        assert_eq!(schema["additionalProperties"], false);
        let step = &schema["definitions"]["step"]["anyOf"];
        for name in USUAL_NAMES {
            for verb in VERBS {
                let property = format!("{name}.{}", verb.name);
                assert!(step[4]["properties"][&property].is_object(), "{property}");
            }
        }
        let bare = step[0]["enum"].as_array().expect("a list");
        assert!(bare.contains(&json!("client.close")) && bare.contains(&json!("worker.wait")));
    }
}
