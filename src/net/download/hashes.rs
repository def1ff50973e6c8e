//! Hashes of a file on its way: the one that is always recorded, and what a storage says that the file hashes to.
//!
//! Only what is documented to be the hash of the whole file is believed: `Repr-Digest` (RFC 9530), `Digest` (RFC 3230),
//! S3's full-object `x-amz-checksum-sha256`, `x-goog-hash`, Azure's `x-ms-blob-content-md5`, and the `ETag` of S3 itself
//! where the object came in one part and is not encrypted with a key of its own, which S3 documents to be an MD5.

use base64::Engine as _;
use md5::Md5;
use reqwest::header::{ETAG, HeaderMap, SERVER};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::net::upload::hex;

/// What a storage says the whole file hashes to; lower-case hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Promised {
    sha256: Option<String>,
    md5: Option<String>,
}

impl Promised {
    /// Reads what an answer with the file, or a range of it, says.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let is_composite = text(headers, "x-amz-checksum-type")
            .is_some_and(|kind| !kind.eq_ignore_ascii_case("FULL_OBJECT"));
        let of_s3 = text(headers, "x-amz-checksum-sha256").filter(|_| !is_composite);
        // Served unpacked, the stored hash is of other bytes.
        let is_stored_packed = text(headers, "x-goog-stored-content-encoding")
            .is_some_and(|coding| coding != "identity");
        let of_google = listed(headers, "x-goog-hash", "md5").filter(|_| !is_stored_packed);
        Self {
            sha256: listed(headers, "repr-digest", "sha-256")
                .or_else(|| listed(headers, "digest", "sha-256"))
                .or(of_s3)
                .and_then(|encoded| decoded(encoded, 32)),
            md5: of_google
                .or_else(|| text(headers, "x-ms-blob-content-md5"))
                .and_then(|encoded| decoded(encoded, 16))
                .or_else(|| etag_of_s3(headers)),
        }
    }

    /// Whether this is something else than what was promised.
    pub(crate) fn is_broken_by(&self, sha256: &str, md5: Option<&str>) -> bool {
        self.sha256.as_deref().is_some_and(|said| said != sha256)
            || matches!((self.md5.as_deref(), md5), (Some(said), Some(md5)) if said != md5)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A value out of `name=value, …` in one or several headers; without the colons of structured fields.
fn listed<'a>(headers: &'a HeaderMap, header: &str, name: &str) -> Option<&'a str> {
    headers
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|entry| entry.trim().split_once('='))
        .find(|(known, _value)| known.eq_ignore_ascii_case(name))
        .map(|(_name, value)| value.trim().trim_matches(':'))
}

/// Base64 of exactly so many bytes, as hexadecimal.
fn decoded(encoded: &str, length: usize) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()?;
    (bytes.len() == length).then(|| hex(&bytes))
}

fn etag_of_s3(headers: &HeaderMap) -> Option<String> {
    let is_s3 = headers
        .get(SERVER)
        .is_some_and(|server| server == "AmazonS3");
    let has_own_key = headers.contains_key("x-amz-server-side-encryption-customer-algorithm")
        || text(headers, "x-amz-server-side-encryption").is_some_and(|kind| kind != "AES256");
    let etag = text(headers, ETAG.as_str())?.strip_prefix('"')?;
    let etag = etag.strip_suffix('"')?;
    let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_s3 && !has_own_key && is_md5).then(|| etag.to_ascii_lowercase())
}

/// The hashes of a file while it is read from its first byte to its last.
#[derive(Debug)]
pub(super) struct Hashes {
    sha256: Sha256,
    md5: Option<Md5>,
}

impl Hashes {
    /// MD5 costs as much as the rest together, so only where one was promised.
    pub(super) fn new(promised: &Promised) -> Self {
        Self {
            sha256: Sha256::new(),
            md5: promised.md5.is_some().then(Md5::new),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    /// SHA-256, and MD5 where one was promised.
    pub(super) fn end(self) -> (String, Option<String>) {
        let md5 = self.md5.map(|md5| hex(&md5.finalize()));
        (hex(&self.sha256.finalize()), md5)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn promised(pairs: &[(&'static str, &str)]) -> (Option<String>, Option<String>) {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| {
                let value = HeaderValue::from_str(value).unwrap();
                (HeaderName::from_static(name), value)
            })
            .collect();
        let Promised { sha256, md5 } = Promised::read(&headers);
        (sha256, md5)
    }

    #[test]
    fn only_hashes_of_the_whole_file_are_believed() {
        // Of nothing, as both are known by heart.
        let sha = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let md5 = "1B2M2Y8AsgTpgAmY7PhCfg==";
        let sha_hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let md5_hex = "d41d8cd98f00b204e9800998ecf8427e";
        let s3 = ("server", "AmazonS3");
        let etag = format!("\"{md5_hex}\"");
        let (repr, old) = (format!("sha-256=:{sha}:"), format!("md5=x,SHA-256={sha}"));
        let google = format!("crc32c=AAAAAA==,md5={md5}");
        for (headers, is_sha, is_md5) in [
            (vec![("repr-digest", repr.as_str())], true, false),
            (vec![("digest", old.as_str())], true, false),
            (vec![("x-amz-checksum-sha256", sha)], true, false),
            (
                vec![
                    ("x-amz-checksum-sha256", sha),
                    ("x-amz-checksum-type", "COMPOSITE"),
                ],
                false,
                false,
            ),
            (
                vec![("x-amz-checksum-sha256", "47DEQpj8HBSa-3")],
                false,
                false,
            ),
            (vec![("x-goog-hash", google.as_str())], false, true),
            (
                vec![
                    ("x-goog-hash", google.as_str()),
                    ("x-goog-stored-content-encoding", "gzip"),
                ],
                false,
                false,
            ),
            (vec![("x-ms-blob-content-md5", md5)], false, true),
            (vec![("content-md5", md5)], false, false),
            (vec![s3, ("etag", &etag)], false, true),
            (
                vec![
                    s3,
                    ("etag", &etag),
                    ("x-amz-server-side-encryption", "AES256"),
                ],
                false,
                true,
            ),
            (
                vec![
                    s3,
                    ("etag", &etag),
                    ("x-amz-server-side-encryption", "aws:kms"),
                ],
                false,
                false,
            ),
            (
                vec![s3, ("etag", "\"d41d8cd98f00b204e9800998ecf8427e-2\"")],
                false,
                false,
            ),
            (vec![("etag", &etag)], false, false),
            (vec![], false, false),
        ] {
            let expected = (
                is_sha.then(|| sha_hex.to_owned()),
                is_md5.then(|| md5_hex.to_owned()),
            );
            assert_eq!(promised(&headers), expected, "{headers:?}");
        }
    }
}
