//! What the fuzzers are fed, without a fuzzer: every input of the corpus, among them those that
//! once broke something, and a few thousand like them.

#[path = "../fuzz/targets.rs"]
mod targets;

use rstest::rstest;
use std::path::Path;

/// Inputs made from each one of the corpus.
const CHANGED: u32 = 400;

#[rstest]
#[case("case", targets::case)]
#[case("packet", targets::packet)]
#[case("snapshot", targets::snapshot)]
#[case("ledger", targets::ledger)]
#[case("result", targets::result)]
#[case("archive", targets::archive)]
fn corpus_is_read(#[case] name: &str, #[case] target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/fuzz/corpus").join(name);
    let files = std::fs::read_dir(folder).expect("a corpus");
    let inputs: Vec<Vec<u8>> = files
        .map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a readable input"))
        .collect();
    assert!(inputs.len() > 1);
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    for input in &inputs {
        target(input);
        for _ in 0..CHANGED {
            target(&chance.changed(input, &inputs));
        }
    }
}

/// The same on every machine: xorshift64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }

    /// An input with one to four things wrong with it.
    fn changed(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), self.below(256) as u8),
                2 => drop(bytes.drain(at..(at + self.below(8)).min(bytes.len()))),
                3 => {
                    let other = &others[self.below(others.len())];
                    let from = self.below(other.len());
                    let piece = other[from..(from + self.below(64)).min(other.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
        }
        bytes
    }
}
