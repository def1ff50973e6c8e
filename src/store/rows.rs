//! Entities as rows of the journal and back. Knows the columns; knows nothing of files, locks or versions.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::artifact::Artifact;
use crate::model::batch::Batch;
use crate::model::connection::Connection as SavedConnection;
use crate::model::ids::{ArtifactId, BatchId, ConnectionId, FileId, JobId, NoticeId};
use crate::model::job::Job;
use crate::model::notice::Notice;
use crate::model::settings::AppSettings;
use crate::store::journal::{Change, Contents, LastIds};

/// What can go wrong between an entity and its row.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowProblem {
    /// The database said no.
    #[error("the journal's database refused")]
    Sqlite(#[from] rusqlite::Error),
    /// An entity that cannot be written as JSON or would not read back.
    #[error("an entry of table {table} cannot be written")]
    Unwritable {
        /// The table.
        table: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A row that does not read.
    #[error("an entry of table {table} cannot be read")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A number beyond what a database holds (2^63).
    #[error("a number is too large for the journal")]
    TooLarge(#[from] std::num::TryFromIntError),
}

type Done = Result<(), RowProblem>;

/// Writes one change.
pub(crate) fn apply(transaction: &Transaction<'_>, change: &Change) -> Done {
    match change {
        Change::PutConnection(connection) => put_connection(transaction, connection),
        Change::RemoveConnection(id) => {
            remove(transaction, "DELETE FROM connections WHERE id = ?1", id.0)?;
            remove(
                transaction,
                "DELETE FROM staged WHERE connection = ?1",
                id.0,
            )?;
            remove(transaction, "DELETE FROM kept WHERE connection = ?1", id.0)
        }
        Change::PutBatch(batch) => put_batch(transaction, batch),
        Change::RemoveBatch(id) => {
            let files = "DELETE FROM staged WHERE file IN (SELECT json_extract(value, '$.id') \
                         FROM batches, json_each(batches.body, '$.files') WHERE batches.id = ?1)";
            remove(transaction, files, id.0)?;
            remove(
                transaction,
                &files.replace("FROM staged", "FROM kept"),
                id.0,
            )?;
            remove(transaction, "DELETE FROM batches WHERE id = ?1", id.0)
        }
        Change::PutJob(job) => put_job(transaction, job),
        Change::RemoveJob(id) => remove(transaction, "DELETE FROM jobs WHERE id = ?1", id.0),
        Change::PutStaged {
            connection,
            file,
            staged,
        } => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO staged VALUES (?1, ?2, ?3)")?
                .execute(params![
                    number(connection.0)?,
                    number(file.0)?,
                    written("staged", staged)?
                ])?;
            transaction
                .prepare_cached("DELETE FROM kept WHERE connection = ?1 AND file = ?2")?
                .execute(params![number(connection.0)?, number(file.0)?])?;
            Ok(())
        }
        Change::PutKept {
            connection,
            file,
            text,
        } => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO kept VALUES (?1, ?2, ?3)")?
                .execute(params![
                    number(connection.0)?,
                    number(file.0)?,
                    written("kept", text)?
                ])?;
            Ok(())
        }
        Change::PutArtifact(artifact) => put_artifact(transaction, artifact),
        Change::RemoveArtifact(id) => {
            remove(transaction, "DELETE FROM artifacts WHERE id = ?1", id.0)
        }
        Change::PutNotice(notice) => put_notice(transaction, notice),
        Change::RemoveNotice(id) => remove(transaction, "DELETE FROM notices WHERE id = ?1", id.0),
        Change::PutSettings(settings) => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO settings VALUES (1, ?1)")?
                .execute(params![written("settings", settings)?])?;
            Ok(())
        }
    }
}

/// Reads everything, each kind sorted by number.
pub(crate) fn read_all(connection: &Connection) -> Result<Contents, RowProblem> {
    let settings: Option<String> = connection
        .query_row("SELECT body FROM settings WHERE id = 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(Contents {
        connections: read_table(connection, "connections", |entity: &SavedConnection| {
            entity.id.0
        })?,
        batches: read_table(connection, "batches", |entity: &Batch| entity.id.0)?,
        jobs: read_table(connection, "jobs", |entity: &Job| entity.id.0)?,
        staged: read_by_file(connection, "staged")?,
        kept: read_by_file(connection, "kept")?,
        artifacts: read_table(connection, "artifacts", |entity: &Artifact| entity.id.0)?,
        notices: read_table(connection, "notices", |entity: &Notice| entity.id.0)?,
        settings: match settings {
            Some(body) => read("settings", &body)?,
            None => AppSettings::default(),
        },
        last_ids: LastIds {
            connection: ConnectionId(last(connection, "connection")?),
            batch: BatchId(last(connection, "batch")?),
            file: FileId(last(connection, "file")?),
            job: JobId(last(connection, "job")?),
            artifact: ArtifactId(last(connection, "artifact")?),
            notice: NoticeId(last(connection, "notice")?),
        },
    })
}

fn put_connection(transaction: &Transaction<'_>, connection: &SavedConnection) -> Done {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO connections VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            number(connection.id.0)?,
            connection.provider.as_str(),
            connection.label,
            written("connections", connection)?
        ])?;
    given_out(transaction, "connection", connection.id.0)
}

fn put_batch(transaction: &Transaction<'_>, batch: &Batch) -> Done {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO batches VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            number(batch.id.0)?,
            batch.created.to_string(),
            batch.name,
            written("batches", batch)?
        ])?;
    if let Some(highest) = batch.files.iter().map(|file| file.id.0).max() {
        given_out(transaction, "file", highest)?;
    }
    given_out(transaction, "batch", batch.id.0)
}

fn put_job(transaction: &Transaction<'_>, job: &Job) -> Done {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            number(job.id.0)?,
            number(job.batch.0)?,
            number(job.connection.0)?,
            job.stage.word(),
            job.remote.as_ref().map(|remote| remote.id.as_str()),
            written("jobs", job)?
        ])?;
    given_out(transaction, "job", job.id.0)
}

fn put_artifact(transaction: &Transaction<'_>, artifact: &Artifact) -> Done {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO artifacts VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            number(artifact.id.0)?,
            number(artifact.job.0)?,
            artifact.path,
            written("artifacts", artifact)?
        ])?;
    given_out(transaction, "artifact", artifact.id.0)
}

fn put_notice(transaction: &Transaction<'_>, notice: &Notice) -> Done {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO notices VALUES (?1, ?2, ?3)")?
        .execute(params![
            number(notice.id.0)?,
            notice.at.to_string(),
            written("notices", notice)?
        ])?;
    given_out(transaction, "notice", notice.id.0)
}

fn remove(transaction: &Transaction<'_>, statement: &str, id: u64) -> Done {
    transaction
        .prepare_cached(statement)?
        .execute(params![number(id)?])?;
    Ok(())
}

/// Remembers that a number was given out.
fn given_out(transaction: &Transaction<'_>, kind: &str, id: u64) -> Done {
    transaction
        .prepare_cached(
            "INSERT INTO counters VALUES (?1, ?2) \
             ON CONFLICT (kind) DO UPDATE SET last = max(last, excluded.last)",
        )?
        .execute(params![kind, number(id)?])?;
    Ok(())
}

fn last(connection: &Connection, kind: &str) -> Result<u64, RowProblem> {
    let last: Option<i64> = connection
        .query_row("SELECT last FROM counters WHERE kind = ?1", [kind], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(u64::try_from(last.unwrap_or_default())?)
}

fn read_table<Entity: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    number_of: impl Fn(&Entity) -> u64,
) -> Result<Vec<Arc<Entity>>, RowProblem> {
    let mut statement = connection.prepare(&format!("SELECT id, body FROM {table} ORDER BY id"))?;
    let mut rows = statement.query([])?;
    let mut entities = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let body: String = row.get(1)?;
        let entity: Entity = read(table, &body)?;
        if number(number_of(&entity))? != id {
            return Err(RowProblem::Unreadable {
                table,
                source: serde::de::Error::custom("its number is not that of its row"),
            });
        }
        entities.push(Arc::new(entity));
    }
    Ok(entities)
}

fn read_by_file<Entity: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
) -> Result<Vec<(ConnectionId, FileId, Entity)>, RowProblem> {
    let mut statement = connection.prepare(&format!(
        "SELECT connection, file, body FROM {table} ORDER BY connection, file"
    ))?;
    let mut rows = statement.query([])?;
    let mut staged = Vec::new();
    while let Some(row) = rows.next()? {
        let over: i64 = row.get(0)?;
        let file: i64 = row.get(1)?;
        let body: String = row.get(2)?;
        staged.push((
            ConnectionId(u64::try_from(over)?),
            FileId(u64::try_from(file)?),
            read(table, &body)?,
        ));
    }
    Ok(staged)
}

fn read<Entity: DeserializeOwned>(table: &'static str, body: &str) -> Result<Entity, RowProblem> {
    serde_json::from_str(body).map_err(|source| RowProblem::Unreadable { table, source })
}

/// The body of an entity, refused when it would not read back: better a failed write now than a damaged journal at the
/// next start. JSON has no number that is not finite, for one.
fn written<Entity: Serialize + DeserializeOwned>(
    table: &'static str,
    entity: &Entity,
) -> Result<String, RowProblem> {
    let body =
        serde_json::to_string(entity).map_err(|source| RowProblem::Unwritable { table, source })?;
    serde_json::from_str::<Entity>(&body)
        .map_err(|source| RowProblem::Unwritable { table, source })?;
    Ok(body)
}

fn number(id: u64) -> Result<i64, RowProblem> {
    Ok(i64::try_from(id)?)
}
