//! A case as the oracle reads it: by its lines, and with no code of sockdiff's.

use std::path::Path;

/// The length of the datagram that tells where the case has ended; no case sends one like it.
const MARK_LEN: &str = "1337";

/// The text of a case.
pub struct Asked(String);

/// The fields of packets that a case asks for.
#[derive(Clone, Copy, Default, Debug)]
pub struct Show {
    pub options: bool,
    pub window: bool,
    pub ttl: bool,
    pub tos: bool,
    pub df: bool,
}

impl Asked {
    /// A case of a checkout, by its id.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_id(root: &str, id: &str) -> Result<Asked, String> {
        let text = std::fs::read_to_string(Path::new(root).join(format!("cases/{id}.yaml")));
        text.map(Asked).map_err(|error| format!("{id}: {error}"))
    }

    /// A case without steps: whether it can be watched at all is what is asked.
    pub fn nothing(topology: &str) -> Asked {
        Asked(format!("about: x\ntopology: {topology}\nsteps:\n  - pause: 1ms\n"))
    }

    /// The case as it is run: all packets told, and at its end a datagram that marks it. What a run
    /// leaves open it closes behind that, and packets are sent, which nobody tells. Where the
    /// mark cannot be sent, the pause tells them apart.
    pub fn text(&self) -> String {
        let lines = self.0.lines().filter(|line| !line.starts_with("show: {calls: "));
        let text = lines.fold(String::new(), |text, line| text + line + "\n");
        let mark = if self.is_wire() {
            format!("  - peer.send: {{udp: {MARK_LEN}, to: closed-port}}\n")
        } else {
            format!(
                "  - oracle.socket: udp\n  - oracle.send: {{len: {MARK_LEN}, to: closed-port}}\n"
            )
        };
        text + &mark + "  - pause: 200ms\n"
    }

    /// Whether the far end is scripted.
    pub fn is_wire(&self) -> bool {
        self.line("topology: ") == Some("wire")
    }

    /// How many address families each row is run under.
    pub fn families(&self) -> usize {
        if self.line("family: ") == Some("[4, 6]") { 2 } else { 1 }
    }

    /// How many packets bring the given state about; none where the row has the state.
    pub fn packets_before(&self) -> Option<usize> {
        let given = self.line("given: ").unwrap_or("closed").trim_start_matches("{state: ");
        match given.split([',', '}']).next()? {
            "closed" | "listen" => Some(0),
            "syn-sent" => Some(1),
            "syn-received" => Some(2),
            "established" => Some(3),
            "fin-wait-1" => Some(4),
            "fin-wait-2" | "close-wait" => Some(5),
            "closing" | "last-ack" => Some(6),
            "time-wait" => Some(7),
            _ => None,
        }
    }

    /// The fields of packets that are told.
    pub fn show(&self) -> Show {
        let line = self.line("show: [").unwrap_or_default().trim_end_matches(']');
        let has = |field| line.split(", ").any(|word| word == field);
        Show {
            options: has("options"),
            window: has("window"),
            ttl: has("ttl"),
            tos: has("tos"),
            df: has("df"),
        }
    }

    fn line(&self, start: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(start))
    }
}

/// Whether a line tells the mark at the end of a case.
pub fn is_mark(line: &str) -> bool {
    line.contains(&format!(" > closed-port udp len {MARK_LEN}"))
}
