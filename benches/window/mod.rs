//! Times of the window's thread for frames: input, layout and tessellation on the processor, without a display; what the
//! graphics card does is not in it.

use std::time::Duration;

use egui_kittest::Harness;

/// How long frames took.
#[derive(Default)]
pub(crate) struct Frames(Vec<Duration>);

impl Frames {
    /// Draws a frame and keeps how long this thread was on a processor for it.
    pub(crate) fn step(&mut self, harness: &mut Harness<'_>) {
        let before = busy();
        harness.step();
        let pixels = harness.ctx.pixels_per_point();
        let shapes = harness.output().shapes.clone();
        drop(harness.ctx.tessellate(shapes, pixels));
        self.0.push(busy().saturating_sub(before));
    }

    /// A line of how long they took.
    pub(crate) fn report(mut self) -> String {
        self.0.sort_unstable();
        let last = self.0.len() - 1;
        let one_in = |part: usize| self.0[last - self.0.len() / part].as_secs_f64() * 1e3;
        format!(
            "{} frames: median {:.2} ms, 99th percentile {:.2} ms, slowest {:.2} ms",
            self.0.len(),
            one_in(2),
            one_in(100),
            self.0[last].as_secs_f64() * 1e3,
        )
    }
}

/// Time this thread was on a processor.
#[cfg(unix)]
fn busy() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}

/// Where a thread's own time is not known: time, which is more.
#[cfg(not(unix))]
fn busy() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// The most memory this process had, as the system counts it.
pub(crate) fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}
