//! What to do about what happened. Pure: no clock, no disk, no network, no chance of its own.
//!
//! [`decide`] changes the world, and returns what has to be written before anything is started, and what to start.

mod breaking;
mod connecting;
mod drafting;
mod drives;
mod fetching;
mod folders;
mod jobs_made;
mod listing;
mod outage;
mod person;
mod renewing;
mod sampling;
mod saving;
mod sending;
mod settings;
mod watching;

pub(in crate::engine) use crate::engine::decide::connecting::connect;
pub(in crate::engine) use crate::engine::decide::fetching::finishing;
pub use crate::engine::decide::outage::may_begin_anew;
pub(in crate::engine) use crate::engine::decide::outage::unchanged_since;
pub(in crate::engine) use crate::engine::decide::person::cancel;
pub(in crate::engine) use crate::engine::decide::sending::unconfirmed;

use crate::engine::command::Command;
use crate::engine::event::{Effect, Event, Now, Work, WorkKey};
use crate::engine::live::{Filled, Link};
use crate::engine::plan;
use crate::engine::snapshot::CheckState;
use crate::engine::world::{World, later, move_job, note};
use crate::model::error::{Error, ErrorKind};
use crate::model::ids::ConnectionId;
use crate::model::job::{Job, Stage};
use crate::model::notice::{About, Did, Weight, details};
use crate::store::journal::Change;

/// Decides about one event, then about everything that has become due.
pub fn decide(world: &mut World, event: Event, now: Now) -> Vec<Effect> {
    if let Some(connection) = outage::reached(world, &event) {
        outage::over(world, connection, now);
    }
    react(world, event, now);
    plan::plan(world, now);
    world.take_effects()
}

fn react(world: &mut World, event: Event, now: Now) {
    match event {
        Event::Tick => {}
        Event::Started => outage::started(world, now),
        Event::ClockMoved(by) => outage::clock_moved(world, by, now),
        Event::Command(command) => obey(world, command, now),
        Event::Scanned(files) => drafting::scanned(world, files),
        Event::SheetRead(path, sheet) => sampling::sheet_read(world, &path, sheet),
        Event::Checked(findings) => drafting::checked(world, findings, now),
        Event::Prepared(prepared) => drafting::prepared(world, prepared, now),
        Event::ConnectionStored(draft, outcome) => saving::stored(world, &draft, outcome, now),
        Event::Tried(outcome) => connecting::tried(world, outcome),
        Event::Connected(id, key, outcome) => connecting::connected(world, id, key, outcome, now),
        Event::Asked(id, account, pipelines) => {
            connecting::asked(world, id, account, pipelines, now);
        }
        Event::FormRead(id, pipeline, outcome) => {
            connecting::form_read(world, id, pipeline, outcome, now);
        }
        Event::Staged(connection, file, outcome) => {
            sending::staged(world, connection, file, outcome, now);
        }
        Event::BaselineRead(job, outcome) => sending::baseline_read(world, job, outcome, now),
        Event::KeepAsked(connection, file, text) => {
            sending::keep_asked(world, connection, file, text);
        }
        Event::Gathered(job, outcome) => sending::gathered(world, job, outcome, now),
        Event::Browsed(id, query, outcome) => listing::browsed(world, id, &query, outcome, now),
        Event::JobsListed(id, query, outcome) => {
            listing::jobs_listed(world, id, &query, outcome, now);
        }
        Event::Recognized(id, text, outcome) => {
            listing::recognized(world, id, &text, outcome, now);
        }
        Event::AdoptionPrepared(id, listed, outcome) => {
            listing::adoption_prepared(world, id, *listed, outcome, now);
        }
        Event::ProfilesRead(provider, names) => connecting::profiles_read(world, provider, names),
        Event::CommitAsked(job, draft) => sending::commit_asked(world, job, draft, now),
        Event::Submitted(job, outcome) => sending::submitted(world, job, outcome, now),
        Event::LookedUp(job, outcome) => sending::looked_up(world, job, outcome, now),
        Event::Polled(connection, outcome) => watching::polled(world, connection, outcome, now),
        Event::CancelAnswered(job, outcome) => watching::cancel_answered(world, job, outcome, now),
        Event::OutputsListed(job, outcome) => fetching::outputs_listed(world, job, outcome, now),
        Event::Preparing(artifact, percent) => fetching::preparing(world, artifact, percent, now),
        Event::Fetched(artifact, outcome) => fetching::fetched(world, artifact, outcome, now),
        Event::Unpacked(artifact, outcome) => fetching::unpacked(world, artifact, outcome, now),
        Event::ReceiptWritten(batch, jobs, outcome) => {
            fetching::receipt_written(world, batch, &jobs, &outcome, now);
        }
        Event::KeyringProbed(state) => connecting::keyring_probed(world, state),
        Event::FolderChecked(folder, outcome) => folders::checked(world, &folder, outcome, now),
        Event::Broke(key, text) => breaking::broke(world, &key, &text, now),
    }
}

fn obey(world: &mut World, command: Command, now: Now) {
    match command {
        Command::AddFiles(paths) => drafting::add_files(world, paths),
        Command::RemoveFiles(paths) => drafting::remove_files(world, &paths),
        Command::ClearFiles => drafting::clear_files(world),
        Command::SetSamplePattern(pattern) => sampling::set_pattern(world, &pattern),
        Command::ImportSamples(path) => world.start(Work::ReadSheet(path)),
        Command::SetSample {
            path,
            column,
            value,
        } => sampling::set(world, path, &column, &value),
        Command::CheckBatch(draft) => drafting::check(world, draft, now),
        Command::SubmitBatch(draft) => drafting::submit(world, draft, now),
        Command::CancelJob(job) => cancel(world, job, now),
        Command::RetryJob(job) => person::retry(world, job, now),
        Command::RetryFailed(batch) => person::retry_failed(world, batch, now),
        Command::ResolveUnconfirmed(job, how) => person::resolve(world, job, how, now),
        Command::ForgetJob(job) => person::forget(world, job),
        Command::SaveConnection(draft, secrets) => {
            saving::save(world, Filled::typed(draft, secrets), now);
        }
        Command::TryConnection(draft, secrets) => {
            connecting::try_out(world, draft, secrets, None);
        }
        Command::TryProfile { draft, profile } => {
            connecting::try_out(world, draft, Vec::new(), Some(profile));
        }
        Command::CheckConnection(id) => connecting::check(world, id),
        Command::RemoveConnection(id) => connecting::remove(world, id),
        Command::ReadForm(id, pipeline) => connecting::read_form(world, id, pipeline),
        Command::Browse(id, query) => listing::browse(world, id, query),
        Command::ListJobs(id, query) => listing::list_jobs(world, id, query),
        Command::AdoptJob(id, text) => listing::adopt(world, id, &text, now),
        Command::SaveNamedSettings(saved) => settings::save_named(world, saved),
        Command::RemoveNamedSettings {
            provider,
            pipeline,
            name,
        } => settings::remove_named(world, &provider, &pipeline, &name),
        Command::ReadProfiles(provider) => connecting::read_profiles(world, provider),
        Command::ImportProfile { draft, profile } => {
            let filled = Filled {
                draft,
                secrets: Vec::new(),
                profile: Some(profile),
            };
            saving::save(world, filled, now);
        }
        Command::RetryKeyring => world.start(Work::ProbeKeyring),
        Command::CheckFolder(folder) => folders::check(world, folder),
        Command::StopCheck(folder) => folders::stop(world, folder),
        Command::DismissNotice(id) => world.write(Change::RemoveNotice(id)),
        Command::SaveSettings(settings) => settings::save(world, settings, now),
        // Preview and report touch nothing that is decided here: the dispatcher hands these to its desk.
        Command::OpenPreview(_)
        | Command::OpenStack(_)
        | Command::ClosePreview
        | Command::OpenFolder(_)
        | Command::ShowLines { .. }
        | Command::GoToLine(_)
        | Command::FindText { .. }
        | Command::StopFinding
        | Command::ShowAsText
        | Command::HashPreview
        | Command::StopHashing
        | Command::FollowText(_)
        | Command::ShowRows { .. }
        | Command::Table(_)
        | Command::ShowImage(_)
        | Command::ShowObject { .. }
        | Command::ShowObjectRow { .. }
        | Command::ShowThumbnails(_)
        | Command::MakeReport
        | Command::SaveReport(_)
        | Command::CloseReport => {}
    }
}

/// What to do about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Try again by itself later.
    TryLater,
    /// It needs a person, for the whole connection.
    Block,
    /// It ends here.
    GiveUp,
}

/// Waiting out a lost connection, a full disk or a quota has no end; a platform that keeps failing has one. `faults`
/// counts this failure and those before it that [`outage::counts`].
fn verdict(world: &World, error: &Error, faults: u32) -> Verdict {
    match error.kind() {
        ErrorKind::Unauthenticated | ErrorKind::Keyring => Verdict::Block,
        ErrorKind::RateLimited
        | ErrorKind::Maintenance
        | ErrorKind::Unreachable
        | ErrorKind::Timeout
        | ErrorKind::DiskFull
        | ErrorKind::FolderGone => Verdict::TryLater,
        ErrorKind::ServerFault | ErrorKind::Garbled => {
            if faults < world.pace.max_attempts {
                Verdict::TryLater
            } else {
                Verdict::GiveUp
            }
        }
        ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Invalid
        | ErrorKind::TooLarge
        | ErrorKind::Conflict
        | ErrorKind::Unsupported
        | ErrorKind::LocalFile
        | ErrorKind::Archive
        | ErrorKind::Table
        | ErrorKind::Internal => Verdict::GiveUp,
    }
}

/// Keeps a job where it is and waits: counts the attempt, remembers the error, sets the time of the next one.
fn wait(world: &mut World, job: &mut Job, error: &Error, now: Now) {
    job.attempts = job.attempts.saturating_add(1);
    job.faults = job
        .faults
        .saturating_add(u32::from(outage::counts(error.kind())));
    if outage::is_outage(error.kind()) {
        world.link(job.connection).offline = true;
    }
    let pause = outage::pause(world, job.attempts, error);
    let until = later(now, pause);
    job.wait_until = Some(until);
    note(
        job,
        now,
        world
            .words_of_job(job, error, Did::WillTryAgain(until))
            .what,
    );
    job.error = Some(error.clone());
}

/// Forgets what was waited out.
fn calm(job: &mut Job) {
    job.attempts = 0;
    job.faults = 0;
    job.wait_until = None;
    job.error = None;
}

/// Work was refused for the key of its connection. What began with a former key is begun anew; while the key is being
/// checked, the check itself decides.
fn refused(world: &mut World, work: &WorkKey, error: &Error, now: Now) {
    let Some(connection) = renewing::connection_of(world, work) else {
        return;
    };
    let links = &world.live.links;
    let is_checking = |link: &Link| link.check == CheckState::Checking;
    if !renewing::is_of_former_key(world, work, error)
        && !links.get(&connection).is_some_and(is_checking)
    {
        block(world, connection, error, now);
    }
}

/// Stops everything on a connection until a person has done something, and says so once.
fn block(world: &mut World, connection: ConnectionId, error: &Error, now: Now) {
    // The last words about a connection that was removed meanwhile are no news.
    if !world.connections.contains_key(&connection) {
        return;
    }
    if let Some(blocked) = world.link(connection).blocked.clone() {
        // What was asked for meanwhile is not to be had either.
        let words = world.words_of_connection(connection, &blocked, Did::NothingSent);
        listing::give_up(world.link(connection), &words);
        return;
    }
    let words = world.words_of_connection(connection, error, Did::NothingSent);
    let link = world.link(connection);
    link.blocked = Some(error.clone());
    link.check = CheckState::Bad(words.clone());
    listing::give_up(link, &words);
    world.notice(
        now,
        About::Connection(connection),
        Weight::Problem,
        words,
        details(error),
    );
}

/// Ends a job badly and says so.
fn fail(world: &mut World, mut job: Job, error: Error, now: Now) {
    let words = world.words_of_job(&job, &error, Did::Stopped);
    move_job(&mut job, Stage::Failed, now, words.what);
    job.wait_until = None;
    world.notice_of_job(now, &job, &error, Did::Stopped);
    job.error = Some(error);
    let batch = job.batch;
    world.put_job(job);
    watching::batch_settled(world, batch, now);
}

#[cfg(test)]
mod tests;
