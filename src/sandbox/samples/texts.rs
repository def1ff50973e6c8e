//! Invented tables and reads, and a sequence.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::sandbox::samples::dice::Dice;

/// Human ubiquitin, `UniProt` P0CG48, residues 1 to 76.
pub(super) const UBIQUITIN: &str = ">ubiquitin human, 76 residues\n\
    MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYN\n\
    IQKESTLHLVLRLRGG\n";

/// A plate of 96 wells, with what makes tables hard: leading zeros, commas in quotes, empty cells.
pub(super) fn plate_layout() -> String {
    let mut lines = vec!["plate,well,sample id,treatment,dose µM,comment".to_owned()];
    let treatments = ["vehicle", "\"taxol, early\"", "nocodazole"];
    for (row, letter) in ('A'..='H').enumerate() {
        for column in 1..=12 {
            let number = row * 12 + column;
            let treatment = treatments.get(number % 3).copied().unwrap_or_default();
            let dose = match number % 3 {
                0 => String::new(),
                step => format!("{}.{}", step * column, number % 10),
            };
            let comment = if number % 40 == 7 {
                "\"edge well, check \"\"focus\"\" again\""
            } else {
                ""
            };
            lines.push(format!(
                "P01,{letter}{column:02},{number:05},{treatment},{dose},{comment}"
            ));
        }
    }
    lines.join("\r\n") + "\r\n"
}

/// Counts of a few genes over samples, separated by tabs.
pub(super) fn expression_summary() -> String {
    let mut dice = Dice::new(77);
    let mut lines = vec!["gene\tsample_1\tsample_2\tsample_3\tlog2_fold_change".to_owned()];
    for gene in [
        "ACTB", "GAPDH", "TP53", "MKI67", "TUBB", "MARCHF1", "SEPTIN2", "CDK1", "CCNB1", "LMNA",
        "HIST1H3A", "ORC1", "PCNA", "AURKA", "PLK1", "BUB1",
    ] {
        let [one, two, three] = [(); 3].map(|()| dice.below(9000));
        let change = dice.between(0, 6) - 3.0;
        lines.push(format!("{gene}\t{one}\t{two}\t{three}\t{change:.4}"));
    }
    lines.join("\n") + "\n"
}

/// Sequencing reads whose quality falls towards their end, the last of them poor.
pub(super) fn reads(seed: u64, count: u32) -> String {
    const BASES: [char; 4] = ['A', 'C', 'G', 'T'];
    let mut dice = Dice::new(seed);
    let mut lines = Vec::new();
    for number in 1..=count {
        let length = 60 + dice.below(16);
        let best = if number + 3 > count { 14 } else { 38 };
        let mut sequence = String::new();
        let mut qualities = String::new();
        for place in 0..length {
            let base = usize::try_from(dice.below(4)).unwrap_or(0);
            sequence.push(BASES.get(base).copied().unwrap_or('N'));
            let quality = 33 + best - place / 8 + dice.below(3);
            qualities.push(char::from_u32(quality).unwrap_or('!'));
        }
        lines.push(format!(
            "@sample.{seed}.{number}\n{sequence}\n+\n{qualities}"
        ));
    }
    lines.join("\n") + "\n"
}

/// As `gzip` writes it, without squeezing: so its bytes are the same whichever way the work is done.
pub(super) fn gzip(text: &str) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(text.as_bytes())?;
    packed.finish()
}
