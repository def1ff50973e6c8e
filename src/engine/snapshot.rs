//! Everything the window needs, as one immutable value. A notice is an entry in it: there is no second stream.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::model::artifact::Artifact;
use crate::model::batch::{Batch, Finding};
use crate::model::connection::{Account, Connection, KeyState};
use crate::model::file::ListedFile;
use crate::model::folder::{FolderCheck, FolderPage};
use crate::model::form::Form;
use crate::model::ids::{ConnectionId, PipelineId, ProviderId};
use crate::model::job::Job;
use crate::model::notice::{Notice, Words};
use crate::model::pipeline::Pipeline;
use crate::model::preview::Preview;
use crate::model::provider::{Budget, ProviderFacts};
use crate::model::remote::{ListedJob, Page, Query, StagedFile};
use crate::model::report::Report;
use crate::model::samples::SampleTable;
use crate::model::settings::AppSettings;
use crate::model::thumbnail::Thumbnails;

/// The state of everything at one moment. Parts that did not change are shared with the snapshot before.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Rises with every change.
    pub seq: u64,
    /// Whether the engine works, and if not why.
    pub phase: Phase,
    /// All platforms there are.
    pub providers: Arc<[&'static ProviderFacts]>,
    /// Whether keys outlive the app.
    pub keyring: KeyringState,
    /// Sorted by label.
    pub connections: Vec<Arc<ConnectionView>>,
    /// The names in another program's file of keys, as last read.
    pub profiles: Option<Profiles>,
    /// How the last *Test connection* of an unsaved form went.
    pub trial: Option<Trial>,
    /// What is about to be sent.
    pub draft: Arc<DraftView>,
    /// Newest first.
    pub batches: Vec<Arc<Batch>>,
    /// Newest batch first, within it in the order made.
    pub jobs: Vec<Arc<JobView>>,
    /// Newest first; dismissed ones are gone.
    pub notices: Vec<Arc<Notice>>,
    /// The file in the preview.
    pub preview: Option<Arc<Preview>>,
    /// Small pictures of files: those last asked for, as far as they are made, and some from before.
    pub thumbnails: Arc<Thumbnails>,
    /// The results folder that was last opened.
    pub folder: Option<Arc<FolderPage>>,
    /// How the last check of each results folder stands.
    pub checks: Arc<BTreeMap<PathBuf, FolderCheck>>,
    /// The report of a problem that was asked for.
    pub report: Option<Arc<Report>>,
    /// As saved.
    pub settings: Arc<AppSettings>,
    /// Where results go when the settings name no folder.
    pub default_results_folder: Arc<PathBuf>,
    /// Bytes on the move.
    pub traffic: Traffic,
    /// Whether closing now would interrupt something that must stay open to go on: uploads, submissions, downloads.
    pub safe_to_close: bool,
}

/// Whether the engine works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opening the journal.
    Starting,
    /// At work.
    Running,
    /// At work, but the journal cannot be written now (a full disk, say); nothing moves until it can.
    Held(Words),
    /// Not at work: another Labferry has this data folder, or the journal is from a newer version.
    Stopped(Words),
}

/// Whether keys outlive the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum KeyringState {
    /// Not tried yet.
    Unknown,
    /// The operating system's keyring takes keys.
    Works,
    /// It does not: keys are kept for this session only.
    Absent,
    /// Nobody wants it, as in the demo: keys are kept for this session only.
    NotWanted,
}

/// A connection, and what the platform last said.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionView {
    /// As saved.
    pub connection: Connection,
    /// The platform's name.
    pub provider_name: &'static str,
    /// Where its key is.
    pub key: KeyState,
    /// The last check in this session.
    pub check: CheckState,
    /// The pipelines it offers.
    pub pipelines: Loadable<Vec<Pipeline>>,
    /// The forms read so far.
    pub forms: BTreeMap<PipelineId, Loadable<Form>>,
    /// Inputs at the platform, as last asked for.
    pub browsed: Option<Asked<StagedFile>>,
    /// Jobs at the platform, as last asked for.
    pub listed: Option<Asked<ListedJob>>,
    /// What is left of the requests the platform allows.
    pub budget: Option<Budget>,
    /// Identifiers of jobs made elsewhere that are being looked up.
    pub adopting: Vec<String>,
}

/// A list at the platform as far as it was asked for, and what was asked last.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked<T> {
    /// What was asked. With the cursor of a page it is about what follows that page.
    pub query: Query,
    /// What came: all pages so far as one, with where the next one starts.
    pub page: Loadable<Page<T>>,
}

impl<T> Asked<T> {
    /// Whether something of it is on its way: the list, or its next page.
    pub fn is_loading(&self) -> bool {
        match &self.page {
            Loadable::Loading => true,
            Loadable::Ready(page) => self.query.cursor.is_some() && self.query.cursor == page.next,
            Loadable::NotAsked | Loadable::Failed(_) => false,
        }
    }
}

/// The names in another program's file of keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    /// Of which platform.
    pub provider: ProviderId,
    /// Name and address of each.
    pub names: Loadable<Vec<(String, String)>>,
}

/// Something that has to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Loadable<T> {
    /// Nobody asked.
    NotAsked,
    /// On its way.
    Loading,
    /// Here.
    Ready(Arc<T>),
    /// Not to be had now.
    Failed(Words),
}

/// How the check of a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// Not in this session.
    NotChecked,
    /// On its way.
    Checking,
    /// The platform knows us.
    Good,
    /// It does not, or does not answer.
    Bad(Words),
}

/// How *Test connection* of an unsaved form went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// On its way.
    Checking,
    /// The platform knows us.
    Good(Account),
    /// It does not, or does not answer.
    Bad(Words),
}

/// What is about to be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftView {
    /// Sorted by folder and name.
    pub files: Vec<ListedFile>,
    /// What is known of their samples.
    pub samples: Arc<SampleTable>,
    /// Whether folders are still being looked through.
    pub scanning: bool,
    /// What the last look-over found; empty before the first.
    pub findings: Vec<Finding>,
    /// Rises with every finished `CheckBatch`, so that an old answer can be told from the new one.
    pub checked: u64,
    /// The batch the last `SubmitBatch` became.
    pub submitted: Option<crate::model::ids::BatchId>,
}

/// A job and what is known of it at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct JobView {
    /// As journalled.
    pub job: Arc<Job>,
    /// The platform's name.
    pub provider_name: &'static str,
    /// Its results, in the order the platform lists them.
    pub artifacts: Vec<Arc<Artifact>>,
    /// Bytes on the move for it: done and in all; in all is 0 when unknown.
    pub bytes: Option<(u64, u64)>,
    /// Bytes of all its inputs.
    pub input_bytes: u64,
    /// The folder of its results; absolute.
    pub folder: PathBuf,
    /// Why it failed, or what it waits out, in words.
    pub words: Option<Words>,
    /// Whether it goes on only when a person does something, such as pasting a key.
    pub waits_for_person: bool,
}

/// Bytes on the move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Bytes a second to platforms.
    pub up_bytes_per_sec: u64,
    /// Bytes a second from platforms.
    pub down_bytes_per_sec: u64,
    /// Jobs not settled.
    pub jobs_alive: usize,
}

impl Snapshot {
    /// The connection of this number.
    pub fn connection(&self, id: ConnectionId) -> Option<&Arc<ConnectionView>> {
        self.connections
            .iter()
            .find(|view| view.connection.id == id)
    }

    /// The facts of a platform.
    pub fn facts(&self, provider: &ProviderId) -> Option<&'static ProviderFacts> {
        self.providers
            .iter()
            .copied()
            .find(|facts| &facts.id == provider)
    }
}
