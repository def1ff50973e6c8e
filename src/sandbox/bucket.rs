//! The person's own bucket: a real S3 server on a port of its own, which checks signatures in headers and in queries.
//!
//! Owns which objects there are. The protocol is the crate `s3s`, the files are kept by `s3s-fs`; that one keeps facts about
//! an object in a file named after its whole key, which long keys do not fit in, so each object is given a short name
//! here and the real keys are kept beside. Does not know which platform reads from it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CopySource,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput,
    ETag, GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput, GetObjectOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput,
    ListBucketsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput,
    Object, PutObjectInput, PutObjectOutput, UploadPartCopyInput, UploadPartCopyOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::service::S3ServiceBuilder;
use s3s::{HttpError, S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use sha2::{Digest as _, Sha256};

use crate::sandbox::misbehave;
use crate::sandbox::world::{World, lock, random_hex};

/// Its name for faults and the request log when no platform gives it one.
pub const ENDPOINT: &str = "storage.bucket";

/// The one bucket there is.
const NAME: &str = "labferry-staging";

/// Entries of one answer to a listing.
const PAGE_ENTRIES: usize = 1_000;

/// The bucket with its keys; made with the world.
#[derive(Debug)]
pub struct Bucket {
    address: SocketAddr,
    folder: PathBuf,
    access_key: String,
    secret_key: String,
    /// Short name on disk by key.
    objects: Mutex<BTreeMap<String, String>>,
    /// Begun and neither completed nor given up; `s3s-fs` does not know all of the time.
    uploads: Mutex<BTreeSet<String>>,
    /// By upload and number; `s3s-fs` does not say them in a list of parts, S3 does.
    part_etags: Mutex<BTreeMap<(String, i32), ETag>>,
}

/// An object as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its whole key.
    pub key: String,
    /// Where its bytes are; another upload under the key puts other bytes in their place, never into them.
    pub path: PathBuf,
    /// How many there are.
    pub size: u64,
}

impl Bucket {
    pub(crate) fn new(address: SocketAddr, folder: &Path, secret_key: &str) -> io::Result<Self> {
        std::fs::create_dir_all(folder.join(NAME))?;
        Ok(Self {
            address,
            folder: folder.to_path_buf(),
            access_key: format!("SANDBOX{}", random_hex(13).to_uppercase()),
            secret_key: secret_key.to_owned(),
            objects: Mutex::default(),
            uploads: Mutex::default(),
            part_etags: Mutex::default(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end; the bucket's name comes first in the path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The access key id; part of every signed address, so no secret.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret access key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The objects whose keys start with `prefix`, by key.
    pub fn objects(&self, prefix: &str) -> Vec<StoredObject> {
        let names: Vec<(String, String)> = lock(&self.objects)
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, name)| (key.clone(), name.clone()))
            .collect();
        names
            .into_iter()
            .filter_map(|(key, name)| {
                let path = self.folder.join(NAME).join(name);
                let size = std::fs::metadata(&path).ok()?.len();
                Some(StoredObject { key, path, size })
            })
            .collect()
    }

    fn remember(&self, key: String) {
        let name = short(&key);
        lock(&self.objects).insert(key, name);
    }
}

/// The name an object has on disk.
fn short(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest
        .iter()
        .take(16)
        .fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

/// The server.
pub(crate) fn router(world: &Arc<World>, endpoint: &'static str) -> io::Result<Router> {
    let bucket = world.bucket();
    let files =
        FileSystem::new(&bucket.folder).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut builder = S3ServiceBuilder::new(Server {
        files,
        bucket: Arc::clone(bucket),
    });
    builder.set_auth(SimpleAuth::from_single(
        bucket.access_key.clone(),
        bucket.secret_key.clone(),
    ));
    let service = HandleError::new(builder.build(), broken);
    let state = (Arc::clone(world), endpoint);
    Ok(Router::new()
        .fallback_service(service)
        .layer(from_fn_with_state(state, misbehave::apply)))
}

/// What S3 could not put into an answer of its own.
async fn broken(error: HttpError) -> (StatusCode, &'static str) {
    tracing::error!(?error, "the sandbox's bucket is broken");
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
}

/// The operations Labferry and the simulators use; any other is answered as not implemented.
#[derive(Debug)]
struct Server {
    files: FileSystem,
    bucket: Arc<Bucket>,
}

impl Server {
    /// A bucket of another name is not there.
    fn is_here(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.bucket.name() {
            Ok(())
        } else {
            Err(s3_error!(
                NoSuchBucket,
                "The specified bucket does not exist"
            ))
        }
    }

    /// An upload that was completed or given up is not there any more.
    fn is_begun(&self, upload: &str) -> S3Result<()> {
        if lock(&self.bucket.uploads).contains(upload) {
            Ok(())
        } else {
            Err(s3_error!(
                NoSuchUpload,
                "The specified upload does not exist"
            ))
        }
    }

    /// As [`Server::is_here`], and puts the short name in the place of the key, which it returns.
    fn exchange(&self, bucket: &str, key: &mut String) -> S3Result<String> {
        self.is_here(bucket)?;
        let name = short(key);
        Ok(std::mem::replace(key, name))
    }

    /// The same for what a copy is made of.
    fn exchange_source(&self, source: &mut CopySource) -> S3Result<()> {
        if let CopySource::Bucket { bucket, key, .. } = source {
            self.is_here(bucket)?;
            *key = short(key).into();
        }
        Ok(())
    }
}

#[async_trait]
impl S3 for Server {
    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.files.list_buckets(request).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.is_here(&request.input.bucket)?;
        self.files.head_bucket(request).await
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.is_here(&request.input.bucket)?;
        self.files.get_bucket_location(request).await
    }

    /// Without delimiters: nobody here lists by folder.
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.is_here(&input.bucket)?;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "Listing by folder"));
        }
        let prefix = input.prefix.unwrap_or_default();
        let after = input.continuation_token.or(input.start_after);
        let most = input
            .max_keys
            .and_then(|most| usize::try_from(most).ok())
            .map_or(PAGE_ENTRIES, |most| most.min(PAGE_ENTRIES));
        let mut objects = self.bucket.objects(&prefix);
        objects.retain(|object| after.as_ref().is_none_or(|after| &object.key > after));
        let more = objects.len() > most;
        objects.truncate(most);
        let next = objects.last().map(|object| object.key.clone());
        let contents: Vec<Object> = objects
            .into_iter()
            .map(|object| Object {
                key: Some(object.key),
                size: i64::try_from(object.size).ok(),
                ..Object::default()
            })
            .collect();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(prefix),
            key_count: i32::try_from(contents.len()).ok(),
            is_truncated: Some(more),
            next_continuation_token: next.filter(|_| more),
            contents: Some(contents),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut request.input;
        let key = self.exchange(&input.bucket, &mut input.key)?;
        let answer = self.files.put_object(request).await?;
        self.bucket.remember(key);
        Ok(answer)
    }

    async fn get_object(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &mut request.input;
        self.exchange(&input.bucket, &mut input.key)?;
        self.files.get_object(request).await
    }

    async fn head_object(
        &self,
        mut request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &mut request.input;
        self.exchange(&input.bucket, &mut input.key)?;
        self.files.head_object(request).await
    }

    async fn copy_object(
        &self,
        mut request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = &mut request.input;
        self.exchange_source(&mut input.copy_source)?;
        let key = self.exchange(&input.bucket, &mut input.key)?;
        let answer = self.files.copy_object(request).await?;
        self.bucket.remember(key);
        Ok(answer)
    }

    async fn upload_part_copy(
        &self,
        mut request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = &mut request.input;
        self.exchange_source(&mut input.copy_source)?;
        self.exchange(&input.bucket, &mut input.key)?;
        self.files.upload_part_copy(request).await
    }

    async fn delete_object(
        &self,
        mut request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = &mut request.input;
        let key = self.exchange(&input.bucket, &mut input.key)?;
        let known = lock(&self.bucket.objects).remove(&key).is_some();
        if known {
            self.files.delete_object(request).await
        } else {
            Ok(S3Response::new(DeleteObjectOutput::default()))
        }
    }

    async fn create_multipart_upload(
        &self,
        mut request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = &mut request.input;
        let key = self.exchange(&input.bucket, &mut input.key)?;
        let mut answer = self.files.create_multipart_upload(request).await?;
        lock(&self.bucket.uploads).extend(answer.output.upload_id.clone());
        answer.output.key = Some(key);
        Ok(answer)
    }

    async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = &mut request.input;
        self.exchange(&input.bucket, &mut input.key)?;
        let part = (input.upload_id.clone(), input.part_number);
        self.is_begun(&input.upload_id)?;
        let answer = self.files.upload_part(request).await?;
        if let Some(etag) = &answer.output.e_tag {
            lock(&self.bucket.part_etags).insert(part, etag.clone());
        }
        Ok(answer)
    }

    async fn list_parts(
        &self,
        mut request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = &mut request.input;
        let key = self.exchange(&input.bucket, &mut input.key)?;
        let upload = input.upload_id.clone();
        self.is_begun(&upload)?;
        let mut answer = self.files.list_parts(request).await?;
        let etags = lock(&self.bucket.part_etags);
        for part in answer.output.parts.iter_mut().flatten() {
            let number = part.part_number.unwrap_or_default();
            part.e_tag = etags.get(&(upload.clone(), number)).cloned();
        }
        drop(etags);
        answer.output.key = Some(key);
        Ok(answer)
    }

    async fn complete_multipart_upload(
        &self,
        mut request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = &mut request.input;
        let key = self.exchange(&input.bucket, &mut input.key)?;
        let upload = input.upload_id.clone();
        self.is_begun(&upload)?;
        let answer = self.files.complete_multipart_upload(request).await?;
        let mut output = match answer.output.future {
            Some(rest) => rest.await?,
            None => answer.output,
        };
        output.key = Some(key.clone());
        self.bucket.remember(key);
        lock(&self.bucket.uploads).remove(&upload);
        Ok(S3Response::new(output))
    }

    async fn abort_multipart_upload(
        &self,
        mut request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = &mut request.input;
        self.exchange(&input.bucket, &mut input.key)?;
        self.is_begun(&input.upload_id)?;
        lock(&self.bucket.uploads).remove(&input.upload_id);
        self.files.abort_multipart_upload(request).await
    }
}
