//! What the person does: anything at any time while there are faults, and afterwards what the app asks for.

use std::collections::BTreeMap;

use labferry::engine::command::{Command, Resolution};
use labferry::engine::event::Event;
use labferry::engine::plan::is_blocked;
use labferry::model::batch::{BatchDraft, Target};
use labferry::model::connection::ConnectionDraft;
use labferry::model::form::Settings;
use labferry::model::ids::{ConnectionId, JobId, Tag};
use labferry::model::job::Stage;
use labferry::model::pipeline::Pipeline;
use labferry::model::remote::Submission;
use labferry::model::settings::{AppSettings, ProxyChoice};

use super::life::Life;

impl Life {
    /// A command, and at times the same once more: people click twice.
    fn command(&mut self, command: Command) {
        if self.chance.rarely(6) {
            self.happen(Event::Command(command.clone()));
        }
        self.happen(Event::Command(command));
        self.revive();
    }

    /// Sends some files to one of the platforms.
    pub(super) fn send(&mut self) {
        if self.batches >= 3 {
            self.pass_time();
            return;
        }
        self.batches += 1;
        let id = ConnectionId(u64::from(self.chance.below(4)) + 1);
        let fan_outs = self.platform(id).facts.capabilities.fan_outs;
        let possible: Vec<_> = fan_outs
            .iter()
            .copied()
            .filter(|fan_out| !fan_out.needs_samples())
            .collect();
        let fan_out = possible[self.chance.place(possible.len())];
        let draft = BatchDraft {
            name: format!("Batch {}", self.batches),
            into: None,
            targets: vec![Target {
                connection: id,
                pipeline: Pipeline::typed("p"),
                fan_out,
                settings: Settings::new(),
                sample_column: None,
                existing: Vec::new(),
            }],
        };
        self.happen(Event::Command(Command::SubmitBatch(draft)));
        self.revive();
    }

    /// Anything.
    pub(super) fn person(&mut self) {
        let jobs: Vec<JobId> = self.world.jobs.keys().copied().collect();
        let job = match self.chance.place(jobs.len()) {
            place if place < jobs.len() => jobs[place],
            _ => JobId(99),
        };
        let id = ConnectionId(u64::from(self.chance.below(4)) + 1);
        match self.chance.below(16) {
            0..=1 => self.command(Command::CancelJob(job)),
            // A change of mind.
            2 => {
                self.command(Command::CancelJob(job));
                self.command(Command::RetryJob(job));
            }
            3..=5 => self.command(Command::RetryJob(job)),
            6 => {
                if let Some(batch) = self.world.jobs.get(&job).map(|job| job.batch) {
                    self.command(Command::RetryFailed(batch));
                }
            }
            7..=8 => {
                let kind = self.chance.below(3);
                self.resolve(kind);
            }
            9 => self.command(Command::ForgetJob(job)),
            10 => self.change_settings(),
            11 => self.command(Command::RemoveConnection(id)),
            12 => self.save_connection(id),
            13 => self.command(Command::CheckConnection(id)),
            14 => self.adopt(id),
            _ => self.command(Command::RetryKeyring),
        }
    }

    fn change_settings(&mut self) {
        let settings = AppSettings {
            parallel_uploads: usize::from(self.chance.below(3)) + 1,
            parallel_downloads: usize::from(self.chance.below(3)) + 1,
            keep_archives: self.chance.below(2) == 1,
            proxy: if self.chance.below(3) == 2 {
                ProxyChoice::None
            } else {
                ProxyChoice::System
            },
            ..AppSettings::default()
        };
        self.command(Command::SaveSettings(settings));
    }

    fn save_connection(&mut self, id: ConnectionId) {
        let facts = self.platform(id).facts;
        let draft = ConnectionDraft {
            provider: facts.id.clone(),
            label: facts.name.to_owned(),
            entries: BTreeMap::new(),
        };
        // A platform has one connection here: it comes back under its number.
        let comes_back = self.world.connections.contains_key(&id)
            || self.world.jobs.values().any(|job| job.connection == id);
        if comes_back {
            self.command(Command::SaveConnection(draft, Vec::new()));
        }
    }

    /// Watches a job that somebody else made.
    fn adopt(&mut self, id: ConnectionId) {
        let submission = Submission::new(Pipeline::typed("p").id, "", Tag("of others".to_owned()));
        let tag = Tag(self.fresh("tag of others "));
        let remote = self.make(id, None, &Submission { tag, ..submission }, None);
        self.command(Command::AdoptJob(id, remote.id));
    }

    /// Decides about a submission without known outcome: adopts what is there (0), sends it again (1), leaves it (2).
    /// Nothing is done where nothing waits.
    fn resolve(&mut self, kind: u8) -> bool {
        let waits = self
            .world
            .jobs
            .values()
            .find(|job| job.stage == Stage::Unconfirmed)
            .map(|job| (job.id, job.connection));
        let Some((job, id)) = waits else {
            return false;
        };
        let made = self.platform(id).made_for(job).last();
        let made = made
            .filter(|made| !made.is_released)
            .map(|made| made.remote.clone());
        let resolution = match (kind, made) {
            (0, Some(remote)) => Resolution::Adopt(remote),
            (2, _) => Resolution::Leave,
            _ => Resolution::SendAgain,
        };
        self.command(Command::ResolveUnconfirmed(job, resolution));
        true
    }

    /// The person does what the app waits for; whether there was anything.
    pub(super) fn person_helps(&mut self) -> bool {
        if self.resolve(0) {
            return true;
        }
        let waiting = self
            .world
            .jobs
            .values()
            .filter(|job| !job.stage.is_settled())
            .map(|job| job.connection)
            .find(|id| is_blocked(&self.world, *id));
        let Some(id) = waiting else {
            return false;
        };
        let good = self.world.connections.get(&id).is_some_and(|connection| {
            self.platforms[&id].good.contains(&connection.vault_name)
                && self.vault.contains(&connection.vault_name)
        });
        if good {
            self.command(Command::CheckConnection(id));
        } else {
            self.save_connection(id);
        }
        true
    }
}
