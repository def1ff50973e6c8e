//! Parts of uploads as they arrive at the storage.
//!
//! Owns what such storage insists on (a signature that is still good, a length, nothing but the headers it was signed
//! for) and writing bytes as they come: no part is ever held as a whole, and blocks of zeros become holes.

use std::collections::BTreeMap;
use std::io::SeekFrom;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use md5::{Digest as _, Md5};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use crate::providers::seven_bridges::sim::store::Blob;
use crate::providers::seven_bridges::sim::upload::{OPEN, PART_HEADER, Part};
use crate::providers::seven_bridges::sim::{Shared, new_id};
use crate::sandbox::storage::{refuse_signature, xml_error};
use crate::sandbox::world::{World, lock};

const BLOCK_BYTES: usize = 1 << 20;
static ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];
/// The most a single PUT may carry.
const MOST_BYTES: u64 = 5 << 30;

/// What the storage's routes need.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    pub(super) world: Arc<World>,
    pub(super) shared: Arc<Shared>,
}

/// `PUT /sb-parts/{key}/{n}`
pub(super) async fn put(
    State(storage): State<Storage>,
    Path((key, number)): Path<(String, u64)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let refusal = refuse_signature(&storage.world, &head.uri)
        .or_else(|| refuse_headers(&storage.world, &head.headers));
    if let Some(refusal) = refusal {
        // Read to the end first: an early answer to a large body can be lost on its way.
        let mut body = body.into_data_stream();
        while let Some(Ok(_bytes)) = body.next().await {}
        return refusal;
    }
    let length = content_length(&head.headers).unwrap_or(0);
    let Some((place, start)) = place(&storage.shared, &key, number, length) else {
        return xml_error(
            StatusCode::NOT_FOUND,
            "NoSuchUpload",
            "The specified upload does not exist.",
        );
    };
    match receive(&storage.shared, &place, start, body, length).await {
        Ok(Some(etag)) => {
            let part = Part {
                etag: etag.clone(),
                bytes: length,
                apart: place.apart,
            };
            if let Some(upload) = lock(&storage.shared.uploads).get_mut(&key) {
                upload.arrived.insert(number, part);
            }
            (StatusCode::OK, [(header::ETAG, format!("\"{etag}\""))]).into_response()
        }
        Ok(None) => xml_error(
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        ),
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot store a part");
            xml_error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
            )
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn refuse_headers(world: &World, headers: &HeaderMap) -> Option<Response> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Some(xml_error(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        ));
    }
    let Some(length) = content_length(headers) else {
        return Some(xml_error(
            StatusCode::LENGTH_REQUIRED,
            "MissingContentLength",
            "You must provide the Content-Length HTTP header.",
        ));
    };
    if length > MOST_BYTES {
        return Some(xml_error(
            StatusCode::BAD_REQUEST,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        ));
    }
    let (name, value) = PART_HEADER;
    let wanted = world.faults().is("sb.part-headers", "some");
    let has = headers.get(name).is_some_and(|sent| sent == value);
    if headers.contains_key(header::CONTENT_TYPE) || has != wanted {
        return Some(xml_error(
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        ));
    }
    None
}

/// Where a part is written.
#[derive(Debug)]
struct Place {
    /// The file of the whole upload, kept while it is written to.
    whole: Arc<Blob>,
    /// A file of its own: for a part of an odd size, and for one that somebody has begun to write before.
    apart: Option<Arc<Blob>>,
}

fn place(shared: &Shared, key: &str, number: u64, length: u64) -> Option<(Place, u64)> {
    let mut uploads = lock(&shared.uploads);
    let upload = uploads.get_mut(key)?;
    let whole = Arc::clone(&upload.whole);
    if length == upload.expected(number) && upload.begun.insert(number) {
        let apart = None;
        return Some((Place { whole, apart }, upload.start(number)));
    }
    let apart = Some(Arc::new(Blob {
        path: shared.blobs.join(OPEN).join(new_id()),
        bytes: length,
    }));
    Some((Place { whole, apart }, 0))
}

/// Writes the body; nothing when it is shorter than announced.
async fn receive(
    shared: &Shared,
    place: &Place,
    start: u64,
    body: Body,
    length: u64,
) -> std::io::Result<Option<String>> {
    let file = match &place.apart {
        Some(apart) => {
            let file = File::create_new(&apart.path).await?;
            file.set_len(length).await?;
            file
        }
        None => File::options().write(true).open(&place.whole.path).await?,
    };
    let mut writer = Writer {
        file,
        next: start,
        at: None,
        hash: Hash::default(),
    };
    let mut body = body.into_data_stream();
    let mut block = BytesMut::with_capacity(BLOCK_BYTES);
    let mut received = 0_u64;
    while let Some(chunk) = body.next().await {
        let Ok(mut chunk) = chunk else {
            return Ok(None);
        };
        received += bytes_of(&chunk);
        while !chunk.is_empty() {
            let room = BLOCK_BYTES.saturating_sub(block.len()).min(chunk.len());
            block.extend_from_slice(&chunk.split_to(room));
            if block.len() == BLOCK_BYTES {
                writer.write(&block).await?;
                block.clear();
            }
        }
    }
    writer.write(&block).await?;
    writer.file.flush().await?;
    if received != length {
        return Ok(None);
    }
    Ok(Some(writer.hash.finish(&shared.zero_etags)))
}

fn bytes_of(chunk: &[u8]) -> u64 {
    u64::try_from(chunk.len()).unwrap_or(u64::MAX)
}

/// Writes block after block, leaving holes for zeros.
struct Writer {
    file: File,
    /// Where the next block belongs.
    next: u64,
    /// Where the file stands, when known.
    at: Option<u64>,
    hash: Hash,
}

impl Writer {
    async fn write(&mut self, block: &[u8]) -> std::io::Result<()> {
        let empty = ZEROS.get(..block.len()) == Some(block);
        self.hash.update(block, empty);
        let end = self.next + bytes_of(block);
        if !empty {
            if self.at != Some(self.next) {
                self.file.seek(SeekFrom::Start(self.next)).await?;
            }
            self.file.write_all(block).await?;
            self.at = Some(end);
        }
        self.next = end;
        Ok(())
    }
}

/// MD5 that does nothing as long as all bytes are zero: sparse files are large.
#[derive(Default)]
struct Hash {
    zeros: u64,
    begun: Option<Md5>,
}

impl Hash {
    fn update(&mut self, block: &[u8], empty: bool) {
        match &mut self.begun {
            Some(hash) => hash.update(block),
            None if empty => self.zeros += bytes_of(block),
            None => {
                let mut hash = of_zeros(self.zeros);
                hash.update(block);
                self.begun = Some(hash);
            }
        }
    }

    /// The hash in hexadecimal; that of so many zeros is remembered.
    fn finish(self, known: &Mutex<BTreeMap<u64, String>>) -> String {
        match self.begun {
            Some(hash) => hexadecimal(hash),
            None => lock(known)
                .entry(self.zeros)
                .or_insert_with(|| hexadecimal(of_zeros(self.zeros)))
                .clone(),
        }
    }
}

fn of_zeros(mut bytes: u64) -> Md5 {
    let mut hash = Md5::new();
    while bytes > 0 {
        let block = usize::try_from(bytes)
            .unwrap_or(BLOCK_BYTES)
            .min(BLOCK_BYTES);
        hash.update(ZEROS.get(..block).unwrap_or_default());
        bytes -= u64::try_from(block).unwrap_or(bytes);
    }
    hash
}

fn hexadecimal(hash: Md5) -> String {
    let digits = |byte: &u8| format!("{byte:02x}");
    hash.finalize().iter().map(digits).collect()
}
