//! The engine's decisions against a simulated world, drawn from seeds: four platforms with the facts that ship, lost
//! answers, refusals, jumping clocks, full drives, crashes at every point, and a person who does anything at any time.
//!
//! [`labferry::engine::decide::decide`] is pure, so that a life of weeks takes milliseconds and goes the same way each time.
//! Around it, [`life::Life`] does what the dispatcher does, in the same order: an event, the decision, one commit, then
//! what is to be started. What the dispatcher can deliver is what is delivered here:
//!
//! - The end of each piece of work arrives once, in any order and any time after the work was done: a poll whose report
//!   is older than what is known by then; the list, the look-up, the answer to a submission or to a cancellation of a job
//!   that the person has ended or sent again meanwhile. What a stopped transfer says is dropped, and so is a submission
//!   that was stopped before anything left; one that went through is told.
//! - A worker that breaks down is told as such, also after the platform has done what it asked.
//! - Nothing arrives twice from a worker, and nothing of an earlier run of the program: what its requests did is found
//!   at the platforms. The person's commands do arrive twice.
//! - While the journal's drive is full nothing is decided, and workers go on. When the program is closed, answers to
//!   submissions beyond their point of no return are still written.
//! - A request that has left arrives, or not, before the next run of the program asks about it.
//!
//! The rules that hold after each step are in [`rules`]. When a seed breaks one, what was drawn is made shorter and the
//! shortest trace found is printed. `LABFERRY_SEEDS` says how many seeds, `LABFERRY_FIRST_SEED` the first one.

mod answers;
mod chance;
mod dispatching;
mod journal;
mod life;
mod person;
mod platforms;
mod reasons;
mod rules;
mod shrink;
mod workers;

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use chance::Chance;
use shrink::{Led, lead, shrink};

/// How many seeds are led twice in the usual run.
const USUAL_SEEDS: u64 = 10_000;

/// Threads at the same time.
const THREADS: u64 = 2;

/// What goes wrong on threads of this name is told once, at the end.
const THREAD_NAME: &str = "simulated lives";

/// A life that goes wrong says so by a panic; while it is made shorter that happens a thousand times.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(THREAD_NAME) {
                others(panic);
            }
        }));
    });
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What to say about a seed that went wrong.
fn story(seed: u64, led: &Led, wrong: &str) -> String {
    let short = shrink(led.drawn.clone(), wrong);
    let events = short
        .trace
        .iter()
        .filter(|line| !line.starts_with(' '))
        .count();
    format!(
        "seed {seed}: {wrong}\n{} steps, made {}; {} decisions, made {}; {events} events:\n{}",
        led.drawn.len(),
        short.drawn.len(),
        led.decisions,
        short.decisions,
        short.trace.join("\n")
    )
}

/// Leads each life of these seeds so often; the decisions made.
fn lead_all(first: u64, count: u64, times: u64) -> u64 {
    let next = AtomicU64::new(first);
    let decisions = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let begun = Instant::now();
    let one_thread = || {
        let mut stories = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                break;
            }
            let led = lead(Chance::of_seed(seed), false);
            let so_far = decisions.fetch_add(led.decisions, Ordering::Relaxed);
            if let Some(wrong) = &led.wrong {
                failed.store(true, Ordering::Relaxed);
                stories.push(story(seed, &led, wrong));
                break;
            }
            for _ in 1..times {
                let again = lead(Chance::of_seed(seed), false);
                if (again.mark, again.decisions) != (led.mark, led.decisions) {
                    failed.store(true, Ordering::Relaxed);
                    stories.push(format!("seed {seed}: led twice, it went two ways"));
                }
            }
            if seed % 20_000 == 19_999 {
                let seconds = begun.elapsed().as_secs();
                println!(
                    "{} seeds, {so_far} decisions, {seconds} s",
                    seed + 1 - first
                );
            }
        }
        stories
    };
    let stories: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let thread = std::thread::Builder::new().name(THREAD_NAME.to_owned());
                thread.spawn_scoped(scope, one_thread).expect("a thread")
            })
            .collect();
        let stories = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        stories.flat_map(|ended| ended.expect("a thread")).collect()
    });
    assert!(stories.is_empty(), "{}", stories.join("\n\n"));
    decisions.into_inner()
}

#[test]
fn nothing_is_lost_nothing_is_sent_twice_and_everything_ends() {
    run();
}

/// As many seeds as the environment says.
pub(super) fn run() {
    let first = number("LABFERRY_FIRST_SEED").unwrap_or(0);
    let count = number("LABFERRY_SEEDS").unwrap_or(USUAL_SEEDS);
    let times = number("LABFERRY_TIMES").unwrap_or(2);
    keep_quiet();
    let begun = Instant::now();
    let decisions = lead_all(first, count, times);
    println!(
        "{count} seeds, each led {times} times: {decisions} decisions, {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

/// What shall happen in the lives now and then, as words of their traces.
const EVENTFUL: [&str; 42] = [
    "the plug is pulled",
    "the person closes the program",
    "the program ends before the journal is written",
    "the program ends after the journal is written",
    "the journal's drive is full",
    "the clock jumps by 3 hours",
    "the clock jumps by -26 hours",
    "the clock is set by",
    "broken off: Submit",
    "broken off: Fetch",
    "weather at 1: maintenance",
    "weather at 2: quota spent, with a time",
    "weather at 3: the key is revoked",
    "weather at 4: no network",
    "Broke(Submit",
    "Broke(Stage",
    "Broke(Fetch",
    "LetKeep",
    "LetCommit",
    "Stop(Submit",
    "Stop(Stage",
    "Stop(Fetch",
    "Unconfirmed",
    "Ok(Nothing)",
    "Ok(Perhaps",
    "Ok(Job(",
    "Resolve",
    "RetryFailed",
    "ForgetJob",
    "RemoveJob",
    "RemoveConnection",
    "ForgetSecrets",
    "AdoptJob",
    "Unrecognized",
    "Cancelled",
    "Gone",
    "Preparing",
    "DiskFull",
    "Unpacked(",
    "CancelAnswered",
    "Gathered(",
    "RenewNetwork",
];

#[test]
fn everything_that_can_happen_does_happen_in_some_lives() {
    keep_quiet();
    let mut unseen: Vec<&str> = EVENTFUL.to_vec();
    for seed in 0..400 {
        let led = lead(Chance::of_seed(seed), true);
        unseen.retain(|words| !led.trace.iter().any(|line| line.contains(words)));
    }
    assert!(unseen.is_empty(), "never happened: {unseen:?}");
}
