//! The person's own bucket: its address and keys, and the few calls of S3 that staging needs. The requests are signed
//! into their addresses, so that no header carries a key. What is put where is decided in `stage` and `asset`.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response, Url};
use rusty_s3::actions::{CompleteMultipartUpload, CreateMultipartUpload, ListObjectsV2};
use rusty_s3::{Bucket as Place, Credentials, S3Action as _, UrlStyle};
use tokio::time::timeout;

use crate::model::connection::{clean_base_url, may_carry_key};
use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::safe_url::SafeUrl;
use crate::net::client::{Connections, Http};
use crate::net::errors;
use crate::net::retry::Idempotent;
use crate::net::storage_errors::from_storage;
use crate::providers::Secrets;
use crate::providers::code_ocean::bucket_answers::{
    element, etag_in, explain, have_part, is_gone, refuse_late, unreadable,
};

/// How long a signed address is good; it counts at the start of a request.
const SIGNED_FOR: Duration = Duration::from_hours(1);
/// Longest answer taken; a list of a thousand parts or objects fits easily.
const LONGEST_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Pages of a list looked at: more parts than an upload may have, more objects than a batch.
const MOST_PAGES: usize = 100;
/// The region of buckets nobody gave another.
const USUAL_REGION: &str = "us-east-1";
const DOING: Doing = Doing::Upload;

/// The bucket behind one connection.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    http: Http,
    place: Place,
    credentials: Credentials,
    /// A folder in it that the person named with it; empty or ending in a slash.
    folder: String,
}

/// A part of an unfinished upload that the bucket has.
#[derive(Clone, Debug)]
pub(super) struct HavePart {
    pub(super) number: u16,
    pub(super) etag: String,
    pub(super) size_bytes: u64,
}

/// An answer read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Bucket {
    /// Reads what the connection says; none where it says nothing about a bucket.
    ///
    /// # Errors
    /// A bucket without keys, keys without a bucket, an address that is none.
    pub(super) fn of(
        option: impl Fn(&str) -> Option<String>,
        secrets: &Secrets,
        http: &Http,
    ) -> Result<Option<Self>> {
        let refused = |hint: &str| Error::new(ErrorKind::Invalid, Doing::Connect).hint(hint);
        let named = option("bucket");
        let key = secrets.get("access_key");
        let secret = secrets.get("secret_key");
        let (named, key, secret) = match (named, key, secret) {
            (None, None, None) => return Ok(None),
            (None, _, _) => {
                return Err(refused(
                    "There are keys of a staging bucket but no bucket; enter its name, or leave the whole part empty",
                ));
            }
            (Some(_), None, _) | (Some(_), _, None) => {
                return Err(refused(
                    "The staging bucket has no keys; enter the access key id and the secret access key of a user who may write into it",
                ));
            }
            (Some(named), Some(key), Some(secret)) => (named, key, secret),
        };
        let cleaned = named.trim().trim_start_matches("s3://").trim_matches('/');
        let (name, folder) = cleaned.split_once('/').unwrap_or((cleaned, ""));
        let is_name = name.len() >= 3
            && name.chars().all(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_')
            });
        if !is_name || folder.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(refused(
                "The name of the staging bucket is not one a bucket can have",
            ));
        }
        let region = option("bucket_region").unwrap_or_else(|| USUAL_REGION.to_owned());
        let (endpoint, style) = endpoint(option("bucket_endpoint"), name, &region)?;
        let place = Place::new(endpoint, style, name.to_owned(), region.trim().to_owned())
            .map_err(|error| {
                refused("The staging bucket has no address that works; check its name, region and endpoint")
                    .caused_by(&error)
            })?;
        Ok(Some(Self {
            http: http.clone(),
            place,
            credentials: Credentials::new(key.reveal(), secret.reveal()),
            folder: match folder {
                "" => String::new(),
                folder => format!("{folder}/"),
            },
        }))
    }

    pub(super) const fn http(&self) -> &Http {
        &self.http
    }

    pub(super) fn name(&self) -> &str {
        self.place.name()
    }

    /// The key of something below our part of the bucket; a part that is a step upwards has none.
    pub(super) fn key(&self, parts: &[&str]) -> Result<String> {
        let path = parts.join("/");
        let is_safe = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_safe {
            return Err(Error::new(ErrorKind::Invalid, DOING)
                .hint("The name of the file cannot be one in a bucket"));
        }
        Ok(format!("{}labferry/{path}", self.folder))
    }

    /// Where a whole object is to be put.
    pub(super) fn put_address(&self, key: &str) -> SafeUrl {
        let action = self.place.put_object(Some(&self.credentials), key);
        SafeUrl::new(action.sign(SIGNED_FOR))
    }

    /// Where a part of an object is to be put.
    pub(super) fn part_address(&self, key: &str, number: u16, upload: &str) -> SafeUrl {
        let action = self
            .place
            .upload_part(Some(&self.credentials), key, number, upload);
        SafeUrl::new(action.sign(SIGNED_FOR))
    }

    /// Begins an upload in parts. Not repeated, as each leaves one behind.
    pub(super) async fn begin(&self, key: &str) -> Result<String> {
        let action = self
            .place
            .create_multipart_upload(Some(&self.credentials), key);
        let url = action.sign(SIGNED_FOR);
        let answer = self
            .call(&Method::POST, url, &[], String::new(), Idempotent::No)
            .await?;
        let answer = CreateMultipartUpload::parse_response(&answer.text)
            .map_err(|error| unreadable().caused_by(&error))?;
        Ok(answer.upload_id().to_owned())
    }

    /// What the bucket has of an unfinished upload; none where it knows of no such upload.
    pub(super) async fn parts(&self, key: &str, upload: &str) -> Result<Option<Vec<HavePart>>> {
        let mut parts = Vec::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let mut action = self.place.list_parts(Some(&self.credentials), key, upload);
            if let Some(after) = after {
                action.set_part_number_marker(after);
            }
            let url = action.sign(SIGNED_FOR);
            let answer = match self.get(url).await {
                Err(error) if is_gone(&error) => return Ok(None),
                answer => answer?,
            };
            // Read by hand, as storages leave out members that the library insists on.
            let text = answer.text.as_str();
            if !text.contains("<ListPartsResult") {
                return Err(unreadable());
            }
            parts.extend(text.split("<Part>").skip(1).filter_map(have_part));
            after = element(text, "NextPartNumberMarker")
                .and_then(|next| next.parse().ok())
                .filter(|next| element(text, "IsTruncated") == Some("true") && after < Some(*next));
            if after.is_none() {
                break;
            }
        }
        Ok(Some(parts))
    }

    /// Puts the parts together; their `ETag`s in order.
    pub(super) async fn complete(&self, key: &str, upload: &str, etags: &[String]) -> Result<()> {
        let action = CompleteMultipartUpload::new(
            &self.place,
            Some(&self.credentials),
            key,
            upload,
            etags.iter().map(String::as_str),
        );
        let url = action.sign(SIGNED_FOR);
        let answer = self
            .call(&Method::POST, url, &[], action.body(), Idempotent::Yes)
            .await?;
        refuse_late(&answer)
    }

    /// Gives an unfinished upload up; what it had would cost for ever.
    pub(super) async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        let action = self
            .place
            .abort_multipart_upload(Some(&self.credentials), key, upload);
        let url = action.sign(SIGNED_FOR);
        self.call(&Method::DELETE, url, &[], String::new(), Idempotent::Yes)
            .await?;
        Ok(())
    }

    /// Keys and lengths of what starts with this.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>> {
        let mut objects = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut action = self.place.list_objects_v2(Some(&self.credentials));
            action.with_prefix(prefix);
            if let Some(after) = &after {
                action.with_continuation_token(after.as_str());
            }
            let url = action.sign(SIGNED_FOR);
            let answer = self.get(url).await?;
            let page = ListObjectsV2::parse_response(&answer.text)
                .map_err(|error| unreadable().caused_by(&error))?;
            objects.extend(
                page.contents
                    .into_iter()
                    .map(|object| (object.key, object.size.unwrap_or_default())),
            );
            after = page.next_continuation_token;
            if after.is_none() {
                break;
            }
        }
        Ok(objects)
    }

    /// The length of an object; none where there is none.
    pub(super) async fn size_of(&self, key: &str) -> Result<Option<u64>> {
        let action = self.place.head_object(Some(&self.credentials), key);
        let url = action.sign(SIGNED_FOR);
        match self
            .call(&Method::HEAD, url, &[], String::new(), Idempotent::Yes)
            .await
        {
            Ok(answer) => Ok(answer
                .headers
                .get(reqwest::header::CONTENT_LENGTH)
                .and_then(|length| length.to_str().ok()?.parse().ok())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Copies an object within the bucket, without its bytes coming here.
    pub(super) async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let source = self.source(from);
        let mut action = self.place.put_object(Some(&self.credentials), to);
        action
            .headers_mut()
            .insert("x-amz-copy-source", source.clone());
        let url = action.sign(SIGNED_FOR);
        let headers = [("x-amz-copy-source", source)];
        let answer = self
            .call(&Method::PUT, url, &headers, String::new(), Idempotent::Yes)
            .await?;
        refuse_late(&answer)
    }

    /// Copies a range of an object into a part of an unfinished one; the part's `ETag`.
    pub(super) async fn copy_part(
        &self,
        from: (&str, u64, u64),
        to: &str,
        number: u16,
        upload: &str,
    ) -> Result<String> {
        let (from, first, last) = from;
        let source = self.source(from);
        let range = format!("bytes={first}-{last}");
        let mut action = self
            .place
            .upload_part(Some(&self.credentials), to, number, upload);
        action
            .headers_mut()
            .insert("x-amz-copy-source", source.clone());
        action
            .headers_mut()
            .insert("x-amz-copy-source-range", range.clone());
        let url = action.sign(SIGNED_FOR);
        let headers = [
            ("x-amz-copy-source", source),
            ("x-amz-copy-source-range", range),
        ];
        let answer = self
            .call(&Method::PUT, url, &headers, String::new(), Idempotent::Yes)
            .await?;
        refuse_late(&answer)?;
        etag_in(&answer.text).ok_or_else(unreadable)
    }

    /// An object as the header of a copy names it.
    fn source(&self, key: &str) -> String {
        let mut source = format!("/{}/", self.place.name());
        for byte in key.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    source.push(char::from(byte));
                }
                other => source.push_str(&format_byte(other)),
            }
        }
        source
    }

    async fn get(&self, url: Url) -> Result<Answer> {
        self.call(&Method::GET, url, &[], String::new(), Idempotent::Yes)
            .await
    }

    async fn call(
        &self,
        method: &Method,
        url: Url,
        headers: &[(&'static str, String)],
        body: String,
        idempotent: Idempotent,
    ) -> Result<Answer> {
        let retry = self.http.retry();
        let attempt = || self.call_once(method.clone(), url.clone(), headers, body.clone());
        retry.run(idempotent, attempt).await.map_err(explain)
    }

    async fn call_once(
        &self,
        method: Method,
        url: Url,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Answer> {
        let client = self.http.client_for(&url, Connections::Reused)?;
        let mut request = client
            .request(method, url)
            .header(reqwest::header::CONTENT_LENGTH, body.len());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let patience = self.http.patience();
        // Putting parts together, and copying, takes a storage a while.
        let response = timeout(patience.after_upload, request.body(body).send())
            .await
            .map_err(|_elapsed| errors::silence(DOING, Sent::Perhaps))?
            .map_err(|error| errors::from_transport(error, DOING))?;
        read(response, patience.idle).await
    }
}

/// Amazon's own, or what the person says: storages of other makers have the bucket in the path.
fn endpoint(given: Option<String>, bucket: &str, region: &str) -> Result<(Url, UrlStyle)> {
    let refused = |hint: String| Error::new(ErrorKind::Invalid, Doing::Connect).hint(hint);
    if let Some(given) = given {
        let cleaned = clean_base_url(&given).map_err(|why| {
            refused(format!(
                "The endpoint of the staging bucket cannot be used. {why}"
            ))
        })?;
        if !may_carry_key(&cleaned) {
            return Err(refused(
                "The endpoint of the staging bucket must be reached over https, not over plain http".to_owned(),
            ));
        }
        let url = Url::parse(&cleaned).map_err(|error| {
            refused("The endpoint of the staging bucket is not a web address".to_owned())
                .caused_by(&error)
        })?;
        return Ok((url, UrlStyle::Path));
    }
    let region = region.trim();
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let url = Url::parse(&format!("https://s3.{region}.{domain}")).map_err(|error| {
        refused("The region of the staging bucket is none, such as eu-central-1".to_owned())
            .caused_by(&error)
    })?;
    // Certificates do not cover a name with dots, and host names have no capitals.
    let fits_host = bucket.chars().all(|character| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
    });
    let style = if fits_host {
        UrlStyle::VirtualHost
    } else {
        UrlStyle::Path
    };
    Ok((url, style))
}

async fn read(mut response: Response, idle: Duration) -> Result<Answer> {
    let status = response.status();
    let headers = response.headers().clone();
    let mut body = BytesMut::new();
    loop {
        let chunk = match timeout(idle, response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            // The refusal itself is known even where its words are cut.
            Ok(Err(_)) | Err(_) if !status.is_success() => None,
            Ok(Err(error)) => return Err(errors::from_transport(error, DOING)),
            Err(_elapsed) => return Err(errors::silence(DOING, Sent::Perhaps)),
        };
        let Some(chunk) = chunk else { break };
        if body.len().saturating_add(chunk.len()) > LONGEST_ANSWER_BYTES {
            return Err(unreadable());
        }
        body.extend_from_slice(&chunk);
    }
    let body: Bytes = body.freeze();
    if !status.is_success() {
        return Err(from_storage(DOING, status.as_u16(), &headers, &body));
    }
    Ok(Answer {
        headers,
        text: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn format_byte(byte: u8) -> String {
    format!("%{byte:02X}")
}
