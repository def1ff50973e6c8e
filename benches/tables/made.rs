//! A table as a cell-counting pipeline would write it: numbers, classes, file names, a note with quoted line breaks.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

const NAMES: &str =
    "object_id,image,well,class,area_um2,mean_intensity,x,y,solidity,score,note,batch\n";

/// Writes so many rows so many times over. Its length in bytes.
pub(crate) fn table(path: &Path, rows: u64, times: u64) -> u64 {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    out.write_all(NAMES.as_bytes()).unwrap();
    let mut random = fastrand::Rng::with_seed(9);
    for row in 0..rows * times {
        let note = match random.u32(0..485) {
            0..5 => "\"first line\nsecond \"\"line\"\", with comma\"",
            5..100 => "checked",
            _ => "",
        };
        let well = char::from(b'A' + random.u8(0..8));
        let class = ["Nucleus", "Cell", "Debris", "Mitotic"][random.usize(0..4)];
        writeln!(
            out,
            "{row:08},plate7_{:02}_f{}.tif,{well}{:02},{class},{:.3},{:.4},{:.2},{:.2},0.{:05},0.{:04},{note},b{}",
            random.u8(0..24),
            random.u8(0..9),
            random.u8(1..13),
            random.f64() * 1000.0,
            random.f64() * 9000.0,
            random.f64() * 2048.0,
            random.f64() * 2048.0,
            random.u32(0..100_000),
            random.u32(0..10_000),
            random.u8(0..40),
        )
        .unwrap();
    }
    out.flush().unwrap();
    path.metadata().unwrap().len()
}
