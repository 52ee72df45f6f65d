//! The firewall of a run, by nft(8) in the run's own namespace.
//!
//! Rules name TCP, UDP and ICMP only, so that the harness's sentinel still crosses.

use super::modules;
use crate::model::capability::Lack;
use crate::model::host::FirewallVerdict;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What installs the tool, by the package manager that is there.
const INSTALLERS: [(&str, &str); 5] = [
    ("apt-get", "sudo apt-get install nftables"),
    ("dnf", "sudo dnf install nftables"),
    ("zypper", "sudo zypper install nftables"),
    ("pacman", "sudo pacman -S nftables"),
    ("apk", "sudo apk add nftables"),
];
/// The kernel's part, where it is modules that do not come by themselves.
const MODULES: &str = "-a nf_tables nft_reject_inet";

const INPUT: &str = "input";
const OUTPUT: &str = "output";

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

/// Takes the rules of one direction away again, in the namespace of the calling thread.
///
/// # Errors
/// As for [`refuse`].
pub fn lift(incoming: bool) -> Result<(), Lack> {
    run(&lifting(incoming))
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
    run(&(scripts.collect::<String>() + &lifting(true) + &lifting(false)))
}

fn run(script: &str) -> Result<(), Lack> {
    // Asked here, because nft tells a kernel without it by a line of its own source.
    modules::has_netlink(libc::NETLINK_NETFILTER, "netfilter", MODULES)?;
    let tool = tool().ok_or_else(no_tool)?;
    let mut command = Command::new(tool);
    let done = command.arg(script).stdin(Stdio::null()).output();
    let done = done.map_err(|error| Lack::new(format!("nft: {error}")))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let lack = format!("nft refuses: {}", said.lines().next().unwrap_or("no reason told"));
    // What netfilter says of a family or an expression that it does not have.
    let absent = ["not supported", "No such file"].iter().any(|words| lack.contains(words));
    Err(if absent { modules::lack(lack, MODULES) } else { Lack::new(lack) })
}

fn no_tool() -> Lack {
    let lack = Lack::new("no nft");
    match INSTALLERS.iter().find(|(manager, _)| which::which(manager).is_ok()) {
        Some((_, remedy)) => lack.remedy(*remedy),
        None => lack,
    }
}

/// Commands that refuse packets, besides what earlier ones refuse.
///
/// Rejecting everything lets through what the firewall itself answers over `lo`: a RST, or an ICMP
/// message.
fn script(verdict: FirewallVerdict, incoming: bool, port: Option<u16>) -> String {
    use FirewallVerdict::{Drop, IcmpAdmin, IcmpHost, IcmpPort, TcpReset};
    let (hook, link) = if incoming { (INPUT, "iif") } else { (OUTPUT, "oif") };
    let all = "meta l4proto { tcp, udp, icmp, ipv6-icmp }";
    let matches = match (port, verdict) {
        (Some(port), TcpReset) => vec![format!("tcp dport {port}")],
        (Some(port), _) => vec![format!("meta l4proto {{ tcp, udp }} th dport {port}")],
        (None, Drop) => vec![all.to_owned()],
        (None, TcpReset) => vec![
            format!("{link} != lo meta l4proto tcp"),
            format!("{link} lo tcp flags & rst == 0"),
        ],
        (None, _) => {
            vec![format!("{link} != lo {all}"), format!("{link} lo meta l4proto {{ tcp, udp }}")]
        }
    };
    let action = match verdict {
        TcpReset => "reject with tcp reset",
        IcmpPort => "reject with icmpx type port-unreachable",
        IcmpAdmin => "reject with icmpx type admin-prohibited",
        IcmpHost => "reject with icmpx type host-unreachable",
        Drop => "drop",
    };
    let mut script = chain(hook);
    for matched in matches {
        script += &format!("add rule inet sockdiff {hook} {matched} {action};\n");
    }
    script
}

/// The command that adds a chain, if there is none.
fn chain(hook: &str) -> String {
    let chain = format!("{{ type filter hook {hook} priority 0; }}");
    format!("add table inet sockdiff; add chain inet sockdiff {hook} {chain};\n")
}

/// Commands that empty a chain.
fn lifting(incoming: bool) -> String {
    let hook = if incoming { INPUT } else { OUTPUT };
    chain(hook) + &format!("flush chain inet sockdiff {hook};\n")
}

#[cfg(test)]
mod tests {
    use super::{lifting, script};
    use crate::model::host::FirewallVerdict::{Drop, IcmpPort, TcpReset};
    use rstest::rstest;

    #[rstest]
    #[case::reset(
        script(TcpReset, true, Some(4100)),
        "input tcp dport 4100 reject with tcp reset;"
    )]
    #[case::icmp(script(IcmpPort, false, Some(9)), "{ tcp, udp } th dport 9 reject with icmpx")]
    #[case::own_answers(script(TcpReset, true, None), "input iif lo tcp flags & rst == 0 reject")]
    #[case::all(
        script(Drop, false, None),
        "output meta l4proto { tcp, udp, icmp, ipv6-icmp } drop;"
    )]
    #[case::lifted(lifting(false), "hook output priority 0; };\nflush chain inet sockdiff output;")]
    fn rules_name_protocols_of_cases_only(#[case] script: String, #[case] part: &str) {
        assert!(script.contains(part), "{script}");
    }
}
