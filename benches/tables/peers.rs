//! Other programs that do the same.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Measure;

/// Sorting the one column, timed inside so that starting Python does not count.
pub(crate) const POLARS_SORT: &str = "
import polars
def work(path): return polars.scan_csv(path).select('area_um2').sort('area_um2').collect()
";

/// Rows whose class holds a text.
pub(crate) const POLARS_FILTER: &str = "
import polars
def work(path):
    has = polars.col('class').str.contains('Mito', literal=True)
    return polars.scan_csv(path).filter(has).select(polars.len()).collect()
";

/// The same.
pub(crate) const DUCKDB_FILTER: &str = "
import duckdb
def work(path):
    return duckdb.sql(f\"select count(*) from read_csv('{path}') where contains(class, 'Mito')\").fetchall()
";

/// csvlens on a terminal, until its status line has the last total: the rows, or one of every line end as in 0.15. It draws
/// only what changed of its screen, so `pyte` puts that together.
const CSVLENS: &str = r"
import fcntl, os, pty, select, struct, sys, termios, time
import pyte
path, rows = sys.argv[1], int(sys.argv[2])
with open(path, 'rb') as table:
    lines = sum(block.count(b'\n') for block in iter(lambda: table.read(1 << 20), b'')) - 1
totals = [f'Row 1/{total},' for total in (rows, lines)]
screen = pyte.Screen(160, 40)
stream = pyte.ByteStream(screen)
started = time.time()
pid, terminal = pty.fork()
if pid == 0:
    size = struct.pack('HHHH', 40, 160, 0, 0)
    fcntl.ioctl(0, termios.TIOCSWINSZ, size)
    os.environ['TERM'] = 'xterm-256color'
    os.execvp('csvlens', ['csvlens', path])
while time.time() - started < 300:
    if select.select([terminal], [], [], 0.01)[0]:
        try: stream.feed(os.read(terminal, 65536))
        except OSError: break
    if any(total in line for line in screen.display for total in totals):
        print(time.time() - started, 0)
        break
os.write(terminal, b'q')
";

/// Reads the file once, so that it is in the page cache.
pub(crate) fn warm(table: &Path) {
    drop(
        Command::new("cat")
            .arg(table)
            .stdout(Stdio::null())
            .status(),
    );
}

pub(crate) fn wc(table: &Path) -> Option<Measure> {
    timed(Command::new("wc").arg("-l").arg(table))
}

pub(crate) fn xan_count(table: &Path) -> Option<Measure> {
    timed(Command::new("xan").arg("count").arg(table))
}

pub(crate) fn xan_search(table: &Path) -> Option<Measure> {
    timed(
        Command::new("xan")
            .args(["search", "-s", "class", "Mito"])
            .arg(table),
    )
}

pub(crate) fn csvlens(table: &Path, rows: u64) -> Option<Measure> {
    let mut python = Command::new("python3");
    python
        .args(["-c", CSVLENS])
        .arg(table)
        .arg(rows.to_string());
    printed(&mut python)
}

pub(crate) fn python(work: &str, table: &Path) -> Option<Measure> {
    let timing = "
import resource, sys, time
started = time.time()
work(sys.argv[1])
print(time.time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
";
    let mut python = Command::new("python3");
    python.arg("-c").arg(format!("{work}{timing}")).arg(table);
    printed(&mut python)
}

fn timed(command: &mut Command) -> Option<Measure> {
    let started = Instant::now();
    let status = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let seconds = started.elapsed().as_secs_f64();
    status.success().then_some(Measure {
        seconds,
        peak_mib: 0,
    })
}

fn printed(command: &mut Command) -> Option<Measure> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace();
    let seconds = words.next()?.parse().ok()?;
    let peak_mib = words.next()?.parse().ok()?;
    Some(Measure { seconds, peak_mib })
}
