//! Settings of the network, and nothing else.

use super::claim::is_platform_id;
use super::error::Read;
use super::matrix::value_text;
use super::tree::{Kind, Node};
use std::collections::BTreeMap;

/// `{linux: {net.ipv4.tcp_syn_retries: 1}}`
pub(super) fn read(node: &Node) -> Read<BTreeMap<String, BTreeMap<String, String>>> {
    let mut settings = BTreeMap::new();
    for (platform, values) in node.map("a map by platform: {linux: {…}}")? {
        if !is_platform_id(&platform.text) {
            return Err(platform.fault("expected a platform: linux, freebsd, macos"));
        }
        let values = read_values(values)?.into_iter().collect();
        settings.insert(platform.text.clone(), values);
    }
    Ok(settings)
}

/// `{net.ipv4.tcp_syn_retries: 1}`
pub(super) fn read_values(node: &Node) -> Read<Vec<(String, String)>> {
    let mut read = Vec::new();
    for (key, value) in node.map("settings: {net.ipv4.tcp_syn_retries: 1}")? {
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
        read.push((key.text.clone(), value_text(value)));
    }
    Ok(read)
}
