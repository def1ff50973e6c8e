//! From a life that goes wrong to the shortest one found that goes wrong in the same way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::life::Life;

/// Longest time spent on making a life shorter.
const LONGEST: Duration = Duration::from_secs(20);

/// How a life went.
pub(super) struct Led {
    /// What stands for everything that happened.
    pub(super) mark: u64,
    /// Decisions made.
    pub(super) decisions: u64,
    /// Everything drawn, by step.
    pub(super) drawn: Vec<Vec<u8>>,
    /// What happened, where it was wanted.
    pub(super) trace: Vec<String>,
    /// What went wrong, if anything.
    pub(super) wrong: Option<String>,
}

/// Leads a life.
pub(super) fn lead(chance: Chance, tells: bool) -> Led {
    let mut life = Life::new(chance, tells);
    let ended = catch_unwind(AssertUnwindSafe(|| life.live()));
    let wrong = ended.err().map(|panic| {
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    });
    Led {
        mark: life.mark(),
        decisions: life.decisions,
        drawn: std::mem::take(&mut life.chance.drawn),
        trace: life.trace.take().unwrap_or_default(),
        wrong,
    }
}

/// Leaves out steps and quietens what they drew, as long as the life goes wrong in the same way.
pub(super) fn shrink(drawn: Vec<Vec<u8>>, wrong: &str) -> Led {
    let deadline = Instant::now() + LONGEST;
    let is_late = || Instant::now() >= deadline;
    let fails = |steps: &[Vec<u8>]| {
        let led = lead(Chance::told(steps.to_vec()), false);
        led.wrong.as_deref() == Some(wrong)
    };
    let mut best = drawn;
    loop {
        let before = (best.len(), weight(&best));
        let mut size = (best.len() / 2).max(1);
        loop {
            let mut start = 1;
            while start < best.len() && !is_late() {
                let mut without = best.clone();
                without.drain(start..(start + size).min(best.len()));
                if fails(&without) {
                    best = without;
                } else {
                    start += size;
                }
            }
            if size == 1 {
                break;
            }
            size /= 2;
        }
        for step in 0..best.len() {
            quieten(&mut best, step, &fails, &is_late);
        }
        if (best.len(), weight(&best)) == before || is_late() {
            break;
        }
    }
    lead(Chance::told(best), true)
}

/// How much is drawn that is not the quietest answer.
fn weight(steps: &[Vec<u8>]) -> usize {
    steps
        .iter()
        .flatten()
        .filter(|number| **number != 0)
        .count()
}

/// Cuts what a step drew, then makes single numbers of it quiet.
fn quieten(
    best: &mut Vec<Vec<u8>>,
    step: usize,
    fails: &dyn Fn(&[Vec<u8>]) -> bool,
    is_late: &dyn Fn() -> bool,
) {
    let mut length = 0;
    while length < best[step].len() && !is_late() {
        let mut shorter = best.clone();
        shorter[step].truncate(length);
        if fails(&shorter) {
            *best = shorter;
            break;
        }
        length = length * 2 + 1;
    }
    for place in 0..best[step].len() {
        if best[step][place] == 0 || is_late() {
            continue;
        }
        let mut quieter = best.clone();
        quieter[step][place] = 0;
        if fails(&quieter) {
            *best = quieter;
        }
    }
}
