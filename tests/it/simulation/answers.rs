//! What each piece of work does, and what it ends with.

use std::path::Path;

use labferry::engine::event::{Event, Prepared, Unpacked, Work};
use labferry::engine::snapshot::KeyringState;
use labferry::model::artifact::{Fetched, UnpackedFile};
use labferry::model::batch::BatchFile;
use labferry::model::connection::{Account, Connection, KeyState};
use labferry::model::error::{Doing, Error, ErrorKind, Result, Sent};
use labferry::model::file::LocalFile;
use labferry::model::ids::{ConnectionId, FileId};
use labferry::model::pipeline::Pipeline;
use labferry::model::remote::{ListedJob, Output, RemoteJob, StagedFile};

use super::life::Life;

impl Life {
    /// A worker does its work; what it does stays done whether anybody hears of it or not.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of work")]
    pub(super) fn act(&mut self, place: usize) -> Event {
        let one = &self.under_way[place];
        let (work, with, draft) = (one.work.clone(), one.with.clone(), one.draft.clone());
        if let Some(connection) = work.connection() {
            return self.act_over(connection, work, &with, draft);
        }
        match work {
            Work::ProbeKeyring => Event::KeyringProbed(if self.is_keyring_locked {
                KeyringState::Absent
            } else {
                KeyringState::Works
            }),
            Work::Connect(connection) => {
                let outcome = self.unlock(&connection.vault_name);
                self.under_way[place].with = connection.vault_name;
                Event::Connected(connection.id, KeyState::InKeyring, outcome)
            }
            Work::StoreConnection {
                draft,
                id,
                vault_name,
                ..
            } => {
                if self.is_keyring_locked {
                    let error = Error::new(ErrorKind::Keyring, Doing::UseKeyring);
                    return Event::ConnectionStored(draft, Err(error));
                }
                self.vault.insert(vault_name.clone());
                if !self.chance.rarely(5)
                    && let Some(platform) = self.platforms.get_mut(&id)
                {
                    platform.good.insert(vault_name.clone());
                }
                let connection = Connection {
                    id,
                    provider: draft.provider.clone(),
                    label: draft.label.clone(),
                    base_url: "https://app.example.org/".to_owned(),
                    options: draft.entries.clone(),
                    vault_name,
                    account: None,
                };
                Event::ConnectionStored(draft, Ok((connection, KeyState::InKeyring)))
            }
            Work::Prepare(request) => {
                // At times more than a platform takes at once.
                let count =
                    [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 11][self.chance.place(16)];
                let files = (1..=count).map(a_file).collect();
                Event::Prepared(Ok(Prepared {
                    labels: std::collections::BTreeMap::new(),
                    folder: request.results_folder.join(&request.draft.name),
                    name: request.draft.name,
                    files,
                    left_out: Vec::new(),
                    targets: request.draft.targets,
                }))
            }
            Work::PrepareAdoption {
                connection,
                listed,
                folder,
                results_folder,
            } => {
                // No two folders have the same name.
                let folder = format!("{folder} ({})", self.fresh(""));
                Event::AdoptionPrepared(connection, listed, Ok(results_folder.join(folder)))
            }
            Work::Unpack {
                artifact,
                archive,
                into,
                below,
                keep_archive,
                batch_folder: _,
            } => Event::Unpacked(artifact, self.unpack(&archive, &into, &below, keep_archive)),
            Work::WriteReceipt {
                batch,
                finishing,
                spent,
                receipt,
                ..
            } => {
                if self.is_drive_full {
                    let error = Error::new(ErrorKind::DiskFull, Doing::WriteReceipt);
                    return Event::ReceiptWritten(batch, finishing, Err(error));
                }
                if self.chance.rarely(25) {
                    let error = Error::new(ErrorKind::LocalFile, Doing::WriteReceipt);
                    return Event::ReceiptWritten(batch, finishing, Err(error));
                }
                for archive in &spent {
                    self.drive.remove(archive);
                }
                let named = receipt.files.into_iter().map(|file| file.path);
                self.receipts.entry(batch).or_default().extend(named);
                Event::ReceiptWritten(batch, finishing, Ok(()))
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn unlock(&self, vault_name: &str) -> Result<()> {
        if self.is_keyring_locked {
            return Err(Error::new(ErrorKind::Keyring, Doing::UseKeyring));
        }
        if !self.vault.contains(vault_name) {
            return Err(Error::new(ErrorKind::Unauthenticated, Doing::Connect));
        }
        Ok(())
    }

    fn unpack(
        &mut self,
        archive: &Path,
        into: &Path,
        below: &str,
        keep_archive: bool,
    ) -> Result<Unpacked> {
        let content = self
            .drive
            .get(archive)
            .cloned()
            .expect("an archive is gone before its content was journalled");
        if self.is_drive_full {
            return Err(Error::new(ErrorKind::DiskFull, Doing::Unpack));
        }
        let luck = self.chance.below(12);
        if luck == 11 {
            return Err(Error::new(ErrorKind::Archive, Doing::Unpack));
        }
        let problems = if luck == 10 {
            vec!["../x: outside of the folder".to_owned()]
        } else {
            Vec::new()
        };
        self.drive
            .insert(into.join("in.csv"), format!("{content}/in.csv"));
        Ok(Unpacked {
            files: vec![UnpackedFile {
                path: format!("{below}/in.csv"),
                original_name: "in.csv".to_owned(),
                size_bytes: 3,
                sha256: format!("{content}/in.csv"),
            }],
            archive_kept: keep_archive || !problems.is_empty(),
            problems,
        })
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of work")]
    fn act_over(
        &mut self,
        id: ConnectionId,
        work: Work,
        key: &str,
        draft: Option<RemoteJob>,
    ) -> Event {
        match work {
            Work::Ask(_) => match self.reach(id, key, Doing::CheckKey) {
                Ok(()) => {
                    let account = Account {
                        name: "someone@example.org".to_owned(),
                        checked: self.at,
                        places: Vec::new(),
                    };
                    Event::Asked(id, Ok(account), Some(Ok(Vec::new())))
                }
                Err(error) => Event::Asked(id, Err(error), None),
            },
            Work::Stage { file, .. } => {
                let outcome = self.reach(id, key, Doing::Upload).and_then(|()| {
                    let name = self.fresh("f");
                    match self.chance.below(30) {
                        29 => return Err(Error::new(ErrorKind::LocalFile, Doing::Upload)),
                        28 => {
                            return Err(Error::new(ErrorKind::TooLarge, Doing::Upload).status(413));
                        }
                        _ => self.lose(Doing::Upload)?,
                    }
                    Ok(StagedFile {
                        id: name,
                        ..StagedFile::default()
                    })
                });
                Event::Staged(id, file, outcome)
            }
            Work::Gather { job, gathering, .. } => {
                let outcome = self.reach(id, key, Doing::Gather).and_then(|()| {
                    let gathered = self.gather(id, &gathering);
                    if self.chance.rarely(25) {
                        return Err(Error::new(ErrorKind::Invalid, Doing::Gather).status(200));
                    }
                    self.lose(Doing::Gather).map(|()| gathered)
                });
                Event::Gathered(job, outcome)
            }
            Work::ReadBaseline(_, job) => {
                let outcome = self.reach(id, key, Doing::FindSubmission);
                Event::BaselineRead(job, outcome.map(|()| self.listed(id)))
            }
            Work::Submit {
                job, submission, ..
            } => {
                let outcome = self.reach(id, key, Doing::Submit).and_then(|()| {
                    match self.chance.below(24) {
                        23 => return Err(Error::new(ErrorKind::Invalid, Doing::Submit).status(400)),
                        22 => {
                            return Err(Error::new(ErrorKind::Forbidden, Doing::Submit).status(403));
                        }
                        21 => {
                            return Err(
                                Error::new(ErrorKind::Timeout, Doing::Submit).sent(Sent::Perhaps)
                            );
                        }
                        _ => {}
                    }
                    let remote = self.make(id, Some(job), &submission, draft);
                    self.lose(Doing::Submit).map(|()| remote)
                });
                Event::Submitted(job, outcome)
            }
            Work::LookUp { job, lost, .. } => {
                let outcome = self.reach(id, key, Doing::FindSubmission);
                let outcome = if self.chance.rarely(30) {
                    Err(Error::new(ErrorKind::Forbidden, Doing::FindSubmission).status(403))
                } else {
                    outcome.map(|()| self.find(id, &lost))
                };
                Event::LookedUp(job, outcome)
            }
            Work::Poll(_, jobs) => {
                let outcome = self.reach(id, key, Doing::Poll).map(|()| {
                    jobs.iter()
                        .map(|(job, remote)| (*job, self.report(id, remote)))
                        .collect()
                });
                Event::Polled(id, outcome)
            }
            Work::Cancel(_, job, remote) => {
                let outcome = self.reach(id, key, Doing::Cancel).and_then(|()| {
                    self.end(id, &remote)?;
                    self.lose(Doing::Cancel)
                });
                Event::CancelAnswered(job, outcome)
            }
            Work::ListOutputs(_, job, remote) => {
                let outcome = self.reach(id, key, Doing::ListOutputs);
                Event::OutputsListed(job, outcome.and_then(|()| self.outputs(id, &remote)))
            }
            Work::Fetch {
                job,
                artifact,
                output,
                target,
                ..
            } => {
                let outcome = self
                    .reach(id, key, Doing::Download)
                    .and_then(|()| self.has_result(id, &job, &output));
                match outcome {
                    Ok(false) => Event::Preparing(artifact, Some(50.0)),
                    Ok(true) => Event::Fetched(artifact, self.fetch(&job, &output, &target)),
                    Err(error) => Event::Fetched(artifact, Err(error)),
                }
            }
            Work::Recognize(_, text) => {
                let outcome = self.reach(id, key, Doing::ListJobs).map(|()| ListedJob {
                    remote: RemoteJob {
                        id: text.clone(),
                        web_page: None,
                        memo: String::new(),
                    },
                    name: "made elsewhere".to_owned(),
                    pipeline: Pipeline::typed("p"),
                    created: None,
                    word: String::new(),
                });
                Event::Recognized(id, text, outcome)
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }

    /// Brings a result under its final name.
    fn fetch(&mut self, job: &RemoteJob, output: &Output, target: &Path) -> Result<Fetched> {
        let content = format!("{}/{}", job.id, output.id);
        assert!(
            self.drive.get(target).is_none_or(|there| *there == content),
            "a result is fetched over another one"
        );
        if self.is_drive_full {
            return Err(Error::new(ErrorKind::DiskFull, Doing::Download));
        }
        match self.chance.below(20) {
            // Its link expired, and the new one is refused as well.
            19 => return Err(Error::new(ErrorKind::Forbidden, Doing::Download).status(403)),
            // It came, and is not what it should be.
            18 => return Err(Error::new(ErrorKind::Garbled, Doing::Download).status(200)),
            17 => return Err(Error::new(ErrorKind::Unreachable, Doing::Download)),
            16 => return Err(Error::new(ErrorKind::LocalFile, Doing::Download)),
            _ => {}
        }
        self.drive.insert(target.to_path_buf(), content.clone());
        Ok(Fetched {
            size_bytes: 7,
            sha256: content,
            at: self.at,
        })
    }
}

/// A file of the person's.
fn a_file(number: u64) -> BatchFile {
    let name = format!("plate {number}.tif");
    BatchFile {
        samples: std::collections::BTreeMap::new(),
        id: FileId(0),
        local: LocalFile {
            path: Path::new("/data").join(&name),
            name: name.clone(),
            folder: String::new(),
            size_bytes: 10,
            modified: None,
        },
        remote_name: name,
    }
}
