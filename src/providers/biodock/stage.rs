//! Putting a file at Biodock: one multipart request, whole, without a way to resume. When its answer is lost, the folder
//! is looked through for the name before the file is sent again.

use reqwest::multipart::Form;

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::meter::Meter;
use crate::model::remote::{StagedFile, Upload};
use crate::net::upload::{FileBody, sha256_of};
use crate::providers::biodock::client::Client;
use crate::providers::biodock::facts::MAX_FILE_BYTES;
use crate::providers::biodock::wire::{ItemEntry, UploadAnswer};

/// A repeat may leave a second copy that counts as storage, so there are at most two.
const MOST_REPEATS: usize = 2;

impl Client {
    pub(super) async fn put(&self, upload: &Upload, meter: &Meter) -> Result<StagedFile> {
        if upload.file.size_bytes > MAX_FILE_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, Doing::Upload).hint(
                "Biodock takes files of at most 2 GB this way; larger ones go through its website",
            ));
        }
        let policy = self.api().http().retry();
        let mut waits = policy.waits().take(MOST_REPEATS);
        loop {
            let error = match self.put_once(upload, meter).await {
                Ok(staged) => return Ok(staged),
                Err(error) => error,
            };
            let wait = waits.next().and_then(|own| policy.wait_after(&error, own));
            let Some(wait) = wait.filter(|_wait| !meter.is_stopped()) else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
            let may_be_there = match error.failure().sent {
                Sent::No => false,
                Sent::Perhaps => true,
                Sent::Answered => {
                    matches!(error.kind(), ErrorKind::ServerFault | ErrorKind::Timeout)
                }
            };
            if may_be_there && let Some(staged) = self.arrived(upload).await? {
                return Ok(staged);
            }
        }
    }

    /// The part of the documentation's own name is `upload`; the name the file shall have goes before it.
    async fn put_once(&self, upload: &Upload, meter: &Meter) -> Result<StagedFile> {
        let body = FileBody::open(&upload.file, meter, Doing::Upload).await?;
        let (part, transfer) = body.into_part(&upload.remote_name);
        let mut form = Form::new().text("fileName", upload.remote_name.clone());
        if !upload.remote_folder.is_empty() {
            form = form.text("destinationFolder", upload.remote_folder.clone());
        }
        let form = form.part("upload", part);
        let path = ["filesystem-items", "upload-file"];
        let uploaded = self
            .api()
            .send_form(&path, form, transfer, None, Doing::Upload)
            .await?;
        let answer: UploadAnswer = uploaded.reply.json()?;
        self.note_upload();
        Ok(StagedFile {
            id: answer.id,
            name: upload.remote_name.clone(),
            sha256: Some(uploaded.sha256),
            size_bytes: Some(upload.file.size_bytes),
            ..StagedFile::default()
        })
    }

    /// The file in its folder there, if it arrived after all.
    async fn arrived(&self, upload: &Upload) -> Result<Option<StagedFile>> {
        let mut folder = None;
        for name in upload
            .remote_folder
            .split('/')
            .filter(|name| !name.is_empty())
        {
            let is_it = |item: &ItemEntry| item.is_folder() && item.name.as_deref() == Some(name);
            match self.find_item(folder.as_deref(), is_it).await? {
                Some(item) => folder = Some(item.id),
                None => return Ok(None),
            }
        }
        let is_it = |item: &ItemEntry| {
            !item.is_folder() && item.name.as_deref() == Some(upload.remote_name.as_str())
        };
        let Some(item) = self.find_item(folder.as_deref(), is_it).await? else {
            return Ok(None);
        };
        self.note_upload();
        Ok(Some(StagedFile {
            id: item.id,
            name: upload.remote_name.clone(),
            sha256: Some(sha256_of(&upload.file, Doing::Upload).await?),
            size_bytes: Some(upload.file.size_bytes),
            ..StagedFile::default()
        }))
    }

    async fn find_item(
        &self,
        folder: Option<&str>,
        is_it: impl Fn(&ItemEntry) -> bool + Send + Sync,
    ) -> Result<Option<ItemEntry>> {
        let mut found = None;
        let fields: Vec<(&str, &str)> = folder.map(|id| ("folderId", id)).into_iter().collect();
        self.each_page(
            &["filesystem-items"],
            &fields,
            Doing::Upload,
            |item: &ItemEntry| &item.id,
            |items| {
                found = items.into_iter().find(|item| is_it(item));
                found.is_none()
            },
        )
        .await?;
        Ok(found)
    }
}
