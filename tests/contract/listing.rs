//! Jobs that are at the platform, ours and others': listed, and named by hand.

use labferry::model::error::ErrorKind;
use labferry::model::remote::{ListedJob, Query, RemoteJob};

use crate::bench::{Bench, assert_unsupported};

/// Jobs that are looked for in the list, with names of their own.
async fn some_jobs(bench: &Bench, count: usize) -> Vec<RemoteJob> {
    let mut submission = bench.submission().await;
    let mut jobs = Vec::new();
    for number in 0..count {
        submission.name = format!("Plate {number} “µ”");
        submission.tag = format!("lf-list{number:04}").as_str().into();
        let submitted = bench.submit(&bench.provider, &submission).await;
        jobs.push(submitted.outcome.unwrap());
    }
    jobs
}

/// Every page of the list; one that never ends stops the trial.
async fn listed(bench: &Bench, words: Option<&str>) -> Vec<ListedJob> {
    let mut query = Query {
        folder: None,
        cursor: None,
        words: words.map(str::to_owned),
    };
    let mut items = Vec::new();
    for _ in 0..50 {
        let page = bench.client().jobs(&query).await.unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return items,
        }
    }
    panic!("the list of jobs does not end");
}

fn ids(jobs: &[ListedJob]) -> Vec<&str> {
    jobs.iter().map(|job| job.remote.id.as_str()).collect()
}

/// The whole list, newest first, whether a page holds one entry fewer than there are, as many, or one more.
pub(crate) async fn jobs_are_listed_newest_first(bench: &Bench) {
    let made = some_jobs(bench, 3).await;
    let all = listed(bench, None).await;
    for job in &made {
        let times = ids(&all).iter().filter(|id| **id == job.id).count();
        assert_eq!(times, 1, "{job:?} in {all:?}");
    }
    for job in &all {
        assert!(!job.name.trim().is_empty(), "{job:?}");
    }
    let created: Vec<_> = all.iter().filter_map(|job| job.created).collect();
    assert!(
        created.is_sorted_by(|newer, older| newer >= older),
        "{created:?}"
    );
    if let Some(setting) = bench.stand.page_limit {
        for limit in [all.len() - 1, all.len(), all.len() + 1] {
            bench.set(&format!("{setting}={limit}"));
            let again = listed(bench, None).await;
            assert_eq!(ids(&again), ids(&all), "pages of {limit}");
        }
    }
}

pub(crate) async fn no_listing_sends_nothing(bench: &Bench) {
    let jobs = bench.provider.jobs(&Query::default()).await;
    assert_unsupported(jobs, "listing jobs");
    assert!(bench.requests().is_empty());
}

/// By its identifier, by the address of its page, with blanks around it as they come with pasting.
pub(crate) async fn a_job_is_known_by_its_id(bench: &Bench) {
    let job = bench.job().await;
    let mut names = vec![job.id.clone(), format!("  {}\n", job.id)];
    if bench.stand.has_pages {
        names.push(job.web_page.clone().expect("a page of the job"));
    }
    for name in names {
        let found = bench.client().job(&name).await;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(found.remote.id, job.id, "{name}");
        // What the client remembers about its own jobs it has to find out about this one: it can be gone on with.
        let report = bench.report(&found.remote).await.unwrap();
        assert!(!report.word.is_empty(), "{report:?}");
        bench.settled(&found.remote).await;
        let outputs = bench.client().outputs(&found.remote).await.unwrap();
        assert!(!outputs.is_empty(), "{name}");
    }
    for name in [bench.stand.gone, "no job's id", "../x?y=1#", ""] {
        let error = bench.client().job(name).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid),
            "{name}: {error:?}"
        );
        bench.assert_readable(&error, name);
    }
    for request in bench.sandbox.world().requests().at_storage() {
        assert!(!request.carried_key, "{request:?}");
    }
}
