//! Where results come from, told three times from the same facts: the receipt for Labferry, an RO-Crate for other programs
//! and a paragraph for the paper.
//!
//! The facts are those of the receipt and nothing else, so what is written twice is the same to the byte. Gathering the
//! facts is the engine's, reading a receipt is `receipt`'s.

mod job;
mod methods;
mod process_run;
mod uri;

pub use crate::results::provenance::job::{JobRecord, PlacedInput, RunState, SettingRecord};
pub use crate::results::provenance::methods::paragraph;

use crate::results::disk;
use crate::results::names;
use crate::results::receipt::{self, Receipt, ReceiptError};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// The RO-Crate's name inside a batch's results folder; given by its specification.
pub const CRATE_NAME: &str = "ro-crate-metadata.json";

/// The name of the paragraph for the paper.
pub const METHODS_NAME: &str = "methods.txt";

/// Writes the paragraph, the crate and, last, the receipt. At every moment each of them is whole, old or new.
///
/// A paragraph or a crate that somebody has worked on is not overwritten: it keeps its content under another name.
pub fn write(folder: &Path, mut receipt: Receipt) -> Result<(), ReceiptError> {
    let told = [
        (METHODS_NAME, paragraph(&receipt).into_bytes()),
        (CRATE_NAME, process_run::metadata(&receipt)?),
    ];
    for (name, bytes) in told {
        let known = receipt.beside.get(name).map(String::as_str);
        replace(folder, name, &bytes, known).map_err(ReceiptError::Io)?;
        receipt.beside.insert(name.to_owned(), hash(&bytes));
    }
    receipt::write(folder, &receipt)
}

/// Whether this file of a results folder, named as the receipt names files, is one Labferry wrote about the others.
pub(in crate::results) fn is_about_the_others(path: &str) -> bool {
    path == METHODS_NAME || path == CRATE_NAME
}

fn replace(folder: &Path, name: &str, bytes: &[u8], known: Option<&str>) -> io::Result<()> {
    let place = folder.join(name);
    match fs::symlink_metadata(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(there) => {
            let present = if there.is_file() {
                Some(disk::fingerprint(&place)?.1)
            } else {
                None
            };
            if present.as_deref() == Some(hash(bytes).as_str()) {
                return Ok(());
            }
            if present.is_none() || present.as_deref() != known {
                put_aside(folder, name)?;
            }
        }
    }
    disk::write_whole(folder, name, bytes)
}

/// Gives what somebody made of a file the next free name.
fn put_aside(folder: &Path, name: &str) -> io::Result<()> {
    let mut taken: BTreeSet<String> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| names::fold(&entry.file_name().to_string_lossy()))
        .collect();
    let free = names::unique(&mut taken, name);
    fs::rename(folder.join(name), folder.join(free))
}

fn hash(bytes: &[u8]) -> String {
    disk::hex(&Sha256::digest(bytes))
}

/// A time to the second, in UTC, as ISO 8601 has it.
fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

#[cfg(test)]
mod tests;
