//! Bodies that come in pieces, with pauses and breaks that no archive can be made to show.

use super::{Copied, Trouble, Unpacking};
use crate::results::unzip::staging::Staging;
use crate::results::unzip::{Limits, UnzipError};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, Read};

/// Gives one answer after the other, then ends.
struct Body(VecDeque<io::Result<&'static [u8]>>);

impl Read for Body {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let Some(answer) = self.0.pop_front() else {
            return Ok(0);
        };
        let bytes = answer?;
        block[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

/// How copying a body ends, and what the meter heard.
fn copied(
    answers: impl IntoIterator<Item = io::Result<&'static [u8]>>,
) -> (Result<Copied, UnzipError>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::fresh(&folder.path().join("into")).unwrap();
    let heard = Cell::new(0);
    let meter = |bytes| heard.set(heard.get() + bytes);
    let limits = Limits::default();
    let mut unpacking = Unpacking::new(&staging, &limits, 100, &meter, &|| false);
    let outcome = unpacking.copy(&mut Body(answers.into_iter().collect()), 1000);
    let whole = matches!(outcome, Ok(Copied::Whole { .. }));
    assert!(!whole || std::fs::read(staging.part()).unwrap() == b"abcdef");
    (outcome, heard.get())
}

#[test]
fn an_interrupted_read_is_read_again() {
    let interrupted = || Err(io::Error::from(io::ErrorKind::Interrupted));
    let (outcome, heard) = copied([
        interrupted(),
        Ok(b"abc".as_slice()),
        interrupted(),
        Ok(b"def"),
    ]);
    let Ok(Copied::Whole { size_bytes, sha256 }) = outcome else {
        panic!("not whole");
    };
    assert_eq!((size_bytes, heard), (6, 6));
    // Of "abcdef", by any other tool.
    assert_eq!(
        sha256,
        "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721"
    );
}

#[test]
fn a_read_that_breaks_is_damage_whatever_came_before() {
    let broken = Err(io::Error::from(io::ErrorKind::InvalidData));
    let (outcome, heard) = copied([Ok(b"abc".as_slice()), broken, Ok(b"def")]);
    assert!(matches!(outcome, Ok(Copied::Bad(Trouble::Damaged(_)))));
    assert_eq!(heard, 3);
}
