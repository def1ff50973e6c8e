//! `labferry adopt`: a job that was made elsewhere is watched, and its results are brought home.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::arguments::AdoptArguments;
use crate::cli::out::Out;
use crate::cli::send::finish;
use crate::cli::session::{Session, start, stop};
use crate::cli::trouble::{Ending, Trouble};
use crate::engine::EngineOptions;
use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::batch::Batch;
use crate::model::ids::{ConnectionId, JobId};
use crate::model::job::Stage;
use crate::model::notice::{About, Weight};
use crate::store::folders::Folders;

/// Longest wait for the platform to say whether it knows the job.
const PATIENCE: Duration = Duration::from_secs(90);

/// Takes the job over and waits until it is settled.
pub(super) async fn run(
    arguments: AdoptArguments,
    folders: &Folders,
    out: Out,
) -> Result<Ending, Trouble> {
    let mut session = Session::over(start(EngineOptions::real(folders.clone()))?).await?;
    let outcome = adopt(&mut session, &arguments, out).await;
    stop(session.into_engine()).await;
    outcome
}

async fn adopt(
    session: &mut Session,
    arguments: &AdoptArguments,
    out: Out,
) -> Result<Ending, Trouble> {
    let connection = session.connection(&arguments.from)?.connection.id;
    let before = session.snapshot();
    session.send(Command::AdoptJob(connection, arguments.id.clone()))?;
    let adopted = session.until(|snapshot| adopted(&before, snapshot, connection));
    let batch = tokio::time::timeout(PATIENCE, adopted)
        .await
        .map_err(|_elapsed| {
            Trouble::problem(
                format!("The platform of {} did not answer.", arguments.from),
                "Nothing was added.",
                "Try again later.",
            )
        })???;
    let watched: BTreeSet<JobId> = batch.jobs.iter().copied().collect();
    let ending = session.follow(out, &watched, Stage::is_settled).await?;
    finish(&batch, ending, false, out)?;
    Ok(ending)
}

/// The batch that came, or the notice that says why none does: about the connection, or about the job it is already.
fn adopted(
    before: &Snapshot,
    now: &Snapshot,
    connection: ConnectionId,
) -> Option<Result<Arc<Batch>, Trouble>> {
    let known = |batch: &Arc<Batch>| before.batches.iter().any(|other| other.id == batch.id);
    if let Some(batch) = now.batches.iter().find(|batch| !known(batch)) {
        return Some(Ok(batch.clone()));
    }
    let last = before.notices.first().map(|notice| notice.id);
    now.notices
        .iter()
        .filter(|notice| Some(notice.id) > last)
        .find(|notice| match (notice.about, notice.weight) {
            (About::Connection(id), Weight::Problem) => id == connection,
            // What happens to other jobs meanwhile is a warning or a problem.
            (About::Job(id), Weight::Note) => now
                .jobs
                .iter()
                .any(|view| view.job.id == id && view.job.connection == connection),
            _ => false,
        })
        .map(|notice| Err(Trouble::Problem(notice.words.clone())))
}
