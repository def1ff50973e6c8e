//! One input made of files in the person's bucket, and jobs on inputs that were there before.

use std::time::Duration;

use labferry::model::error::{Error, ErrorKind};
use labferry::model::meter::Meter;
use labferry::model::remote::{JobStatus, Query, StagedFile, Submission};
use labferry::net::keep::Keep as Memo;

use crate::bench::{Bench, assert_unsupported, gathering, nasty_names};

/// Files of a job, in the bucket and not yet an input.
async fn staged(bench: &Bench, names: &[&str]) -> Submission {
    let mut submission = bench.empty_submission().await;
    for name in names {
        let upload = bench.upload(name, name.as_bytes());
        let meter = Meter::default();
        let staged = bench
            .provider
            .stage(&upload, &Memo::forgetful(), &meter)
            .await;
        submission.staged.push(staged.unwrap());
        assert_eq!(meter.done_bytes(), name.len() as u64);
    }
    submission
}

/// Asked for until it is ready, by clients that remember nothing: it is made once.
pub(crate) async fn files_become_one_input(bench: &Bench) {
    let endpoint = bench.stand.gathers.unwrap().endpoint;
    let names = nasty_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let submission = staged(bench, &names).await;
    let mut wish = gathering(&submission);
    let first = bench.client().gather(&wish).await.unwrap();
    assert!(!first.ready, "ready before the platform has the files");
    wish.known = Some(first.clone());
    bench.pass(Duration::from_secs(30));
    let input = bench.gathered(wish.clone()).await.unwrap();
    assert_eq!(input.id, first.input.id);
    assert_eq!(bench.count(endpoint), 1, "made more than once");
    // The journal was lost between the making and the writing down: the tag finds it.
    wish.known = None;
    let again = bench.gathered(wish).await.unwrap();
    assert_eq!(again.id, input.id, "another input of the same tag");
    let other = gathering(&staged(bench, &["other.csv"]).await);
    let other = bench.gathered(other).await.unwrap();
    assert_ne!(other.id, input.id, "two wishes are two inputs");
}

pub(crate) async fn a_lost_input_is_found_again(bench: &Bench) {
    let endpoint = bench.stand.gathers.unwrap().endpoint;
    let submission = staged(bench, &["a.csv"]).await;
    bench.set(&format!("lost-answer@{endpoint}*1"));
    // The first answer is lost; whoever asks again finds what was made.
    let wish = gathering(&submission);
    let input = match bench.gathered(wish.clone()).await {
        Ok(input) => input,
        Err(error) => {
            assert!(error.is_retryable(), "{error:?}");
            bench.gathered(wish).await.unwrap()
        }
    };
    let made = bench.sandbox.world().requests().at(endpoint);
    let made = made.iter().filter(|request| request.status == Some(200));
    assert_eq!(made.count(), 1, "{input:?} was made twice");
}

pub(crate) async fn an_input_that_fails_says_why(bench: &Bench) {
    let submission = staged(bench, &["a.csv"]).await;
    bench.set(bench.stand.gathers.unwrap().failing);
    let error = bench.gathered(gathering(&submission)).await.unwrap_err();
    assert!(!error.is_retryable(), "{error:?}");
    assert!(error.failure().hint.is_some() || error.failure().server_said.is_some());
    bench.assert_readable(&error, "an input that fails");
    assert_eq!(bench.jobs().await, 0);
}

pub(crate) async fn no_gathering_sends_nothing(bench: &Bench) {
    let submission = Submission::new(bench.stand.pipeline.into(), "Plate 7", "lf-4k7q2m9x".into());
    let outcome = bench.provider.gather(&gathering(&submission)).await;
    assert_unsupported(outcome, "gathering");
    assert!(bench.requests().is_empty());
}

/// Without what uploads need, nothing is sent; everything else works.
pub(crate) async fn an_upload_without_its_place_is_refused(bench: &Bench) {
    let needed = bench.can().intake_needs.unwrap();
    let fields = bench.entry.facts.connect_fields.iter();
    let mut part = fields
        .filter(|field| field.name == needed)
        .map(|field| field.part);
    let part = part.next_back().expect("a field of the connection");
    assert!(!part.is_empty(), "{needed} may be left empty");
    let client = bench.client_without(part);
    let upload = bench.sample_upload();
    let before = bench.requests().len();
    let meter = Meter::default();
    let error: Error = client
        .stage(&upload, &Memo::forgetful(), &meter)
        .await
        .unwrap_err();
    assert_eq!(bench.requests().len(), before, "something was sent");
    assert_eq!(meter.moved_bytes(), 0);
    assert!(!error.is_retryable(), "{error:?}");
    assert!(error.failure().hint.is_some(), "{error:?}");
    client.check().await.unwrap();
    assert!(!client.pipelines().await.unwrap().is_empty());
}

/// What the list holds, page by page, where the words fit.
async fn listed(bench: &Bench, words: Option<&str>) -> Vec<StagedFile> {
    let mut query = Query {
        words: words.map(str::to_owned),
        ..Query::default()
    };
    let mut items = Vec::new();
    for _ in 0..50 {
        let page = bench.client().browse(&query).await.unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return items,
        }
    }
    panic!("the list of inputs does not end");
}

/// Inputs made of gathered files stand in the list beside those that were there, however long a page is, and are found by
/// words of their name.
pub(crate) async fn gathered_inputs_are_listed(bench: &Bench) {
    let wish = gathering(&staged(bench, &["a.csv"]).await);
    let made = bench.gathered(wish).await.unwrap();
    let all = listed(bench, None).await;
    let times = all.iter().filter(|input| input.id == made.id).count();
    assert_eq!(times, 1, "{made:?} in {all:?}");
    let setting = bench.stand.page_limit.unwrap();
    let mut orders: Vec<String> = [all.len() - 1, all.len(), all.len() + 1]
        .iter()
        .map(|limit| format!("{setting}={limit}"))
        .collect();
    orders.extend(bench.stand.page_quirks.iter().map(ToString::to_string));
    for order in orders {
        bench.set(&order);
        assert_eq!(listed(bench, None).await, all, "{order}");
    }
    let found = listed(bench, Some(&made.name)).await;
    assert!(found.iter().any(|input| input.id == made.id), "{found:?}");
    assert!(listed(bench, Some("no such name at all")).await.is_empty());
}

/// Everything that can be picked, down to two levels.
async fn pickable(bench: &Bench, name: &str) -> StagedFile {
    let mut folders = vec![None];
    for level in 0..2 {
        for folder in std::mem::take(&mut folders) {
            let mut query = Query {
                folder,
                ..Query::default()
            };
            for _ in 0..50 {
                let page = bench.provider.browse(&query).await.unwrap();
                for item in page.items {
                    if item.name.contains(name) {
                        return item;
                    }
                    if item.is_folder && level == 0 {
                        folders.push(Some(item.id));
                    }
                }
                match page.next {
                    Some(next) => query.cursor = Some(next),
                    None => break,
                }
            }
        }
    }
    panic!("{name} is not among the inputs");
}

/// A job is given what somebody put there before, picked from the list, and never what is on this computer.
pub(crate) async fn a_job_takes_inputs_that_are_there(bench: &Bench) {
    let before = bench.submission().await;
    let picked = pickable(bench, &before.staged[0].name).await;
    assert_eq!(picked.id, before.staged[0].id);
    let mut submission = bench.empty_submission().await;
    submission.staged = vec![picked];
    let uploads = bench.count(bench.stand.upload);
    let submitted = bench.submit(&bench.client(), &submission).await;
    let report = bench.settled(&submitted.outcome.unwrap()).await;
    assert_eq!(report.status, JobStatus::Succeeded, "{report:?}");
    assert_eq!(bench.count(bench.stand.upload), uploads, "bytes were sent");
}

/// An input that was deleted meanwhile is a refusal and no job.
pub(crate) async fn an_input_that_is_gone_is_refused(bench: &Bench) {
    let mut submission = bench.submission().await;
    for input in &mut submission.staged {
        let last = input.id.pop().unwrap();
        input.id.push(if last == '0' { '1' } else { '0' });
    }
    let submitted = bench.submit(&bench.provider, &submission).await;
    let error = submitted.outcome.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Forbidden
        ),
        "{error:?}"
    );
    assert!(error.submit_made_no_job(), "{error:?}");
    assert_eq!(bench.jobs().await, 0);
    bench.assert_readable(&error, "an input that is gone");
}
