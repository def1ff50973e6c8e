//! The SHA-256 of a file of any size, with a way to hear how far it is and to stop it.

use crate::results::disk::{BLOCK_BYTES, hex, read_at};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io;
use std::path::Path;

/// Hashes a file as it is now. `go_on` hears of the bytes done and can stop it: then there is no hash.
pub fn sha256(path: &Path, go_on: &mut dyn FnMut(u64) -> bool) -> io::Result<Option<String>> {
    let file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0_u8; BLOCK_BYTES];
    let mut done_bytes = 0_u64;
    loop {
        let read = read_at(&file, &mut block, done_bytes)?;
        if read == 0 {
            return Ok(Some(hex(&hash.finalize())));
        }
        hash.update(block.get(..read).unwrap_or_default());
        done_bytes += read as u64;
        if !go_on(done_bytes) {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sha256;
    use std::io::Write as _;

    #[test]
    fn a_file_is_hashed_and_can_be_left() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(
            sha256(file.path(), &mut |_| true).unwrap().unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        file.write_all(b"abc").unwrap();
        assert_eq!(
            sha256(file.path(), &mut |_| true).unwrap().unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        file.write_all(&vec![7; 3 << 20]).unwrap();
        let mut heard = 0;
        let left = sha256(file.path(), &mut |done| {
            heard = done;
            false
        });
        assert_eq!(left.unwrap(), None);
        assert_eq!(heard, 1 << 20);
    }
}
