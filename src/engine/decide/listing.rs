//! Lists at a platform: inputs that are there, jobs made elsewhere, and taking one of those over.

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::decide::renewing::{connection_of, is_of_former_key};
use crate::engine::decide::{block, jobs_made, sending};
use crate::engine::event::{Now, Work, WorkKey};
use crate::engine::live::Link;
use crate::engine::snapshot::{Asked, Loadable};
use crate::engine::world::World;
use crate::model::batch::Batch;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::ids::{BatchId, ConnectionId};
use crate::model::notice::{About, Did, Subject, Weight, Words, details, explain};
use crate::model::remote::{ListedJob, Page, Query, StagedFile};
use crate::store::journal::Change;

/// Where a kind of list stands in a link.
type Slot<T> = fn(&mut Link) -> &mut Option<Asked<T>>;

fn inputs(link: &mut Link) -> &mut Option<Asked<StagedFile>> {
    &mut link.browsed
}

fn jobs(link: &mut Link) -> &mut Option<Asked<ListedJob>> {
    &mut link.listed
}

/// Lists inputs at the platform; `plan` starts it.
pub(super) fn browse(world: &mut World, id: ConnectionId, query: Query) {
    want(world, id, query, inputs);
}

/// Lists jobs at the platform; `plan` starts it.
pub(super) fn list_jobs(world: &mut World, id: ConnectionId, query: Query) {
    want(world, id, query, jobs);
}

/// The same list with the cursor of its end goes on; anything else begins a new one.
fn want<T>(world: &mut World, id: ConnectionId, query: Query, slot: Slot<T>) {
    if !world.connections.contains_key(&id) {
        return;
    }
    let blocked = world.link(id).blocked.clone();
    let refused = blocked.map(|error| world.words_of_connection(id, &error, Did::NothingSent));
    let asked = slot(world.link(id));
    if let (Some(asked), None) = (asked.as_mut(), &refused)
        && let Loadable::Ready(page) = &asked.page
        && query.cursor.is_some()
        && query.cursor == page.next
        && is_same_list(&asked.query, &query)
    {
        asked.query = query;
        return;
    }
    *asked = Some(Asked {
        query: Query {
            cursor: None,
            ..query
        },
        page: refused.map_or(Loadable::Loading, Loadable::Failed),
    });
}

fn is_same_list(one: &Query, other: &Query) -> bool {
    one.folder == other.folder && one.words == other.words
}

/// Inputs came, or not.
pub(super) fn browsed(
    world: &mut World,
    id: ConnectionId,
    query: &Query,
    outcome: Result<Page<StagedFile>>,
    now: Now,
) {
    came(world, (&WorkKey::Browse(id), query), outcome, inputs, now);
}

/// Jobs came, or not.
pub(super) fn jobs_listed(
    world: &mut World,
    id: ConnectionId,
    query: &Query,
    outcome: Result<Page<ListedJob>>,
    now: Now,
) {
    came(world, (&WorkKey::ListJobs(id), query), outcome, jobs, now);
}

/// A part of a list. An answer to a question that was replaced meanwhile is dropped: `plan` asks the new one.
fn came<T: Clone>(
    world: &mut World,
    (work, query): (&WorkKey, &Query),
    outcome: Result<Page<T>>,
    slot: Slot<T>,
    now: Now,
) {
    let known = connection_of(world, work);
    let Some(id) = known.filter(|id| world.connections.contains_key(id)) else {
        return;
    };
    let is_wanted = slot(world.link(id))
        .as_ref()
        .is_some_and(|asked| &asked.query == query && asked.is_loading());
    let is_outdated = |error| is_of_former_key(world, work, error);
    if !is_wanted || outcome.as_ref().is_err_and(is_outdated) {
        return;
    }
    let answer = match outcome {
        Ok(page) => Ok(page),
        Err(error) => {
            let words = world.words_of_connection(id, &error, Did::NothingSent);
            if error.kind() == ErrorKind::Unauthenticated {
                block(world, id, &error, now);
            } else if query.cursor.is_some() {
                // What came before stays on screen, so this has to be said elsewhere.
                let about = About::Connection(id);
                world.notice(now, about, Weight::Warning, words.clone(), details(&error));
            }
            Err(words)
        }
    };
    let Some(asked) = slot(world.link(id)) else {
        return;
    };
    asked.page = match (answer, &asked.page) {
        (Ok(page), Loadable::Ready(before)) if query.cursor.is_some() => {
            let items = before.items.iter().cloned().chain(page.items).collect();
            let next = page.next.filter(|next| Some(next) != query.cursor.as_ref());
            Loadable::Ready(Arc::new(Page { items, next }))
        }
        (Ok(page), _) => Loadable::Ready(Arc::new(page)),
        (Err(_), Loadable::Ready(before)) if query.cursor.is_some() => {
            Loadable::Ready(before.clone())
        }
        (Err(words), _) => Loadable::Failed(words),
    };
    // Nothing is on its way any more; the next page can be asked for again.
    asked.query.cursor = None;
}

/// The reading of inputs broke down.
pub(super) fn browse_broke(world: &mut World, id: ConnectionId, error: Error, now: Now) {
    if let Some(query) = world
        .link(id)
        .browsed
        .as_ref()
        .map(|asked| asked.query.clone())
    {
        browsed(world, id, &query, Err(error), now);
    }
}

/// The reading of jobs broke down.
pub(super) fn list_broke(world: &mut World, id: ConnectionId, error: Error, now: Now) {
    if let Some(query) = world
        .link(id)
        .listed
        .as_ref()
        .map(|asked| asked.query.clone())
    {
        jobs_listed(world, id, &query, Err(error), now);
    }
}

/// The look for a pasted identifier broke down: it is not tried again by itself.
pub(super) fn recognize_broke(world: &mut World, id: ConnectionId) {
    let adopting = &mut world.link(id).adopting;
    if !adopting.is_empty() {
        adopting.remove(0);
    }
}

/// Nothing comes over a connection that waits for a person: what was asked for is answered with the reason.
pub(super) fn give_up(link: &mut Link, words: &Words) {
    for form in link
        .forms
        .values_mut()
        .filter(|form| **form == Loadable::Loading)
    {
        *form = Loadable::Failed(words.clone());
    }
    refuse(&mut link.browsed, words);
    refuse(&mut link.listed, words);
    link.adopting.clear();
}

fn refuse<T>(asked: &mut Option<Asked<T>>, words: &Words) {
    if let Some(asked) = asked.as_mut().filter(|asked| asked.is_loading()) {
        asked.page = Loadable::Failed(words.clone());
        asked.query.cursor = None;
    }
}

/// Looks for a job made elsewhere, by its identifier or the address of its page; `plan` starts it.
pub(super) fn adopt(world: &mut World, id: ConnectionId, text: &str, now: Now) {
    let text = text.trim().trim_matches(['"', '\'', '<', '>']).trim();
    if text.is_empty() || !world.connections.contains_key(&id) {
        return;
    }
    if let Some(blocked) = world.link(id).blocked.clone() {
        let words = world.words_of_connection(id, &blocked, Did::NothingSent);
        let about = About::Connection(id);
        world.notice(now, about, Weight::Problem, words, details(&blocked));
        return;
    }
    let adopting = &mut world.link(id).adopting;
    if !adopting.iter().any(|known| known == text) {
        adopting.push(text.to_owned());
    }
}

/// The platform knows the job, or does not.
pub(super) fn recognized(
    world: &mut World,
    id: ConnectionId,
    text: &str,
    outcome: Result<ListedJob>,
    now: Now,
) {
    let Some(connection) = world.connections.get(&id).cloned() else {
        return;
    };
    if let Err(error) = &outcome
        && is_of_former_key(world, &WorkKey::Recognize(id), error)
    {
        return;
    }
    world.link(id).adopting.retain(|known| known != text);
    let listed = match outcome {
        Ok(listed) => listed,
        Err(error) => {
            if error.kind() == ErrorKind::Unauthenticated {
                block(world, id, &error, now);
                return;
            }
            not_adopted(world, id, text, &error, now);
            return;
        }
    };
    if is_known(world, id, &listed, now) {
        return;
    }
    let day = now.at.to_zoned(jiff::tz::TimeZone::system());
    let results_folder = world
        .settings
        .results_folder
        .clone()
        .unwrap_or_else(|| world.default_results_folder.as_ref().clone());
    world.start(Work::PrepareAdoption {
        connection: connection.id,
        folder: format!("{} {}", day.strftime("%Y-%m-%d"), batch_name(&listed)),
        listed: Box::new(listed),
        results_folder,
    });
}

fn batch_name(listed: &ListedJob) -> String {
    format!("Adopted {}", listed.name)
}

fn not_adopted(world: &mut World, id: ConnectionId, text: &str, error: &Error, now: Now) {
    let provider = world
        .facts_of_connection(id)
        .map_or("The platform", |facts| facts.name);
    let label = world
        .connections
        .get(&id)
        .map(|connection| connection.label.clone())
        .unwrap_or_default();
    let subject = Subject {
        provider,
        connection: &label,
        name: text,
    };
    let words = explain(error, subject, Did::NothingSent);
    world.notice(
        now,
        About::Connection(id),
        Weight::Problem,
        words,
        details(error),
    );
}

/// Whether the job is in our list already; says so.
fn is_known(world: &mut World, id: ConnectionId, listed: &ListedJob, now: Now) -> bool {
    let known = world.jobs.values().find(|job| {
        job.connection == id
            && job
                .remote
                .as_ref()
                .is_some_and(|remote| remote.id == listed.remote.id)
    });
    let Some(job) = known.cloned() else {
        return false;
    };
    let batch = world
        .batches
        .get(&job.batch)
        .map_or_else(String::new, |batch| format!(" of {}", batch.name));
    let words = Words {
        what: format!("“{}” is in your list already.", listed.name),
        did: format!("It is {}{batch}; nothing was added.", job.name),
        next: "Look for it in Jobs.".to_owned(),
        action: None,
    };
    world.notice(now, About::Job(job.id), Weight::Note, words, Vec::new());
    true
}

/// The folder is there: the job gets a batch of its own and is watched from now on.
pub(super) fn adoption_prepared(
    world: &mut World,
    id: ConnectionId,
    listed: ListedJob,
    outcome: Result<PathBuf>,
    now: Now,
) {
    let Some(connection) = world.connections.get(&id).cloned() else {
        return;
    };
    let folder = match outcome {
        Ok(folder) => folder,
        Err(error) => {
            not_adopted(world, id, &listed.name, &error, now);
            return;
        }
    };
    if is_known(world, id, &listed, now) {
        return;
    }
    let batch_id = BatchId(world.last_ids.batch.0.saturating_add(1));
    let name = batch_name(&listed);
    let job = jobs_made::adopted(world, batch_id, &connection, listed, now);
    let batch = Batch {
        id: batch_id,
        name,
        created: now.at,
        folder,
        files: Vec::new(),
        jobs: vec![job.id],
        remote_folder: String::new(),
    };
    world.write(Change::PutBatch(Arc::new(batch)));
    if let Some(remote) = &job.remote {
        sending::no_longer_offered(world, &job, remote);
    }
    world.put_job(job);
    world.link(id).poll_due = Some(now.at);
}
