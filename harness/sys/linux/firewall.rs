//! The firewall of a run, by nft(8) in the run's own namespace.
//!
//! Rules name TCP, UDP and ICMP only, so that the harness's sentinel still crosses.

use crate::model::capability::Lack;
use crate::model::host::FirewallVerdict;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What installs the tool.
pub const REMEDY: &str = "apt install nftables";

/// Where the tool is. Ordinary users often lack its folder in their path.
pub fn tool() -> Option<PathBuf> {
    let own = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&own).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let path: OsString = env::join_paths(folders).ok()?;
    which::which_in("nft", Some(path), "/").ok()
}

/// Sets a rule in the namespace of the calling thread.
///
/// # Errors
/// There is no such tool, or the kernel takes no such rule.
pub fn refuse(verdict: FirewallVerdict, incoming: bool, port: Option<u16>) -> Result<(), Lack> {
    run(&script(verdict, incoming, port))
}

/// Whether every rule can be set, tried in the namespace of the calling thread.
///
/// # Errors
/// What refuses it, and what helps.
pub fn try_out() -> Result<(), Lack> {
    let scripts = FirewallVerdict::ALL.iter().flat_map(|(verdict, _)| {
        let at = |incoming| script(*verdict, incoming, Some(1)) + &script(*verdict, incoming, None);
        [at(true), at(false)]
    });
    run(&scripts.collect::<String>())
}

fn run(script: &str) -> Result<(), Lack> {
    let tool = tool().ok_or_else(|| Lack::new("no nft").remedy(REMEDY))?;
    let mut command = Command::new(tool);
    let done = command.arg(script).stdin(Stdio::null()).output();
    let done = done.map_err(|error| Lack::new(format!("nft: {error}")))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(Lack::new(format!(
        "nft refuses: {}",
        said.lines().next().unwrap_or("no reason told")
    )))
}

/// Commands that add one rule, to what earlier ones have added.
fn script(verdict: FirewallVerdict, incoming: bool, port: Option<u16>) -> String {
    let hook = if incoming { "input" } else { "output" };
    let resets = verdict == FirewallVerdict::TcpReset;
    let matched = match (port, resets) {
        (Some(port), true) => format!("tcp dport {port}"),
        (Some(port), false) => format!("meta l4proto {{ tcp, udp }} th dport {port}"),
        (None, true) => "meta l4proto tcp".to_owned(),
        (None, false) => "meta l4proto { tcp, udp, icmp, ipv6-icmp }".to_owned(),
    };
    let action = match verdict {
        FirewallVerdict::TcpReset => "reject with tcp reset",
        FirewallVerdict::IcmpPort => "reject with icmpx type port-unreachable",
        FirewallVerdict::IcmpAdmin => "reject with icmpx type admin-prohibited",
        FirewallVerdict::IcmpHost => "reject with icmpx type host-unreachable",
        FirewallVerdict::Drop => "drop",
    };
    let chain = format!("{{ type filter hook {hook} priority 0; }}");
    format!(
        "add table inet sockdiff; add chain inet sockdiff {hook} {chain}; \
         add rule inet sockdiff {hook} {matched} {action};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::script;
    use crate::model::host::FirewallVerdict::{Drop, IcmpPort, TcpReset};
    use rstest::rstest;

    #[rstest]
    #[case::reset(
        script(TcpReset, true, Some(4100)),
        "input tcp dport 4100 reject with tcp reset;"
    )]
    #[case::icmp(
        script(IcmpPort, false, Some(9)),
        "{ tcp, udp } th dport 9 reject with icmpx"
    )]
    #[case::all(
        script(Drop, false, None),
        "output meta l4proto { tcp, udp, icmp, ipv6-icmp } drop;"
    )]
    fn rules_name_protocols_of_cases_only(#[case] script: String, #[case] part: &str) {
        assert!(script.contains(part), "{script}");
    }
}
