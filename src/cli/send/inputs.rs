//! Inputs that are at the platform, named by identifier, and what is known of the samples of files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::send::{existing_path, lay_files};
use crate::cli::session::Session;
use crate::cli::trouble::Trouble;
use crate::engine::command::Command;
use crate::engine::snapshot::{Loadable, Snapshot};
use crate::model::batch::BatchDraft;
use crate::model::ids::ConnectionId;
use crate::model::remote::{Query, StagedFile};
use crate::model::samples::SampleTable;

/// Longest wait for the platform's list.
const PATIENCE: Duration = Duration::from_mins(1);

/// Pages of the platform's list that are looked through for an identifier.
const MOST_PAGES: usize = 20;

/// The inputs of these identifiers, as the platform lists them; one it does not list is taken as it was typed.
pub(super) async fn existing(
    session: &mut Session,
    connection: ConnectionId,
    ids: &[String],
) -> Result<Vec<StagedFile>, Trouble> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let listed = tokio::time::timeout(PATIENCE, list(session, connection, ids))
        .await
        .unwrap_or_else(|_elapsed| Ok(Vec::new()))?;
    let find = |id: &String| {
        let known = listed.iter().find(|input| &input.id == id).cloned();
        known.unwrap_or_else(|| StagedFile {
            id: id.clone(),
            name: id.clone(),
            ..StagedFile::default()
        })
    };
    Ok(ids.iter().map(find).collect())
}

/// The platform's list until every identifier has occurred or it ends.
async fn list(
    session: &mut Session,
    connection: ConnectionId,
    ids: &[String],
) -> Result<Vec<StagedFile>, Trouble> {
    let mut query = Query::default();
    let mut listed = Vec::new();
    for number in 0..MOST_PAGES {
        session.send(Command::Browse(connection, query.clone()))?;
        let came = session.until(|snapshot| {
            let asked = snapshot.connection(connection)?.browsed.as_ref()?;
            match &asked.page {
                // What came before stays until the next page has come.
                Loadable::Ready(page) if number == 0 || page.next != query.cursor => {
                    Some(Some(page.clone()))
                }
                Loadable::Ready(_) | Loadable::NotAsked | Loadable::Loading => None,
                Loadable::Failed(_) => Some(None),
            }
        });
        let Some(page) = came.await? else { break };
        listed.clone_from(&page.items);
        let all = ids
            .iter()
            .all(|id| listed.iter().any(|input: &StagedFile| &input.id == id));
        match &page.next {
            Some(next) if !all => query.cursor = Some(next.clone()),
            Some(_) | None => break,
        }
    }
    Ok(listed)
}

/// Puts the files into the draft and what is known of their samples beside them.
pub(super) async fn lay_samples(
    session: &mut Session,
    paths: &[PathBuf],
    samples: &str,
) -> Result<(), Trouble> {
    lay_files(session, paths.to_vec(), &BatchDraft::default()).await?;
    let is_file = Path::new(samples).is_file();
    let name = Path::new(samples)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    session.send(if is_file {
        Command::ImportSamples(existing_path(Path::new(samples))?)
    } else {
        Command::SetSamplePattern(samples.to_owned())
    })?;
    let is_wanted = |table: &SampleTable| {
        if is_file {
            table.imported == name
        } else {
            table.pattern == samples.trim()
        }
    };
    let problem = session
        .until(|snapshot: &Snapshot| {
            let table = &snapshot.draft.samples;
            is_wanted(table).then(|| table.problem.clone())
        })
        .await?;
    match problem {
        Some(words) => Err(Trouble::wrong_use(
            format!("{words}."),
            "Name a table with a column of file names, or a pattern such as {plate}_{well}.tif.",
        )),
        None => Ok(()),
    }
}
