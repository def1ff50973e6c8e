//! `labferry jobs`: what there is and how it stands, read from the journal without starting any work.

use std::collections::BTreeMap;

use crate::cli::out::{Event, Out};
use crate::cli::trouble::{Ending, Trouble};
use crate::model::ids::{BatchId, JobId};
use crate::model::job::Job;
use crate::model::provider::FanOut;
use crate::store::folders::Folders;
use crate::store::journal::{Contents, Journal, JournalProblem};

/// Lists batches, newest first, and their jobs.
pub(super) fn run(folders: &Folders, out: Out) -> Result<Ending, Trouble> {
    // Opening would make an empty journal; asking what there is should not.
    if !folders.data.join(crate::store::journal::FILE_NAME).exists() {
        out.line("There are no jobs.")?;
        return Ok(Ending::Done);
    }
    let opened = Journal::open(&folders.data).map_err(|problem| explain(&problem))?;
    list(&opened.contents, out)?;
    Ok(Ending::Done)
}

fn list(contents: &Contents, out: Out) -> Result<(), Trouble> {
    let mut by_batch: BTreeMap<BatchId, Vec<&Job>> = BTreeMap::new();
    for job in &contents.jobs {
        by_batch.entry(job.batch).or_default().push(job);
    }
    if by_batch.is_empty() {
        out.line("There are no jobs.")?;
    }
    for batch in contents.batches.iter().rev() {
        let Some(jobs) = by_batch.get(&batch.id) else {
            continue;
        };
        out.line(format_args!(
            "{} · {} · {}",
            batch.name,
            files(batch.files.len()),
            batch.folder.display()
        ))?;
        for job in jobs {
            let remote_id = job.remote.as_ref().map(|remote| remote.id.clone());
            let shown = remote_id.as_deref().unwrap_or("not submitted");
            out.line(format_args!(
                "  {:<12} {}{} · {shown}",
                job.stage.word(),
                job.name,
                shared_out(job)
            ))?;
            let JobId(number) = job.id;
            out.event(&Event {
                what: "state",
                batch: Some(batch.id.0),
                job: Some(number),
                name: Some(job.name.clone()),
                state: Some(job.stage.word().to_lowercase()),
                remote_id,
                path: Some(batch.folder.join(&job.folder).display().to_string()),
                ..Event::default()
            })?;
        }
    }
    Ok(())
}

/// What a job is that its platform splits; nothing for any other.
fn shared_out(job: &Job) -> String {
    match (job.fan_out, &job.sample_column) {
        (FanOut::BatchPerFile, _) => " · one task a file".to_owned(),
        (FanOut::BatchPerSample, Some(column)) => format!(" · one task a value of {column}"),
        (FanOut::BatchPerSample, None) => " · one task a sample".to_owned(),
        (FanOut::AllInOne | FanOut::OnePerFile | FanOut::OnePerSample, _) => String::new(),
    }
}

fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

fn explain(problem: &JournalProblem) -> Trouble {
    match problem {
        JournalProblem::InUse(process) => Trouble::problem(
            match process {
                Some(number) => {
                    format!("Another Labferry (process {number}) is using this data folder.")
                }
                None => "Another Labferry is using this data folder.".to_owned(),
            },
            "Nothing was changed.",
            "Look into its window, or close it first.",
        ),
        JournalProblem::Newer { .. } => Trouble::problem(
            "The journal was written by a newer Labferry.",
            "It was left as it is.",
            "Use the newer version.",
        ),
        JournalProblem::DiskFull => Trouble::problem(
            "There is no room on the drive of the journal.",
            "Nothing was changed.",
            "Make some room and try again.",
        ),
        JournalProblem::Io(error) => Trouble::problem(
            format!("The journal cannot be read: {error}."),
            "Nothing was changed.",
            "Look at the folder's permissions, or name another one with --data-dir.",
        ),
    }
}
