//! The part of the state that no restart brings back: work under way, and what was heard in this session.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::engine::event::WorkKey;
use crate::engine::snapshot::{
    Asked, CheckState, DraftView, KeyringState, Loadable, Profiles, Trial,
};
use crate::model::connection::{ConnectionDraft, KeyState};
use crate::model::error::Error;
use crate::model::folder::FolderCheck;
use crate::model::form::Form;
use crate::model::ids::{ArtifactId, ConnectionId, JobId, PipelineId, ProviderId};
use crate::model::pipeline::Pipeline;
use crate::model::provider::Budget;
use crate::model::remote::{ListedJob, StagedFile};
use crate::model::samples::SampleSources;
use crate::model::secret::Secret;

/// What no restart brings back.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Work under way.
    pub running: BTreeSet<WorkKey>,
    /// Work under way whose end is not for the present attempt: submissions and gatherings of jobs that a person has
    /// ended meanwhile, cancellations of jobs that were sent again, and looks for lost submissions under which the clock
    /// jumped.
    pub given_up: BTreeSet<WorkKey>,
    /// Work begun with a key that was replaced meanwhile: a refusal of it says nothing about the new one.
    pub former: BTreeSet<WorkKey>,
    /// What is known of each connection in this session.
    pub links: BTreeMap<ConnectionId, Link>,
    /// Whether keys outlive the app.
    pub keyring: Option<KeyringState>,
    /// The names in another program's file of keys.
    pub profiles: Option<Profiles>,
    /// How the last trial of an unsaved connection went.
    pub trial: Option<Trial>,
    /// What is about to be sent.
    pub draft: Arc<DraftView>,
    /// What the sample table of the draft is made from.
    pub samples: SampleSources,
    /// Connections on their way to the vault, by label.
    pub saves: BTreeMap<String, Saving>,
    /// A draft to look over as soon as the look-over under way is done.
    pub check_wanted: Option<crate::model::batch::BatchDraft>,
    /// How the last check of each results folder stands.
    pub checks: Arc<BTreeMap<PathBuf, FolderCheck>>,
    /// Counts looks through files.
    pub scans: u64,
    /// Running jobs that were called stalled.
    pub called_stalled: BTreeSet<JobId>,
    /// How far the clock has jumped since the last change of a running job, with the time of that change: hours nobody
    /// watched it.
    pub unwatched: BTreeMap<JobId, (Timestamp, SignedDuration)>,
    /// Results that wait because their server was not reached.
    pub unreached: BTreeSet<ArtifactId>,
}

/// A connection on its way to the vault.
#[derive(Clone, Debug)]
pub struct Saving {
    /// Its number.
    pub id: ConnectionId,
    /// Its platform.
    pub provider: ProviderId,
    /// Whether the person removed it meanwhile: nothing shall come of it.
    pub removed: bool,
    /// What was filled in meanwhile; it is saved over the other, the newest wish only.
    pub next: Option<Box<Filled>>,
}

/// What a person filled in for a connection.
#[derive(Clone, Debug)]
pub struct Filled {
    /// Everything that is no secret.
    pub draft: ConnectionDraft,
    /// The secrets, by field.
    pub secrets: Vec<(String, Secret)>,
    /// The name under which another program's file has them.
    pub profile: Option<String>,
}

impl Filled {
    /// With secrets that were typed.
    pub const fn typed(draft: ConnectionDraft, secrets: Vec<(String, Secret)>) -> Self {
        Self {
            draft,
            secrets,
            profile: None,
        }
    }
}

/// What is known of a connection in this session.
#[derive(Clone, Debug)]
pub struct Link {
    /// Whether its client exists.
    pub connected: bool,
    /// Whether the client on its way is made of what was saved before and cannot be used.
    pub outdated: bool,
    /// Where its key is.
    pub key: KeyState,
    /// Why nothing goes over it until a person does something.
    pub blocked: Option<Error>,
    /// The last check.
    pub check: CheckState,
    /// Its pipelines.
    pub pipelines: Loadable<Vec<Pipeline>>,
    /// Forms read so far.
    pub forms: BTreeMap<PipelineId, Loadable<Form>>,
    /// Inputs at the platform, as last asked for.
    pub browsed: Option<Asked<StagedFile>>,
    /// Jobs at the platform, as last asked for.
    pub listed: Option<Asked<ListedJob>>,
    /// What is left of the requests the platform allows.
    pub budget: Option<Budget>,
    /// Identifiers of jobs made elsewhere that are to be looked up.
    pub adopting: Vec<String>,
    /// When its jobs are asked about next.
    pub poll_due: Option<Timestamp>,
    /// The present pause between polls, before scaling.
    pub poll_pause: Duration,
    /// Failed polls in a row.
    pub poll_failures: u32,
    /// Whether something over it waits because nothing got through.
    pub offline: bool,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            connected: false,
            outdated: false,
            key: KeyState::Missing,
            blocked: None,
            check: CheckState::NotChecked,
            pipelines: Loadable::NotAsked,
            forms: BTreeMap::new(),
            browsed: None,
            listed: None,
            budget: None,
            adopting: Vec::new(),
            poll_due: None,
            poll_pause: Duration::ZERO,
            poll_failures: 0,
            offline: false,
        }
    }
}
