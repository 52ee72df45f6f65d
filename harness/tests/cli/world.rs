//! A small suite with answers of systems that do not exist, for the tests of `compare` and
//! `claims`.

use super::support::Folder;
use sockdiff::suite::Corpus;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Cases: path and text.
const CASES: [(&str, &str); 3] = [
    ("a/close.yaml", CLOSE),
    ("a/same.yaml", "about: the same?\nsteps: [s.socket: tcp]\n"),
    ("b/other.yaml", "about: more?\nsteps: [s.socket: udp]\n"),
];

const CLOSE: &str = "\
about: RST or FIN?
given: established
claims:
  - source: RFC 1 §2, A7
    says: a FIN is sent
    expect: |
      client > server [F.]
  - source: RFC 1 §3
    says: only old kernels succeed
    platforms: linux <6.18
    expect: |
      client.close() = 0
steps: [client.close]
";

/// Two answers that differ in a packet.
pub const FIN: &str = "client.close() = 0\n    client > server [F.] seq 1 ack 1";
pub const RST: &str = "client.close() = 0\n    client > server [R.] seq 1 ack 1";
/// What both look like where no packets are seen.
pub const BLIND: &str = "client.close() = 0";
pub const SOCKET: &str = "s.socket(tcp) = fd s";

/// A suite in a folder, to which answers are added.
pub struct World(pub Folder);

impl World {
    /// The cases, and no answers.
    pub fn new() -> World {
        World(Folder::of_cases(&CASES))
    }

    /// Linux 6.12 and 6.18, which differ in one case.
    pub fn of_two_releases() -> World {
        let world = World::new();
        world.answer("linux-6.12", "linux-6.12", &[("a/close", FIN)]);
        world.answer("linux-6.18", "linux", &[("a/close", RST), ("a/same", SOCKET)]);
        world.ledger("linux-6.12", &["a/close", "a/same"], "");
        world
    }

    /// The hashes of the questions as they stand.
    pub fn hashes(&self) -> BTreeMap<String, String> {
        let found = Corpus::Folder(self.0.path().join("cases")).read();
        assert_eq!(found.bad, [], "the cases of these tests are good");
        found.cases.into_iter().map(|case| (case.id.0, case.hash)).collect()
    }

    /// Writes what a release answers into files of this name, and its ledger.
    pub fn answer(&self, release: &str, name: &str, answers: &[(&str, &str)]) {
        let capture = if answers.iter().any(|(_, body)| *body == BLIND) { "none" } else { "raw" };
        for (case, body) in answers {
            let text = format!(
                "---\ninfo:\n  recorded on: {} x86_64\n  capture: {capture}\n  wire: none\n  \
                 isolation: netns\n  settings: 0123456789abcdef\n---\n{body}\n",
                release.replacen('-', " ", 1) + ".7",
            );
            self.0.write(&format!("expected/{case}/{name}.snap"), text);
        }
        let cases: Vec<&str> = answers.iter().map(|(case, _)| *case).collect();
        self.ledger(release, &cases, "");
    }

    /// Writes the ledger of a release that has been asked these cases; `end` follows.
    pub fn ledger(&self, release: &str, cases: &[&str], end: &str) {
        let hashes = self.hashes();
        let (id, number) = release.rsplit_once('-').expect("ID-RELEASE");
        let capture = if id == "blind" { "none" } else { "raw" };
        let mut text = format!(
            "release: \"{number}\"\narch: x86_64\ndate: 2026-11-20\ncapture: {capture}\n\
             wire: none\nsettings: \"0123456789abcdef\"\nfamilies: [4]\ncases:\n"
        );
        for case in cases {
            let _ = writeln!(text, "  {case}: \"{}\"", hashes[*case]);
        }
        self.0.write(&format!("expected/ledger/{release}.yaml"), text + end);
    }

    /// Writes a result file of Linux 6.18: cases with their transcripts, or `skipped: REASON`.
    pub fn results(&self, path: &str, answers: &[(&str, &str)]) {
        let hashes = self.hashes();
        let results: Vec<serde_json::Value> = answers
            .iter()
            .map(|(case, body)| {
                let reason = body.strip_prefix("skipped: ");
                serde_json::json!({
                    "id": case, "status": if reason.is_some() { "skipped" } else { "new" },
                    "reason": reason.unwrap_or(""), "duration_ms": 1, "case_hash": hashes[*case],
                    "transcript": if reason.is_some() { "" } else { body },
                })
            })
            .collect();
        let file = serde_json::json!({
            "format": 1,
            "platform": {"id": "linux", "release": "6.18", "kernel": "6.18.7", "arch": "x86_64",
                "capture": "raw", "wire": "none", "isolation": "netns", "settings": {},
                "families": [4]},
            "results": results,
        });
        self.0.write(path, file.to_string());
    }

    /// The program, with the files of the world.
    pub fn sockdiff(&self, arguments: &str) -> snapbox::cmd::Command {
        self.0.sockdiff(arguments)
    }
}
