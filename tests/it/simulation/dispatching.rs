//! The dispatcher's part: what it does around each decision, and how the program ends and starts.

use std::hash::Hash as _;
use std::mem::discriminant;

use jiff::SignedDuration;
use labferry::engine::decide::{decide, may_begin_anew};
use labferry::engine::event::{Effect, Event, Now, Work, WorkKey};
use labferry::engine::recovery::fill;
use labferry::engine::world::World;
use labferry::model::error::Sent;
use labferry::store::journal::Change;

use super::life::{Life, Phase, UnderWay, fresh_world};
use super::rules::Cause;

impl Life {
    /// Takes in that the clock jumped.
    pub(super) fn look(&mut self) {
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
            let hangs =
                !matches!(one.phase, Phase::Ended(_)) && may_begin_anew(&self.world, &one.key);
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
            | Effect::LimitSpeed { .. }
            | Effect::RenewNetwork => {}
        }
        if self.trace.is_some() {
            let text = match effect {
                Effect::Write(Change::PutJob(job)) => {
                    format!("  write job {} {:?}", job.id, job.stage)
                }
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
            Effect::Write(_) | Effect::LimitSpeed { .. } => {}
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

    pub(super) fn let_go(&mut self, key: &WorkKey) {
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
    pub(super) fn close(&mut self) {
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
    pub(super) fn restart(&mut self) {
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
