//! `labferry send`: files to one pipeline, and the results home.

mod inputs;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::cli::arguments::{FanOutArguments, SendArguments};
use crate::cli::out::{self, Event, Out};
use crate::cli::session::{Session, absolute, start, stop};
use crate::cli::trouble::{Ending, Trouble};
use crate::engine::EngineOptions;
use crate::engine::command::Command;
use crate::engine::snapshot::{CheckState, ConnectionView, Loadable, Snapshot};
use crate::model::batch::{Batch, BatchDraft, Finding, FindingWeight, Target};
use crate::model::form::{Form, Settings, Value};
use crate::model::ids::{ConnectionId, JobId, PipelineId};
use crate::model::job::Stage;
use crate::model::notice::Words;
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::store::folders::Folders;

/// Longest wait for the list of pipelines and for a form.
const PATIENCE: Duration = Duration::from_secs(90);

/// Sends, and waits until everything is settled, or submitted with `--detach`.
pub(super) async fn run(
    arguments: SendArguments,
    folders: &Folders,
    out: Out,
) -> Result<Ending, Trouble> {
    let paths = existing(&arguments.files)?;
    let mut session = Session::over(start(EngineOptions::real(folders.clone()))?).await?;
    let outcome = send(&mut session, &arguments, paths, out).await;
    stop(session.into_engine()).await;
    outcome
}

async fn send(
    session: &mut Session,
    arguments: &SendArguments,
    paths: Vec<PathBuf>,
    out: Out,
) -> Result<Ending, Trouble> {
    let connection = session.connection(&arguments.to)?.connection.id;
    let mut target = target(session, connection, arguments).await?;
    target.existing = inputs::existing(session, connection, &arguments.existing).await?;
    if let Some(samples) = &arguments.samples {
        inputs::lay_samples(session, &paths, samples).await?;
    }
    let draft = BatchDraft {
        name: String::new(),
        into: arguments.into.as_deref().map(absolute).transpose()?,
        targets: vec![target],
    };
    let batch = submit(session, paths, draft).await?;
    let watched: BTreeSet<JobId> = batch.jobs.iter().copied().collect();
    let ending = if arguments.detach {
        session.follow(out, &watched, is_submitted).await?
    } else {
        session.follow(out, &watched, Stage::is_settled).await?
    };
    finish(&batch, ending, arguments.detach, out)?;
    Ok(ending)
}

/// Puts the files into the draft, looks it over, and sends it.
pub(super) async fn submit(
    session: &mut Session,
    paths: Vec<PathBuf>,
    draft: BatchDraft,
) -> Result<Arc<Batch>, Trouble> {
    if !paths.is_empty() && session.snapshot().draft.files.is_empty() {
        lay_files(session, paths, &draft).await?;
    }
    let before = session.snapshot().draft.checked;
    session.send(Command::CheckBatch(draft.clone()))?;
    let findings = session
        .until(|snapshot| {
            (snapshot.draft.checked > before).then(|| snapshot.draft.findings.clone())
        })
        .await?;
    tell_left_out(&session.snapshot());
    tell_findings(&findings)?;
    let before = session.snapshot().draft.checked;
    session.send(Command::SubmitBatch(draft))?;
    let submitted = session
        .until(|snapshot| {
            let draft = &snapshot.draft;
            if let Some(id) = draft.submitted {
                let batch = snapshot.batches.iter().find(|batch| batch.id == id)?;
                return Some(Ok(Arc::clone(batch)));
            }
            (draft.checked > before).then(|| Err(draft.findings.clone()))
        })
        .await?;
    match submitted {
        Ok(batch) => Ok(batch),
        Err(findings) => {
            tell_findings(&findings)?;
            Err(Trouble::problem(
                "The files could not be sent.",
                "Nothing was sent.",
                "Try again in a moment.",
            ))
        }
    }
}

/// Waits until the draft holds everything that was found. The look-over behind the files tells that they were begun with.
pub(super) async fn lay_files(
    session: &mut Session,
    paths: Vec<PathBuf>,
    draft: &BatchDraft,
) -> Result<(), Trouble> {
    let before = session.snapshot().draft.checked;
    session.send(Command::AddFiles(paths))?;
    session.send(Command::CheckBatch(draft.clone()))?;
    session
        .until(|snapshot| {
            (snapshot.draft.checked > before && !snapshot.draft.scanning).then_some(())
        })
        .await
}

/// The pipeline with its settings, as its own form reads them.
async fn target(
    session: &mut Session,
    connection: ConnectionId,
    arguments: &SendArguments,
) -> Result<Target, Trouble> {
    session.send(Command::CheckConnection(connection))?;
    let listed = session.until(|snapshot| {
        let view = snapshot.connection(connection)?;
        match (&view.check, &view.pipelines) {
            (CheckState::Bad(words), _) => Some(Err(words.clone())),
            (CheckState::Good, Loadable::Ready(pipelines)) => Some(Ok(Arc::clone(pipelines))),
            // A list that cannot be had is no reason to refuse an identifier that was typed.
            (CheckState::Good, Loadable::Failed(_)) => Some(Ok(Arc::new(Vec::new()))),
            (_, _) => None,
        }
    });
    let pipelines = in_time(listed, &arguments.to).await??;
    let pipeline = choose(&pipelines, &arguments.pipeline);
    session.send(Command::ReadForm(connection, pipeline.id.clone()))?;
    let read = session.until(|snapshot| form_of(snapshot.connection(connection)?, &pipeline.id));
    let form = in_time(read, &arguments.to).await??;
    let settings = settings(&form, &arguments.settings)?;
    Ok(Target {
        sample_column: arguments.by_sample.clone(),
        existing: Vec::new(),
        connection,
        fan_out: fan_out(&session.snapshot(), connection, arguments)?,
        pipeline,
        settings,
    })
}

/// Waits, but not for ever.
async fn in_time<T>(
    wait: impl Future<Output = Result<Result<T, Words>, Trouble>>,
    label: &str,
) -> Result<Result<T, Trouble>, Trouble> {
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(answer) => answer.map(|answer| answer.map_err(Trouble::Problem)),
        Err(_elapsed) => Err(Trouble::problem(
            format!(
                "The platform of {label} did not answer within {} seconds.",
                PATIENCE.as_secs()
            ),
            "Nothing was sent.",
            "Try again later.",
        )),
    }
}

/// By identifier, else by name, else as it was typed.
pub(super) fn choose(pipelines: &[Pipeline], word: &str) -> Pipeline {
    let by_id = pipelines
        .iter()
        .find(|pipeline| pipeline.id.as_str() == word);
    let mut by_name = pipelines.iter().filter(|pipeline| pipeline.name == word);
    let named = match (by_name.next(), by_name.next()) {
        (Some(only), None) => Some(only),
        (_, _) => None,
    };
    by_id
        .or(named)
        .cloned()
        .unwrap_or_else(|| Pipeline::typed(word))
}

fn form_of(view: &ConnectionView, pipeline: &PipelineId) -> Option<Result<Arc<Form>, Words>> {
    match view.forms.get(pipeline)? {
        Loadable::NotAsked | Loadable::Loading => None,
        Loadable::Ready(form) => Some(Ok(Arc::clone(form))),
        Loadable::Failed(words) => Some(Err(words.clone())),
    }
}

/// What was typed, as the kinds of the form want it.
fn settings(form: &Form, typed: &[(String, String)]) -> Result<Settings, Trouble> {
    let mut settings = Settings::new();
    for (name, text) in typed {
        // A name that the form does not have is told below, unless it takes any.
        let value = match form.field(name) {
            Some(field) => field.parse(text).map_err(|words| {
                Trouble::wrong_use(format!("{words}."), format!("Write --set {name}=VALUE."))
            })?,
            None => Value::Text(text.clone()),
        };
        settings.insert(name.clone(), value);
    }
    let problems = form.problems(&form.filled(&settings));
    if let Some(problem) = problems.first() {
        let advice = if form.field(&problem.field).is_some() {
            format!("Write --set {}=VALUE.", problem.field)
        } else {
            let names: Vec<&str> = form
                .fields
                .iter()
                .filter(|field| !field.hidden)
                .map(|field| field.name.as_str())
                .collect();
            format!("Its settings are {}.", names.join(", "))
        };
        return Err(Trouble::wrong_use(format!("{}.", problem.words), advice));
    }
    Ok(form.filled(&settings))
}

fn fan_out(
    snapshot: &Snapshot,
    connection: ConnectionId,
    arguments: &SendArguments,
) -> Result<FanOut, Trouble> {
    let facts = snapshot
        .connection(connection)
        .and_then(|view| snapshot.facts(&view.connection.provider));
    let offered = facts.map_or(&[][..], |facts| facts.capabilities.fan_outs);
    let FanOutArguments {
        one_per_file,
        all_in_one,
    } = arguments.fan_out;
    let by_sample = arguments.by_sample.is_some();
    let fits = |fan_out: FanOut| match fan_out {
        FanOut::OnePerFile => one_per_file,
        FanOut::AllInOne => all_in_one,
        FanOut::OnePerSample | FanOut::BatchPerSample => by_sample,
        FanOut::BatchPerFile => false,
    };
    let chosen = one_per_file || all_in_one || by_sample;
    offered
        .iter()
        .copied()
        .find(|fan_out| !chosen || fits(*fan_out))
        .ok_or_else(|| {
            Trouble::wrong_use(
                "This platform does not offer that way of making jobs.",
                "Leave --one-per-file, --all-in-one and --by-sample out.",
            )
        })
}

/// Whether the platform has the job, or nothing more happens.
fn is_submitted(stage: Stage) -> bool {
    match stage {
        Stage::Waiting | Stage::Uploading | Stage::Submitting => false,
        Stage::Queued
        | Stage::Running
        | Stage::Downloading
        | Stage::Done
        | Stage::Failed
        | Stage::Cancelled
        | Stage::Unconfirmed => true,
    }
}

/// Files that will not go along.
fn tell_left_out(snapshot: &Snapshot) {
    for listed in &snapshot.draft.files {
        if let Some(problem) = listed.problem {
            out::problem(&Words {
                what: format!("{}: {}.", listed.file.path.display(), problem.words()),
                ..Words::default()
            });
        }
    }
}

/// Warnings are said; what blocks ends it.
fn tell_findings(findings: &[Finding]) -> Result<(), Trouble> {
    for finding in findings {
        match finding.weight {
            FindingWeight::Blocks => {
                return Err(Trouble::problem(
                    full_stop(&finding.words),
                    "Nothing was sent.",
                    "",
                ));
            }
            FindingWeight::Warns => out::problem(&Words {
                what: full_stop(&finding.words),
                ..Words::default()
            }),
        }
    }
    Ok(())
}

fn full_stop(words: &str) -> String {
    format!("{}.", words.trim_end_matches('.'))
}

/// The last words: where the results are.
pub(super) fn finish(
    batch: &Batch,
    ending: Ending,
    detached: bool,
    out: Out,
) -> Result<(), Trouble> {
    let path = batch.folder.display().to_string();
    let message = match (detached, ending) {
        (true, _) => "Submitted. `labferry resume` fetches the results.".to_owned(),
        (false, Ending::Done) => format!("All done. The results are in {path}"),
        (false, Ending::NotAllDone) => {
            format!("Not everything is done. What is there is in {path}")
        }
    };
    if !detached {
        out.event(&Event {
            what: "done",
            batch: Some(batch.id.0),
            name: Some(batch.name.clone()),
            path: Some(path),
            message: Some(message.clone()),
            ..Event::default()
        })?;
    }
    out.line(message)?;
    Ok(())
}

/// The paths as the engine wants them; one that is not there is wrong use, said before anything starts.
fn existing(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Trouble> {
    paths.iter().map(|path| existing_path(path)).collect()
}

fn existing_path(path: &Path) -> Result<PathBuf, Trouble> {
    if std::fs::symlink_metadata(path).is_err() {
        return Err(Trouble::wrong_use(
            format!("{} is not there.", path.display()),
            "Name existing files and folders.",
        ));
    }
    absolute(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::form::{Field, FieldKind, TextRule};

    fn form() -> Form {
        let field = |name: &str, kind| Field {
            name: name.to_owned(),
            label: name.to_owned(),
            help: String::new(),
            kind,
            required: false,
            default: None,
            ..Field::default()
        };
        Form {
            fields: vec![
                field("masks", FieldKind::Flag),
                field("lines", FieldKind::Text(TextRule::default())),
            ],
            ..Form::default()
        }
    }

    #[test]
    fn settings_take_the_kind_of_the_form() {
        let typed = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        let read = settings(&form(), &typed("masks", "Off")).unwrap();
        assert_eq!(read.get("masks"), Some(&Value::Flag(false)));
        let read = settings(&form(), &typed("lines", "on")).unwrap();
        assert_eq!(read.get("lines"), Some(&Value::Text("on".to_owned())));
        for (name, value) in [("masks", "perhaps"), ("unknown", "1")] {
            assert!(
                matches!(
                    settings(&form(), &typed(name, value)),
                    Err(Trouble::WrongUse(_))
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn a_pipeline_is_found_by_id_then_by_its_only_name_then_taken_as_typed() {
        let named = |id: &str, name: &str| Pipeline {
            name: name.to_owned(),
            ..Pipeline::typed(id)
        };
        let listed = [
            named("1", "Nuclei"),
            named("2", "Cells"),
            named("3", "Cells"),
        ];
        assert_eq!(choose(&listed, "2").name, "Cells");
        assert_eq!(choose(&listed, "Nuclei").id.as_str(), "1");
        assert_eq!(choose(&listed, "Cells").id.as_str(), "Cells");
        assert_eq!(choose(&listed, "9").id.as_str(), "9");
    }
}
