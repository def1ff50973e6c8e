//! One life: the world under decision, its journal, and the workers, moved on as the dispatcher does it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::mem::discriminant;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use labferry::engine::decide::{decide, may_begin_anew};
use labferry::engine::event::{Effect, Event, Now, Work, WorkKey};
use labferry::engine::pace::Pace;
use labferry::engine::plan::next_wake;
use labferry::engine::start::fill;
use labferry::engine::world::World;
use labferry::model::connection::Connection;
use labferry::model::error::{Doing, Error, ErrorKind, Sent};
use labferry::model::ids::{BatchId, ConnectionId, FileId, JobId};
use labferry::model::provider::ProviderFacts;
use labferry::model::remote::RemoteJob;
use labferry::providers;
use labferry::store::journal::Change;

use super::chance::Chance;
use super::journal::Journal;
use super::platforms::Platform;
use super::rules::Cause;

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
    moved: SignedDuration,
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
    asking: Option<JobId>,
    /// Whether the program has ended in the middle of a step.
    has_crashed: bool,
    /// How often it was sent.
    pub(super) batches: u8,
    /// What happened, for people, where somebody wants to read it.
    pub(super) trace: Option<Vec<String>>,
    /// Decisions made.
    pub(super) decisions: u64,
    hash: DefaultHasher,
}

fn fresh_world() -> World {
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

    /// Takes in that the clock jumped.
    fn look(&mut self) {
        let by = std::mem::take(&mut self.moved);
        if by != SignedDuration::ZERO {
            self.take_in(Event::ClockMoved(by));
        }
    }

    /// After a sleep, what hangs on a dead connection is broken off; what it did stays done.
    fn break_off(&mut self) {
        let mut place = 0;
        while place < self.under_way.len() {
            let one = &self.under_way[place];
            let hangs = !matches!(one.phase, Phase::Ended(_)) && may_begin_anew(&self.world, &one.key);
            let fate = if hangs { self.chance.below(4) } else { 0 };
            if fate == 3 && !matches!(self.under_way[place].work, Work::Submit { .. }) {
                self.act(place);
            }
            if fate >= 2 {
                let key = self.under_way[place].key.clone();
                self.tell(|| format!("broken off: {key:?}"));
                self.under_way[place].phase = Phase::Ended(Event::Tick);
            }
            place += 1;
        }
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

    /// One worker gets on.
    pub(super) fn advance(&mut self) {
        if self.under_way.is_empty() {
            self.pass_time();
            return;
        }
        let place = self.chance.place(self.under_way.len());
        if let Phase::Ended(_) = self.under_way[place].phase {
            self.deliver(place);
        } else {
            self.get_on(place);
        }
        self.revive();
    }

    fn get_on(&mut self, place: usize) {
        if self.chance.rarely(80) {
            let one = &self.under_way[place];
            let broke = Event::Broke(one.key.clone(), "index out of bounds".to_owned());
            if matches!(one.phase, Phase::LetGo) && self.chance.below(2) == 1 {
                self.act(place);
            }
            self.under_way[place].phase = Phase::Ended(broke);
            self.deliver(place);
            return;
        }
        let work = &self.under_way[place].work;
        match (work, &self.under_way[place].phase) {
            (Work::Submit { .. }, Phase::Begun) => {
                self.ask_commit(place);
                return;
            }
            (Work::Stage { .. }, Phase::Begun) => {
                if !self.keep(place) {
                    return;
                }
            }
            _ => {}
        }
        let event = self.act(place);
        self.under_way[place].phase = Phase::Ended(event);
        // Some answers come late.
        if self.chance.below(3) != 2 {
            self.deliver(place);
        }
    }

    /// A submission stands before its point of no return.
    fn ask_commit(&mut self, place: usize) {
        let one = &self.under_way[place];
        let Work::Submit {
            connection,
            job,
            submission,
        } = one.work.clone()
        else {
            return;
        };
        let (key, with, stopped) = (one.key.clone(), one.with.clone(), one.stopped);
        // A stopped upload ends; a client that sends little does not even notice.
        let notices = stopped && !submission.uploads.is_empty();
        let fails = match self.reach(connection, &with, Doing::Submit) {
            Ok(()) if notices => Some(Error::new(ErrorKind::LocalFile, Doing::Submit)),
            Ok(()) => None,
            Err(error) => Some(error.sent(Sent::No)),
        };
        if let Some(error) = fails {
            self.under_way[place].phase = Phase::Ended(Event::Submitted(job, Err(error)));
            self.deliver(place);
            return;
        }
        let drafts = self.platform(connection).facts.id.as_str() == "seven-bridges";
        let draft = drafts.then(|| self.draft(connection, job, &submission));
        self.under_way[place].draft.clone_from(&draft);
        self.asking = Some(job);
        self.happen(Event::CommitAsked(job, draft));
        let refused = self.asking.take().is_some();
        if self.has_crashed {
            return;
        }
        let Some(place) = self.under_way.iter().position(|one| one.key == key) else {
            return;
        };
        if refused {
            let error = Error::new(ErrorKind::Internal, Doing::Submit);
            self.under_way[place].phase = Phase::Ended(Event::Submitted(job, Err(error)));
            self.deliver(place);
        }
    }

    /// An upload may want something remembered, and must have been told what an earlier one wanted; whether it goes on.
    fn keep(&mut self, place: usize) -> bool {
        let Work::Stage {
            connection,
            file,
            kept,
            ..
        } = self.under_way[place].work.clone()
        else {
            return true;
        };
        let last = self.kept.get(&(connection, file));
        assert!(
            last.is_none() || kept.as_ref() == last,
            "what an upload wanted remembered was forgotten"
        );
        if self.chance.below(3) != 1 {
            return true;
        }
        let text = self.fresh("part ");
        self.happen(Event::KeepAsked(connection, file, text.clone()));
        if self.has_crashed {
            return false;
        }
        // From here on it is what this upload was told.
        for one in &mut self.under_way {
            if let Work::Stage {
                connection: over,
                file: uploaded,
                kept,
                ..
            } = &mut one.work
                && (*over, *uploaded) == (connection, file)
            {
                assert!(
                    matches!(one.phase, Phase::LetGo),
                    "an upload waits for ever to remember something"
                );
                *kept = Some(text.clone());
                one.phase = Phase::Begun;
            }
        }
        true
    }

    /// The dispatcher takes in what a worker ended with.
    pub(super) fn deliver(&mut self, place: usize) {
        self.look();
        if self.has_crashed {
            return;
        }
        let one = self.under_way.remove(place);
        let Phase::Ended(event) = one.phase else {
            return;
        };
        self.world.live.running.remove(&one.key);
        if let Event::Connected(id, _, Ok(())) = &event {
            self.clients.insert(*id, one.with);
        }
        let transfer = matches!(one.key, WorkKey::Stage(..) | WorkKey::Fetch(_));
        let held_back = matches!(
            &event,
            Event::Submitted(_, Err(error)) if error.failure().sent == Sent::No
        );
        let is_broken = matches!(event, Event::Broke(..));
        if one.stopped && !is_broken && (transfer || held_back) {
            self.happen(Event::Tick);
        } else {
            self.happen(event);
        }
    }

    /// Something happened; a jump of the clock is noticed first.
    pub(super) fn happen(&mut self, event: Event) {
        self.look();
        self.take_in(event);
    }

    /// Decides, writes, then acts. The program may end at each point of this.
    fn take_in(&mut self, event: Event) {
        if self.has_crashed {
            return;
        }
        self.next += 1;
        let now = Now {
            at: self.at,
            random: self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
        self.decided = now.at;
        self.decisions += 1;
        if self.trace.is_some() {
            let mut text = format!("{event:?}");
            if let Some((end, _)) = text.char_indices().nth(220) {
                text.truncate(end);
            }
            self.tell(|| format!("event {text}"));
        }
        discriminant(&event).hash(&mut self.hash);
        now.at.as_second().hash(&mut self.hash);
        let cause = Cause::of(&event);
        let was_moved = matches!(event, Event::ClockMoved(_) | Event::Started);
        let effects = decide(&mut self.world, event, now);
        let mut changes = Vec::new();
        let mut acts = Vec::new();
        for effect in effects {
            self.note_effect(&effect);
            match effect {
                Effect::Write(change) => changes.push(change),
                act => acts.push(act),
            }
        }
        self.check_changes(&cause, &changes);
        let ends = if changes.is_empty() && acts.is_empty() {
            0
        } else {
            self.chance.below(200)
        };
        if !changes.is_empty() && matches!(ends, 195..=197) {
            self.hold();
        }
        if ends == 199 {
            self.stumble("before the journal is written");
            return;
        }
        self.journal.commit(&changes);
        self.promise(&cause, &changes);
        if ends == 198 {
            let done = self.chance.place(acts.len() + 1);
            for act in acts.into_iter().take(done) {
                self.do_act(act);
            }
            self.stumble("after the journal is written, before everything is started");
            return;
        }
        for act in acts {
            self.do_act(act);
        }
        self.check(was_moved);
    }

    fn note_effect(&mut self, effect: &Effect) {
        discriminant(effect).hash(&mut self.hash);
        match effect {
            Effect::Write(Change::PutJob(job)) => (job.id, job.stage).hash(&mut self.hash),
            Effect::Write(change) => discriminant(change).hash(&mut self.hash),
            Effect::Start(work) => work.key(0).hash(&mut self.hash),
            Effect::Stop(key) => key.hash(&mut self.hash),
            Effect::LetCommit(job) => job.hash(&mut self.hash),
            Effect::LetKeep(..)
            | Effect::Disconnect(_)
            | Effect::ForgetSecrets(_)
            | Effect::Awake
            | Effect::RenewNetwork => {}
        }
        if self.trace.is_some() {
            let text = match effect {
                Effect::Write(Change::PutJob(job)) => format!("  write job {} {:?}", job.id, job.stage),
                Effect::Write(Change::PutArtifact(one)) => {
                    format!("  write artifact {} {:?}", one.id, one.state)
                }
                Effect::Write(Change::PutNotice(notice)) => format!("  say {}", notice.words.what),
                Effect::Write(change) => format!("  write {change:?}"),
                Effect::Start(work) => format!("  start {:?}", work.key(0)),
                other => format!("  {other:?}"),
            };
            self.tell(|| text.chars().take(160).collect());
        }
    }

    fn do_act(&mut self, act: Effect) {
        match act {
            Effect::Write(_) => {}
            Effect::Start(work) => self.start(work),
            Effect::Stop(key) => {
                for one in self.under_way.iter_mut().filter(|one| one.key == key) {
                    one.stopped = true;
                }
            }
            Effect::LetCommit(job) => {
                self.check_let_go(job);
                if self.asking == Some(job) {
                    self.asking = None;
                    self.let_go(&WorkKey::Submit(job));
                }
            }
            Effect::LetKeep(connection, file) => self.let_go(&WorkKey::Stage(connection, file)),
            Effect::Disconnect(id) => drop(self.clients.remove(&id)),
            Effect::ForgetSecrets(name) => drop(self.vault.remove(&name)),
            Effect::RenewNetwork => self.clients.clear(),
            Effect::Awake => self.break_off(),
        }
    }

    fn let_go(&mut self, key: &WorkKey) {
        for one in self.under_way.iter_mut().filter(|one| one.key == *key) {
            one.phase = Phase::LetGo;
        }
    }

    fn start(&mut self, work: Work) {
        let key = work.key(self.world.live.scans);
        let mut phase = Phase::Begun;
        let mut with = String::new();
        if let Some(connection) = work.connection() {
            match self.clients.get(&connection) {
                Some(client) => with.clone_from(client),
                None => phase = Phase::Ended(Event::Tick),
            }
        }
        self.under_way.push(UnderWay {
            work,
            key,
            phase,
            stopped: false,
            with,
            draft: None,
        });
    }

    /// The journal cannot be written for a while: the dispatcher waits, workers do not.
    fn hold(&mut self) {
        let seconds = 1 + i64::from(self.chance.below(100)) * 6;
        self.tell(|| format!("  the journal's drive is full for {seconds} seconds"));
        self.real += seconds;
        self.at += SignedDuration::from_secs(seconds);
        if !self.under_way.is_empty() {
            let place = self.chance.place(self.under_way.len());
            let one = &self.under_way[place];
            let waits = matches!(one.work, Work::Submit { .. } | Work::Stage { .. });
            let ended = matches!(one.phase, Phase::Ended(_));
            if !ended && (!waits || matches!(one.phase, Phase::LetGo)) {
                let event = self.act(place);
                self.under_way[place].phase = Phase::Ended(event);
            }
        }
    }

    fn stumble(&mut self, whereabouts: &str) {
        self.tell(|| format!("  the program ends {whereabouts}"));
        self.has_crashed = true;
    }

    /// After a step in which the program has ended.
    pub(super) fn revive(&mut self) {
        while self.has_crashed {
            self.crash();
        }
    }

    /// The plug is pulled. What has left arrives all the same, or not.
    pub(super) fn crash(&mut self) {
        self.tell(|| "the plug is pulled".to_owned());
        for place in 0..self.under_way.len() {
            let one = &self.under_way[place];
            let has_left = match one.phase {
                Phase::Begun => !matches!(one.work, Work::Submit { .. }),
                Phase::LetGo => true,
                Phase::Ended(_) => false,
            };
            if has_left && self.chance.below(2) == 1 {
                self.act(place);
            }
        }
        self.restart();
        self.revive();
    }

    /// The person closes the program: submissions beyond their point of no return get their answer written if it comes.
    fn close(&mut self) {
        self.tell(|| "the person closes the program".to_owned());
        for one in &mut self.under_way {
            one.stopped = true;
        }
        let beyond = |one: &UnderWay| {
            matches!(one.work, Work::Submit { .. }) && !matches!(one.phase, Phase::Begun)
        };
        while let Some(place) = self.under_way.iter().position(beyond) {
            if matches!(self.under_way[place].phase, Phase::LetGo) {
                let event = self.act(place);
                self.under_way[place].phase = Phase::Ended(event);
            }
            let one = self.under_way.remove(place);
            let Phase::Ended(event) = one.phase else {
                continue;
            };
            if self.chance.rarely(4) {
                // It did not come in time.
                continue;
            }
            self.world.live.running.remove(&one.key);
            let now = Now {
                at: self.at,
                random: self.next,
            };
            self.tell(|| format!("last answer {event:?}").chars().take(160).collect());
            let cause = Cause::of(&event);
            let changes: Vec<Change> = decide(&mut self.world, event, now)
                .into_iter()
                .filter_map(|effect| match effect {
                    Effect::Write(change) => Some(change),
                    _ => None,
                })
                .collect();
            self.check_changes(&cause, &changes);
            self.journal.commit(&changes);
            self.promise(&cause, &changes);
        }
        self.crash();
    }

    /// The program starts: the world is what the journal says.
    fn restart(&mut self) {
        self.has_crashed = false;
        self.under_way.clear();
        self.clients.clear();
        self.asking = None;
        if self.chance.rarely(12) {
            // Nobody sees the clock move while the program is not there.
            let hours = [3, -3, 26, -26][self.chance.place(4)];
            self.tell(|| format!("the clock is set by {hours} hours meanwhile"));
            self.at += SignedDuration::from_hours(hours);
        }
        self.moved = SignedDuration::ZERO;
        self.world = fresh_world();
        fill(&mut self.world, self.journal.contents());
        self.happen(Event::Started);
    }

    /// What a restart would make of the journal now.
    pub(super) fn rebuilt(&self) -> World {
        let mut world = fresh_world();
        fill(&mut world, self.journal.contents());
        world
    }

}
