//! Settings of the network and of the run's own route, and nothing else.

use super::claim::is_platform_id;
use super::error::Read;
use super::matrix::value_text;
use super::tree::{Key, Kind, Node};
use crate::model::Topology;
use crate::model::wire::QUICKACK;
use std::collections::BTreeMap;

/// `{linux: {net.ipv4.tcp_syn_retries: 1}}`
pub(super) fn read(
    node: &Node,
    topology: Topology,
) -> Read<BTreeMap<String, BTreeMap<String, String>>> {
    let mut settings = BTreeMap::new();
    for (platform, values) in node.map("a map by platform: {linux: {…}}")? {
        if !is_platform_id(&platform.text) {
            return Err(platform.fault("expected a platform: linux, freebsd, macos"));
        }
        let pins = values.map("settings: {net.ipv4.tcp_syn_retries: 1}")?.iter();
        let pins = pins.map(|(key, value)| match key.text.as_str() {
            QUICKACK => read_quickack(key, value, topology),
            _ => read_value(key, value),
        });
        settings.insert(platform.text.clone(), pins.collect::<Read<_>>()?);
    }
    Ok(settings)
}

/// `{net.ipv4.tcp_syn_retries: 1}`
pub(super) fn read_values(node: &Node) -> Read<Vec<(String, String)>> {
    let pairs = node.map("settings: {net.ipv4.tcp_syn_retries: 1}")?.iter();
    pairs.map(|(key, value)| read_value(key, value)).collect()
}

fn read_value(key: &Key, value: &Node) -> Read<(String, String)> {
    let in_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let plain = key.text.chars().all(in_key) && !key.text.split('.').any(str::is_empty);
    if !key.text.starts_with("net.") || !plain {
        return Err(key.fault("expected a setting of the network: net.ipv4.tcp_fin_timeout"));
    }
    let scalar = match &value.kind {
        Kind::Int(_) => true,
        Kind::Str(text) => !text.is_empty() && !text.contains(char::is_control),
        _ => false,
    };
    if !scalar {
        return Err(value.expected("a number, or one line of text"));
    }
    Ok((key.text.clone(), value_text(value)))
}

/// `route.quickack: 0`
fn read_quickack(key: &Key, value: &Node, topology: Topology) -> Read<(String, String)> {
    if topology == Topology::Loopback {
        // There its own end would have to be waited for after every step.
        return Err(key.fault(format!("`{QUICKACK}` needs `topology: wire`")));
    }
    let flag = value.int(&(0..=1), "0 or 1")?;
    Ok((key.text.clone(), flag.to_string()))
}
