//! One life: the world under decision, its journal, and the workers, moved on as the dispatcher does it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use labferry::engine::event::{Event, Work, WorkKey};
use labferry::engine::pace::Pace;
use labferry::engine::plan::next_wake;
use labferry::engine::world::World;
use labferry::model::connection::Connection;
use labferry::model::ids::{BatchId, ConnectionId, FileId, JobId};
use labferry::model::provider::ProviderFacts;
use labferry::model::remote::RemoteJob;
use labferry::providers;
use labferry::store::journal::Change;

use super::chance::Chance;
use super::journal::Journal;
use super::platforms::Platform;

/// Most steps before the faults end.
const FAULTY_STEPS: u8 = 90;

/// Most steps afterwards; a life that needs more does not end.
const QUIET_STEPS: u32 = 3000;

/// A worker.
pub(super) struct UnderWay {
    pub(super) work: Work,
    pub(super) key: WorkKey,
    pub(super) phase: Phase,
    /// Whether it was asked to stop.
    pub(super) stopped: bool,
    /// The key of its client, by the vault's name.
    pub(super) with: String,
    /// The draft it is about to start.
    pub(super) draft: Option<RemoteJob>,
}

/// How far a worker is.
#[expect(
    clippy::large_enum_variant,
    reason = "a few dozen live at a time, and most of them end"
)]
pub(super) enum Phase {
    /// Nothing has left.
    Begun,
    /// Its point of no return is journalled.
    LetGo,
    /// It has ended, and the dispatcher has not taken that in.
    Ended(Event),
}

/// Everything there is.
pub(super) struct Life {
    pub(super) world: World,
    pub(super) journal: Journal,
    pub(super) chance: Chance,
    /// What this computer's clock says.
    pub(super) at: Timestamp,
    /// How far it jumped since it was last looked at.
    pub(super) moved: SignedDuration,
    /// Seconds that have really passed.
    pub(super) real: i64,
    /// The clock of the last decision.
    pub(super) decided: Timestamp,
    pub(super) next: u64,
    pub(super) platforms: BTreeMap<ConnectionId, Platform>,
    /// The keys in the keyring, by name.
    pub(super) vault: BTreeSet<String>,
    pub(super) is_keyring_locked: bool,
    pub(super) clients: BTreeMap<ConnectionId, String>,
    pub(super) under_way: Vec<UnderWay>,
    /// Files under their final names, with what is in them.
    pub(super) drive: BTreeMap<PathBuf, String>,
    pub(super) is_drive_full: bool,
    /// What the receipts on the drive name.
    pub(super) receipts: BTreeMap<BatchId, BTreeSet<String>>,
    pub(super) offline_until: i64,
    /// How many jobs the person has asked for, by job; one where there is nothing.
    pub(super) allowed: BTreeMap<JobId, usize>,
    /// Jobs that were sent and not forgotten.
    pub(super) promised: BTreeSet<JobId>,
    /// What uploads wanted remembered and was journalled.
    pub(super) kept: BTreeMap<(ConnectionId, FileId), String>,
    /// Drafts that were journalled and not started.
    pub(super) drafted: BTreeMap<JobId, RemoteJob>,
    /// The submission whose worker waits at the point of no return.
    pub(super) asking: Option<JobId>,
    /// Whether the program has ended in the middle of a step.
    pub(super) has_crashed: bool,
    /// How often it was sent.
    pub(super) batches: u8,
    /// What happened, for people, where somebody wants to read it.
    pub(super) trace: Option<Vec<String>>,
    /// Decisions made.
    pub(super) decisions: u64,
    pub(super) hash: DefaultHasher,
}

/// Before the journal is read.
pub(super) fn fresh_world() -> World {
    let facts: Arc<[&'static ProviderFacts]> =
        providers::ALL.iter().map(|entry| entry.facts).collect();
    World::new(facts, Pace::REAL, PathBuf::from("/results"))
}

impl Life {
    pub(super) fn new(mut chance: Chance, tells: bool) -> Self {
        let mut journal = Journal::default();
        let mut platforms = BTreeMap::new();
        let mut vault = BTreeSet::new();
        for (number, entry) in (1..).zip(providers::ALL) {
            let id = ConnectionId(number);
            let vault_name = format!("first key of {}", entry.facts.name);
            journal.commit(&[Change::PutConnection(Arc::new(Connection {
                id,
                provider: entry.facts.id.clone(),
                label: entry.facts.name.to_owned(),
                base_url: "https://app.example.org/".to_owned(),
                options: BTreeMap::new(),
                vault_name: vault_name.clone(),
                account: None,
            }))]);
            let mut platform = Platform::new(entry.facts, chance.below(2) == 1);
            platform.good.insert(vault_name.clone());
            vault.insert(vault_name);
            platforms.insert(id, platform);
        }
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1_000_000 / 2);
        Self {
            world: fresh_world(),
            journal,
            chance,
            at: start,
            moved: SignedDuration::ZERO,
            real: 0,
            decided: start,
            next: 0,
            platforms,
            vault,
            is_keyring_locked: false,
            clients: BTreeMap::new(),
            under_way: Vec::new(),
            drive: BTreeMap::new(),
            is_drive_full: false,
            receipts: BTreeMap::new(),
            offline_until: 0,
            allowed: BTreeMap::new(),
            promised: BTreeSet::new(),
            kept: BTreeMap::new(),
            drafted: BTreeMap::new(),
            asking: None,
            has_crashed: false,
            batches: 0,
            trace: tells.then(Vec::new),
            decisions: 0,
            hash: DefaultHasher::new(),
        }
    }

    /// What stands for everything that happened.
    pub(super) fn mark(&self) -> u64 {
        self.hash.finish()
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    /// What the platforms' clocks say: they do not jump.
    pub(super) fn their_clock(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
            + SignedDuration::from_hours(1_000_000 / 2)
            + SignedDuration::from_secs(self.real)
    }

    /// From the start to the end of every job.
    pub(super) fn live(&mut self) {
        self.restart();
        self.send();
        let mut steps = 0;
        while steps < FAULTY_STEPS && self.chance.step() {
            steps += 1;
            self.step();
        }
        self.calm_down();
        for _ in 0..QUIET_STEPS {
            if !self.under_way.is_empty() {
                self.advance();
            } else if !self.person_helps() {
                if self.has_ended() {
                    self.check_end();
                    return;
                }
                self.pass_time();
            }
        }
        panic!("some job never ends");
    }

    fn step(&mut self) {
        match self.chance.below(64) {
            0..=39 => self.advance(),
            40..=49 => self.pass_time(),
            50..=55 => self.person(),
            56 => self.send(),
            57..=59 => self.weather(),
            60..=61 => self.jump(),
            62 => {
                self.check_snapshot();
                self.crash();
            }
            _ => self.close(),
        }
    }

    fn calm_down(&mut self) {
        self.tell(|| "no fault from here on".to_owned());
        self.chance.quiet = true;
        self.is_drive_full = false;
        self.is_keyring_locked = false;
        self.offline_until = 0;
        for platform in self.platforms.values_mut() {
            platform.down_until = 0;
            platform.quota_until = (0, false);
        }
    }

    /// The world around changes.
    fn weather(&mut self) {
        let id = ConnectionId(u64::from(self.chance.below(4)) + 1);
        let until = self.real + i64::from(self.chance.below(60)) * 60;
        let kind = self.chance.below(8);
        match kind {
            0 => self.is_drive_full = false,
            1 => self.is_drive_full = true,
            2 => self.offline_until = until,
            3 => self.is_keyring_locked ^= true,
            4 => self.platform(id).down_until = until,
            5 => self.platform(id).quota_until = (until, true),
            6 => self.platform(id).quota_until = (until, false),
            _ => self.platform(id).good.clear(),
        }
        self.tell(|| {
            let what = [
                "room on the results drive again",
                "the results drive is full",
                "no network for a while",
                "the keyring is locked or unlocked",
                "maintenance",
                "quota spent, with a time",
                "quota spent, without a time",
                "the key is revoked",
            ];
            format!("weather at {id}: {}", what[usize::from(kind)])
        });
    }

    /// The clock is set, hours forth or back, or the computer slept. The dispatcher looks at the clocks before each
    /// decision, and every few seconds while there is something to do.
    fn jump(&mut self) {
        let hours = [3, -3, 26, -26, 1, -1][self.chance.place(6)];
        let by = SignedDuration::from_hours(hours);
        self.tell(|| format!("the clock jumps by {hours} hours"));
        self.at += by;
        self.moved += by;
        if self.chance.below(2) == 1 {
            // Something else happens before the next look.
            return;
        }
        self.look();
        self.revive();
    }

    /// Nothing happens until something is due.
    pub(super) fn pass_time(&mut self) {
        let due = next_wake(&self.world, self.decided);
        let wait = due.map_or(SignedDuration::from_mins(1), |due| {
            due.duration_since(self.at).max(SignedDuration::ZERO)
        });
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        self.real += seconds;
        self.at += SignedDuration::from_secs(seconds);
        self.tell(|| format!("{seconds} seconds pass"));
        self.happen(Event::Tick);
        self.revive();
    }
}
