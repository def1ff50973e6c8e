//! The one writer: takes what happens, lets `decide` think, writes its changes to the journal, and only then starts
//! the work it asks for. Every change goes through [`Dispatcher::happen`].

mod closing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::engine::awake::Awake;
use crate::engine::clock::{Clock, Watch};
use crate::engine::command::Command;
use crate::engine::decide::decide;
use crate::engine::desk::Desk;
use crate::engine::event::{Effect, Event, Now, Work, WorkKey};
use crate::engine::plan::next_wake;
use crate::engine::progress::Progress;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::engine::under_way::{Task, UnderWay, last_words};
use crate::engine::view::{self, Beside};
use crate::engine::worker::{self, Outcome, Question, Toolbox};
use crate::engine::world::World;
use crate::engine::{WakeCell, start};
use crate::model::error::Sent;
use crate::model::ids::{ConnectionId, FileId, JobId, NoticeId};
use crate::net::speed::Way;
use crate::store::journal::{Change, CommitError, Journal};

/// Shortest time between two snapshots: a burst of events is seen as one change.
const BURST: Duration = Duration::from_millis(25);

/// Wait before a refused journal is tried again.
const HELD: Duration = Duration::from_secs(1);

/// What goes in and out.
pub(super) struct Channels {
    /// From the person.
    pub commands: mpsc::Receiver<Command>,
    /// To the person.
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    /// Called after each snapshot.
    pub wake: WakeCell,
    /// Turns true when the engine shall end.
    pub closing: watch::Receiver<bool>,
    /// From workers in the middle of their work.
    pub questions: mpsc::Receiver<Question>,
}

/// The owner of all state.
pub(super) struct Dispatcher {
    world: World,
    journal: Journal,
    channels: Channels,
    tools: Toolbox,
    tasks: JoinSet<Outcome>,
    under_way: UnderWay,
    awake: Option<Awake>,
    commits: BTreeMap<JobId, oneshot::Sender<()>>,
    keeps: BTreeMap<(ConnectionId, FileId), oneshot::Sender<()>>,
    progress: Progress,
    desk: Desk,
    phase: Phase,
    commits_left: Option<u64>,
    watch: Watch,
    /// Whether the clocks are looked at regularly.
    looking: bool,
    /// The time of the last decision: what was due by then has been seen to.
    decided: Timestamp,
    published: Instant,
    publish_at: Option<Instant>,
    /// Makes room on the journal's pretended drive after the first refusal.
    #[cfg(test)]
    room_comes_back: bool,
}

impl Dispatcher {
    /// Takes over a world as the journal has it.
    pub(super) fn new(
        world: World,
        journal: Journal,
        channels: Channels,
        tools: Toolbox,
        desk: Desk,
        clock: Clock,
    ) -> Self {
        let watch = Watch::new(clock);
        Self {
            world,
            journal,
            channels,
            tools,
            tasks: JoinSet::new(),
            under_way: UnderWay::default(),
            awake: None,
            commits: BTreeMap::new(),
            keeps: BTreeMap::new(),
            progress: Progress::new(),
            desk,
            phase: Phase::Running,
            commits_left: None,
            decided: watch.now(),
            watch,
            looking: false,
            published: Instant::now(),
            publish_at: None,
            #[cfg(test)]
            room_comes_back: false,
        }
    }

    /// Plans a crash; see [`crate::engine::EngineOptions::crash_after_commits`].
    pub(super) fn crash_after(&mut self, commits: Option<u64>) {
        self.commits_left = commits;
    }

    /// Keeps the computer from sleeping while bytes move.
    pub(super) fn keep_awake(&mut self) {
        self.awake = Some(Awake::new());
    }

    fn has_crashed(&self) -> bool {
        self.commits_left == Some(0)
    }

    /// Says that a damaged journal was set aside.
    pub(super) fn say_set_aside(&mut self, path: &std::path::Path) {
        let id = NoticeId(self.world.last_ids.notice.0.saturating_add(1));
        let notice = start::set_aside_notice(id, self.watch.now(), path);
        let change = Change::PutNotice(Arc::new(notice));
        self.world.apply(&change);
        if let Err(error) = self.journal.commit(&[change]) {
            tracing::error!(%error, "the notice could not be journalled");
        }
    }

    /// Works until the engine shall end.
    pub(super) async fn run(mut self) {
        self.happen(Event::Started).await;
        self.publish();
        while !*self.channels.closing.borrow() && !self.has_crashed() {
            let wake = self.next_wake();
            let look = self.next_look();
            if let Some(awake) = &mut self.awake {
                awake.set(self.progress.is_moving());
            }
            let progress = self
                .progress
                .is_seen()
                .then(|| self.published + self.world.pace.progress_every);
            tokio::select! {
                changed = self.channels.closing.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
                command = self.channels.commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break,
                },
                Some(question) = self.channels.questions.recv() => self.answer(question).await,
                Some(joined) = self.tasks.join_next_with_id() => self.finished(joined).await,
                () = self.desk.changed() => self.want_snapshot(),
                () = until(self.publish_at) => self.publish(),
                () = until(progress) => self.publish(),
                () = until(wake) => self.happen(Event::Tick).await,
                () = until(look) => { self.look().await; }
                () = until(self.under_way.grace_ends()) => self.under_way.break_off(&self.world, &self.progress),
            }
        }
        if !self.has_crashed() {
            self.close().await;
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let now = self.watch.now();
        // Counted from the last decision: what has become due since then must not be slept over.
        let due = next_wake(&self.world, self.decided)?;
        let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
        Some(Instant::now() + wait + Duration::from_millis(1))
    }

    /// While there is something to do the clocks are looked at, as a jump must not leave us asleep.
    fn next_look(&mut self) -> Option<Instant> {
        self.looking = !self.world.alive.is_empty() || !self.under_way.is_empty();
        self.looking.then(|| self.watch.next_look())
    }

    /// Looks at the clocks; the time, once a jump has been taken in.
    async fn look(&mut self) -> Timestamp {
        let (at, moved) = self.watch.look(self.looking);
        if let Some(by) = moved {
            tracing::info!(
                secs = by.as_secs(),
                "the clock jumped, or the computer slept"
            );
            self.take_in(Event::ClockMoved(by), at).await;
        }
        at
    }

    async fn obey(&mut self, command: Command) {
        tracing::debug!(command = command.name(), "command");
        if let Command::ShowThumbnails(paths) = command {
            // Of no consequence before one has come: a list that is scrolled asks for others in each frame.
            self.desk.want_thumbnails(paths);
            return;
        }
        if let Some(command) = self.desk.take(command, &self.world) {
            self.happen(Event::Command(command)).await;
        }
        self.want_snapshot();
    }

    async fn answer(&mut self, question: Question) {
        match question {
            Question::MayKeep(connection, file, text, reply) => {
                self.keeps.insert((connection, file), reply);
                self.happen(Event::KeepAsked(connection, file, text)).await;
                self.keeps.remove(&(connection, file));
            }
            Question::MayCommit(job, draft, reply) => {
                // Broken off meanwhile: with the answer to nobody the job would count as submitted.
                if self.under_way.is_broken_off(&WorkKey::Submit(job)) {
                    return;
                }
                self.commits.insert(job, reply);
                self.happen(Event::CommitAsked(job, draft)).await;
                // Not let go by the decision: the submission is held back.
                self.commits.remove(&job);
            }
        }
    }

    async fn finished(&mut self, joined: Result<(Id, Outcome), JoinError>) {
        // A jump of the clock is taken in while this still counts as under way: else it would be begun anew although it
        // has ended, or a submission be taken for one without answer.
        let at = self.look().await;
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, Ok(outcome)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(Task {
            key, broken_off, ..
        }) = self.under_way.remove(id)
        else {
            return;
        };
        self.world.live.running.remove(&key);
        let stopped = self.progress.end(&key);
        let event = match outcome {
            Ok(outcome) => {
                if let Some((connection, client)) = outcome.client {
                    self.tools.clients.insert(connection, client);
                }
                if let Some((connection, budget)) = outcome.budget {
                    self.world.link(connection).budget = Some(budget);
                }
                // What a stopped transfer says about its end is of no interest; a submission that went through is.
                let transfer = matches!(key, WorkKey::Stage(..) | WorkKey::Fetch(_));
                let held_back = matches!(
                    &outcome.event,
                    Event::Submitted(_, Err(error)) if error.failure().sent == Sent::No
                );
                if stopped && (transfer || held_back) {
                    Event::Tick
                } else {
                    outcome.event
                }
            }
            Err(error) if broken_off && error.is_cancelled() => Event::Tick,
            Err(error) => {
                tracing::error!(?key, %error, "a worker broke down");
                Event::Broke(key, last_words(error))
            }
        };
        self.take_in(event, at).await;
    }

    /// Something happened: decide, write, then act.
    async fn happen(&mut self, event: Event) {
        let at = self.look().await;
        self.take_in(event, at).await;
    }

    async fn take_in(&mut self, event: Event, at: Timestamp) {
        let now = Now {
            at,
            random: fastrand::u64(..),
        };
        self.decided = now.at;
        let effects = decide(&mut self.world, event, now);
        if effects.is_empty() {
            self.want_snapshot();
            return;
        }
        let mut changes: Vec<Change> = Vec::new();
        let mut acts = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write(change) => changes.push(change),
                act => acts.push(act),
            }
        }
        if !changes.is_empty() && !self.commit(&changes).await {
            return;
        }
        for act in acts {
            self.act(act);
        }
        self.want_snapshot();
    }

    /// Writes changes, waiting out a full disk; false when the engine closes meanwhile.
    async fn commit(&mut self, changes: &[Change]) -> bool {
        loop {
            let written = match self.tools.writes.next() {
                Ok(()) => self.journal.commit(changes),
                Err(_full) => Err(CommitError::DiskFull),
            };
            let error = match written {
                Ok(()) => {
                    if let Some(left) = &mut self.commits_left {
                        *left = left.saturating_sub(1);
                        if *left == 0 {
                            return false;
                        }
                    }
                    if self.phase != Phase::Running {
                        self.phase = Phase::Running;
                        self.publish();
                    }
                    return true;
                }
                Err(error) => error,
            };
            tracing::error!(%error, "the journal cannot be written");
            self.phase = Phase::Held(start::held(&error, &self.tools.data_folder));
            self.publish();
            #[cfg(test)]
            if self.room_comes_back {
                self.journal.limit_growth(None).unwrap();
            }
            tokio::select! {
                () = sleep(HELD) => {}
                _ = self.channels.closing.changed() => {}
            }
            if *self.channels.closing.borrow() {
                return false;
            }
        }
    }

    fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Write(_) => {}
            Effect::Start(work) => self.start(work),
            Effect::Stop(key) => self.progress.stop(&key),
            Effect::LetCommit(job) => {
                if let Some(reply) = self.commits.remove(&job)
                    && reply.send(()).is_err()
                {
                    tracing::warn!(job = job.0, "nobody waits any more for the journal");
                }
            }
            Effect::LetKeep(connection, file) => {
                if let Some(reply) = self.keeps.remove(&(connection, file))
                    && reply.send(()).is_err()
                {
                    tracing::debug!(
                        file = file.0,
                        "the upload does not wait any more for the journal"
                    );
                }
            }
            Effect::Disconnect(connection) => {
                self.tools.clients.remove(&connection);
            }
            Effect::ForgetSecrets(vault_name) => {
                let (keys, facts) = (self.tools.keys.clone(), self.tools.facts.clone());
                self.aside(move || keys.forget(&vault_name, &facts));
            }
            Effect::Awake => {
                self.tools.http.forget_connections();
                let grace = self.world.pace.grace_after_sleep;
                self.under_way.awake(grace, &self.progress);
            }
            Effect::RenewNetwork => match start::http(&self.world.settings, &self.tools.net) {
                Ok(http) => {
                    self.tools.http = http;
                    self.tools.clients.clear();
                }
                Err(error) => {
                    tracing::error!(%error, "the network settings cannot be used; the former ones stay");
                }
            },
            Effect::LimitSpeed { up, down } => {
                self.tools.net.speed.limit(Way::Up, up);
                self.tools.net.speed.limit(Way::Down, down);
            }
        }
    }

    fn start(&mut self, work: Work) {
        let key = work.key(self.world.live.scans);
        let meter = self.progress.begin(&key);
        let tools = self.tools.clone();
        let handle = match work.connection() {
            None => self.tasks.spawn(worker::work_alone(work, tools, meter)),
            Some(connection) => match self.tools.clients.get(&connection).cloned() {
                Some(client) => self.tasks.spawn(async move {
                    worker::work_over(connection, work, client, tools, meter).await
                }),
                // Lost between the decision and now: the next decision makes a new client.
                None => self.tasks.spawn(async { Event::Tick.into() }),
            },
        };
        self.under_way.insert(handle, key);
    }

    /// Runs something short that nobody waits for.
    fn aside(&mut self, act: impl FnOnce() + Send + 'static) {
        self.tasks.spawn(async move {
            if let Err(error) = worker::blocking(act).await {
                tracing::warn!(%error, "work aside broke down");
            }
            Event::Tick.into()
        });
    }

    /// A snapshot soon; several wishes in a burst become one.
    fn want_snapshot(&mut self) {
        if self.publish_at.is_none() {
            self.publish_at = Some((self.published + BURST).max(Instant::now()));
        }
    }

    fn publish(&mut self) {
        self.publish_at = None;
        self.published = Instant::now();
        let beside = Beside {
            phase: self.phase.clone(),
            preview: self.desk.preview(),
            thumbnails: self.desk.thumbnails(),
            folder: self.desk.folder(),
            report: self.desk.report(),
            bytes: self.progress.bytes(&self.world),
            checks: self.progress.checks(),
            rates: self.progress.rates(),
        };
        let before = self.channels.snapshots.borrow().clone();
        let next = view::snapshot(&self.world, &beside, &before);
        self.channels.snapshots.send_replace(Arc::new(next));
        start::wake(&self.channels.wake);
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
