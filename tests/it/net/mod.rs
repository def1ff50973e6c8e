//! The network layer against a hand-made server on loopback.

mod download;
mod parts;
mod requests;
pub(crate) mod server;
mod small;
mod speed;
mod upload;
mod wide;

use std::fmt::Write as _;
use std::path::Path;

use labferry::model::file::LocalFile;
use labferry::model::provider::Limits;
use labferry::model::secret::Secret;
use labferry::net::api::{Api, Auth};
use labferry::net::client::{Http, NetOptions, Patience};
use labferry::net::errors::usual_complaint;
use labferry::net::retry::RetryPolicy;

pub(crate) const LIMITS: Limits = Limits {
    requests_per_second: 1000,
    parallel_requests: 4,
    parallel_uploads: 2,
    jobs_alive: None,
};

fn http() -> Http {
    Http::new(&NetOptions {
        patience: Patience::tiny(),
        retry: RetryPolicy::tiny(),
        ..NetOptions::default()
    })
    .unwrap()
}

pub(crate) fn api(url: &str) -> Api {
    let auth = Auth::Header("x-api-key", key());
    Api::new(&http(), url, auth, &LIMITS, usual_complaint).unwrap()
}

fn key() -> Secret {
    Secret::parse_key("canary-key").unwrap()
}

fn write(path: &Path, bytes: &[u8]) {
    let mut file = std::fs::File::create(path).unwrap();
    std::io::copy(&mut &*bytes, &mut file).unwrap();
}

fn picked(path: &Path) -> LocalFile {
    let metadata = std::fs::metadata(path).unwrap();
    LocalFile {
        path: path.to_owned(),
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        folder: String::new(),
        size_bytes: metadata.len(),
        modified: metadata
            .modified()
            .ok()
            .and_then(|time| time.try_into().ok()),
    }
}

/// Bytes that are nowhere the same for long.
pub(crate) fn content(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
