//! Times in which a run did not go on although it could.

use std::time::Duration;

/// Work takes less, also on an emulated CPU.
pub const NOTICED: Duration = Duration::from_millis(20);

/// One gap, in the system clock's time since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// What it waited for was over then, or it had begun to work.
    pub from: Duration,
    /// Then it went on.
    pub to: Duration,
    /// From then on it put off what comes next.
    pub puts_off_from: Duration,
}

impl Gap {
    /// Whether it is more than the time that work takes.
    pub fn is_noticed(&self) -> bool {
        self.to > self.from + NOTICED
    }
}

/// How long these gaps put off what came next: the threads of a run are put aside at the same time.
pub fn together<'a>(gaps: impl IntoIterator<Item = &'a Gap>) -> Duration {
    let mut gaps: Vec<(Duration, Duration)> =
        gaps.into_iter().map(|gap| (gap.puts_off_from, gap.to)).collect();
    gaps.sort_unstable();
    let mut until = Duration::ZERO;
    gaps.iter().fold(Duration::ZERO, |sum, (from, to)| {
        let new = to.saturating_sub(*from.max(&until));
        until = until.max(*to);
        sum + new
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_put_aside_at_once_count_once() {
        let at = Duration::from_millis;
        let gaps = [(10, 40), (0, 20), (15, 30), (50, 60)].map(|(from, to)| Gap {
            from: at(from),
            to: at(to),
            puts_off_from: at(from),
        });
        assert_eq!(together(&gaps), Duration::from_millis(50));
    }
}
