//! What a transcript tells of each run, line by line.

/// One run of a case.
pub struct Run {
    /// Its packet lines.
    pub lines: Vec<String>,
    /// All its packets have to be IPv4's.
    pub is_four: bool,
}

/// The runs of a transcript, rows times families.
pub fn runs(transcript: &str, families: usize) -> Vec<Run> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in transcript.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            sections.push((title.to_owned(), Vec::new()));
            continue;
        }
        if sections.is_empty() {
            sections.push((String::new(), Vec::new()));
        }
        let (_, packets) = sections.last_mut().expect("pushed above");
        if let Some(packet) = line.strip_prefix("    ")
            && packet.split(' ').nth(1) == Some(">")
        {
            packets.push(packet.to_owned());
        }
    }
    // IPv6 is told where it differs; elsewhere both families answered alike.
    let six = |title: &str| title == "ipv6" || title.ends_with(" ipv6");
    let mut runs = Vec::new();
    for (title, packets) in &sections {
        let differs = format!("{title} ipv6");
        let told_apart = sections.iter().any(|(other, _)| other == differs.trim_start());
        let run = |is_four| Run { lines: expanded(packets), is_four };
        runs.push(run(families == 2 && !six(title)));
        if families == 2 && !six(title) && !told_apart {
            runs.push(run(false));
        }
    }
    runs
}

/// Lines that end in ` x3` are told once: neighbours with the same count are one round.
fn expanded(lines: &[String]) -> Vec<String> {
    let count = |line: &str| {
        let (rest, last) = line.rsplit_once(" x")?;
        // In a timed step a band follows.
        let times = last.split(' ').next()?;
        Some((rest.to_owned(), times.parse::<usize>().ok()?))
    };
    let mut all = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some((_, times)) = count(&lines[at]) else {
            all.push(lines[at].clone());
            at += 1;
            continue;
        };
        let round: Vec<String> = lines[at..]
            .iter()
            .map_while(|line| count(line).filter(|(_, same)| *same == times))
            .map(|(line, _)| line)
            .collect();
        at += round.len();
        (0..times).for_each(|_| all.extend(round.iter().cloned()));
    }
    all
}
