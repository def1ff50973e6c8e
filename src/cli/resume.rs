//! `labferry resume`: carries on with everything that is not finished.

use std::collections::BTreeSet;

use crate::cli::out::Out;
use crate::cli::session::{Session, start, stop};
use crate::cli::trouble::{Ending, Trouble};
use crate::engine::EngineOptions;
use crate::model::job::Stage;
use crate::store::folders::Folders;

/// Starting is recovering, so there is nothing to ask for: it only has to be watched to its end.
pub(super) async fn run(folders: &Folders, out: Out) -> Result<Ending, Trouble> {
    let mut session = Session::over(start(EngineOptions::real(folders.clone()))?).await?;
    let watched: BTreeSet<_> = session
        .snapshot()
        .jobs
        .iter()
        .filter(|view| !view.job.stage.is_settled() || view.job.stage == Stage::Unconfirmed)
        .map(|view| view.job.id)
        .collect();
    let outcome = if watched.is_empty() {
        out.line("Nothing is unfinished.")
            .map_err(Trouble::from)
            .map(|()| Ending::Done)
    } else {
        session.follow(out, &watched, Stage::is_settled).await
    };
    stop(session.into_engine()).await;
    outcome
}
