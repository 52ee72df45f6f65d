//! Durations as a case writes them, and the bands in which a transcript tells them.

use std::fmt;
use std::time::Duration;

/// Reads `300ms`, `2s`, `1min`, `1.5s`: a number and a unit, at least 1 ms and whole milliseconds.
///
/// # Errors
/// Says what is expected when the text has another form.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected =
        || format!("`{text}` is no duration, expected a number and a unit: 300ms, 2s, 1min");
    let split = text.find(|c: char| c != '.' && !c.is_ascii_digit()).ok_or_else(expected)?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| expected())?;
    let unit_ms = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "min" => 60_000.0,
        _ => return Err(expected()),
    };
    let ms = number * unit_ms;
    if ms.fract() != 0.0 || ms > 1e12 {
        return Err(expected());
    }
    Ok(Duration::from_millis(ms as u64))
}

/// Prints what [`parse_duration`] reads, in the largest unit that keeps the number whole.
pub struct Shown(pub Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            0 => f.write_str("0ms"),
            ms if ms % 60_000 == 0 => write!(f, "{}min", ms / 60_000),
            ms if ms % 1_000 == 0 => write!(f, "{}s", ms / 1_000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

/// The bands: upper bound (exclusive) in milliseconds, and the word. They leave room for
/// a loaded machine, so a band is a fact about the stack and not about the scheduler.
pub const BANDS: [(u64, &str); 15] = [
    (150, "<150ms"),
    (350, "~200ms"),
    (700, "~500ms"),
    (1_500, "~1s"),
    (2_500, "~2s"),
    (4_500, "~3s"),
    (9_000, "~6s"),
    (18_000, "~13s"),
    (35_000, "~25s"),
    (90_000, "~1min"),
    (180_000, "~2min"),
    (360_000, "~4min"),
    (720_000, "~8min"),
    (1_440_000, "~16min"),
    (u64::MAX, ">24min"),
];

/// The band that a duration falls into.
pub fn band(duration: Duration) -> &'static str {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX - 1);
    BANDS.iter().find(|(bound_ms, _)| ms < *bound_ms).map_or(">24min", |(_, word)| word)
}
