//! The contract: what every platform's client promises, tried against its simulator.
//!
//! Owns the table of promises and which of them a platform's capabilities call for. Each promise is one function in
//! `tests/contract/`; what has to be known of a platform to try it is a `Stand`. A platform gets its trials by being in
//! `providers::ALL`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a promise that is not kept stops its trial"
)]

#[path = "contract/asking.rs"]
mod asking;
#[path = "contract/bench.rs"]
mod bench;
#[path = "contract/counting.rs"]
mod counting;
#[path = "contract/fetching.rs"]
mod fetching;
#[path = "contract/gathering.rs"]
mod gathering;
#[path = "contract/listening.rs"]
mod listening;
#[path = "contract/listing.rs"]
mod listing;
#[path = "contract/losing.rs"]
mod losing;
#[path = "contract/refusals.rs"]
mod refusals;
#[path = "contract/resuming.rs"]
mod resuming;
#[path = "contract/sending.rs"]
mod sending;
#[path = "contract/splitting.rs"]
mod splitting;
#[path = "contract/stands.rs"]
mod stands;
#[path = "contract/submitting.rs"]
mod submitting;
#[path = "contract/watching.rs"]
mod watching;

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::BoxFuture;
use labferry::model::provider::{CancelKind, Capabilities, FanOut, Intake, LostSubmit};
use labferry::providers::{self, Entry};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::bench::Bench;
use crate::listening::Listener;
use crate::stands::Stand;

/// No trial takes longer.
const DEADLINE: Duration = Duration::from_mins(2);

/// One promise.
struct Promise {
    /// Says it.
    name: &'static str,
    /// Whether it is made with these capabilities.
    made: fn(&Capabilities, &Stand) -> bool,
    /// Stops the trial when it is not kept.
    keep: Keep,
}

type Keep = for<'a> fn(&'a Bench) -> BoxFuture<'a, ()>;

const fn promise(
    name: &'static str,
    made: fn(&Capabilities, &Stand) -> bool,
    keep: Keep,
) -> Promise {
    Promise { name, made, keep }
}

const fn always(_: &Capabilities, _: &Stand) -> bool {
    true
}

const fn uploads_first(can: &Capabilities, _: &Stand) -> bool {
    matches!(can.intake, Intake::UploadFirst)
}

const fn uploads_with_the_submission(can: &Capabilities, _: &Stand) -> bool {
    matches!(can.intake, Intake::WithSubmission)
}

const fn uploads_in_parts(_: &Capabilities, stand: &Stand) -> bool {
    stand.parts.is_some()
}

const fn gathers(can: &Capabilities, _: &Stand) -> bool {
    matches!(can.intake, Intake::ThroughBucket)
}

const fn drafts(_: &Capabilities, stand: &Stand) -> bool {
    stand.draft.is_some()
}

const fn looks_for_lost(can: &Capabilities, _: &Stand) -> bool {
    !matches!(can.lost_submit, LostSubmit::AskThePerson)
}

fn splits(can: &Capabilities, fan_out: FanOut) -> bool {
    can.fan_outs.contains(&fan_out)
}

const fn lists_in_pages(_: &Capabilities, stand: &Stand) -> bool {
    stand.page_limit.is_some()
}

const fn makes_on_request(_: &Capabilities, stand: &Stand) -> bool {
    stand.asks_for_results.is_some()
}

/// Everything a client promises.
static PROMISES: &[Promise] = &[
    promise("check_says_who_we_are", always, |bench| {
        Box::pin(asking::check_says_who_we_are(bench))
    }),
    promise("a_wrong_key_is_unauthenticated", always, |bench| {
        Box::pin(asking::a_wrong_key_is_unauthenticated(bench))
    }),
    promise(
        "every_refusal_of_a_key_is_understood",
        |_, stand| !stand.refusals.is_empty(),
        |bench| Box::pin(asking::every_refusal_of_a_key_is_understood(bench)),
    ),
    promise("pipelines_are_there_and_stable", always, |bench| {
        Box::pin(asking::pipelines_are_there_and_stable(bench))
    }),
    promise("pages_join_without_gap", lists_in_pages, |bench| {
        Box::pin(asking::pages_join_without_gap(bench))
    }),
    promise("forms_are_well_formed", always, |bench| {
        Box::pin(asking::forms_are_well_formed(bench))
    }),
    promise("wrong_values_are_refused_here", always, |bench| {
        Box::pin(asking::wrong_values_are_refused_here(bench))
    }),
    promise(
        "inputs_are_listed",
        |can, stand| can.browses_inputs && uploads_first(can, stand),
        |bench| Box::pin(asking::inputs_are_listed(bench)),
    ),
    promise(
        "no_browsing_sends_nothing",
        |can, _| !can.browses_inputs,
        |bench| Box::pin(asking::no_browsing_sends_nothing(bench)),
    ),
    promise("nasty_names_arrive", uploads_first, |bench| {
        Box::pin(sending::nasty_names_arrive(bench))
    }),
    promise("samples_arrive_whole", uploads_first, |bench| {
        Box::pin(sending::samples_arrive_whole(bench))
    }),
    promise("a_lost_upload_is_made_good", uploads_first, |bench| {
        Box::pin(sending::a_lost_upload_is_made_good(bench))
    }),
    promise(
        "a_file_over_the_limit_is_not_sent",
        |can, _| can.max_file_bytes.is_some(),
        |bench| Box::pin(sending::a_file_over_the_limit_is_not_sent(bench)),
    ),
    promise(
        "staging_alone_sends_nothing",
        uploads_with_the_submission,
        |bench| Box::pin(sending::staging_alone_sends_nothing(bench)),
    ),
    promise("an_interrupted_upload_goes_on", uploads_in_parts, |bench| {
        Box::pin(resuming::an_interrupted_upload_goes_on(bench))
    }),
    promise(
        "a_changed_file_is_not_gone_on_with",
        uploads_in_parts,
        |bench| Box::pin(resuming::a_changed_file_is_not_gone_on_with(bench)),
    ),
    promise(
        "a_forgotten_upload_begins_again",
        uploads_in_parts,
        |bench| Box::pin(resuming::a_forgotten_upload_begins_again(bench)),
    ),
    promise(
        "a_part_that_fails_is_sent_again",
        uploads_in_parts,
        |bench| Box::pin(resuming::a_part_that_fails_is_sent_again(bench)),
    ),
    promise("files_become_one_input", gathers, |bench| {
        Box::pin(gathering::files_become_one_input(bench))
    }),
    promise(
        "gathered_inputs_are_listed",
        |can, stand| can.browses_inputs && gathers(can, stand),
        |bench| Box::pin(gathering::gathered_inputs_are_listed(bench)),
    ),
    promise("a_lost_input_is_found_again", gathers, |bench| {
        Box::pin(gathering::a_lost_input_is_found_again(bench))
    }),
    promise("an_input_that_fails_says_why", gathers, |bench| {
        Box::pin(gathering::an_input_that_fails_says_why(bench))
    }),
    promise(
        "no_gathering_sends_nothing",
        |can, stand| !gathers(can, stand),
        |bench| Box::pin(gathering::no_gathering_sends_nothing(bench)),
    ),
    promise(
        "an_upload_without_its_place_is_refused",
        |can, _| can.intake_needs.is_some(),
        |bench| Box::pin(gathering::an_upload_without_its_place_is_refused(bench)),
    ),
    promise(
        "a_job_takes_inputs_that_are_there",
        |can, _| can.browses_inputs,
        |bench| Box::pin(gathering::a_job_takes_inputs_that_are_there(bench)),
    ),
    promise(
        "an_input_that_is_gone_is_refused",
        |can, _| can.browses_inputs,
        |bench| Box::pin(gathering::an_input_that_is_gone_is_refused(bench)),
    ),
    promise("nasty_names_are_submitted", always, |bench| {
        Box::pin(sending::nasty_names_are_submitted(bench))
    }),
    promise("a_changed_file_is_not_used", always, |bench| {
        Box::pin(sending::a_changed_file_is_not_used(bench))
    }),
    promise("a_file_that_changes_on_its_way", always, |bench| {
        Box::pin(sending::a_file_that_changes_on_its_way(bench))
    }),
    promise("nothing_happens_before_the_point", always, |bench| {
        Box::pin(submitting::nothing_happens_before_the_point(bench))
    }),
    promise("the_point_is_passed_once", always, |bench| {
        Box::pin(submitting::the_point_is_passed_once(bench))
    }),
    promise("a_submission_is_never_repeated", always, |bench| {
        Box::pin(submitting::a_submission_is_never_repeated(bench))
    }),
    promise("a_refusal_makes_no_job", always, |bench| {
        Box::pin(submitting::a_refusal_makes_no_job(bench))
    }),
    promise("nobody_there_makes_no_job", always, |bench| {
        Box::pin(submitting::nobody_there_makes_no_job(bench))
    }),
    promise(
        "a_lost_submission_can_be_looked_for",
        looks_for_lost,
        |bench| Box::pin(losing::a_lost_submission_can_be_looked_for(bench)),
    ),
    promise(
        "another_job_is_not_taken_for_it",
        |can, stand| matches!(can.lost_submit, LostSubmit::CanBeFound) || stand.tags_show.is_some(),
        |bench| Box::pin(losing::another_job_is_not_taken_for_it(bench)),
    ),
    promise(
        "no_looking_sends_nothing",
        |can, stand| !looks_for_lost(can, stand),
        |bench| Box::pin(losing::no_looking_sends_nothing(bench)),
    ),
    promise("a_draft_is_started_and_not_made_again", drafts, |bench| {
        Box::pin(losing::a_draft_is_started_and_not_made_again(bench))
    }),
    promise("a_lost_start_is_found_by_its_draft", drafts, |bench| {
        Box::pin(losing::a_lost_start_is_found_by_its_draft(bench))
    }),
    promise("a_deleted_draft_is_made_again", drafts, |bench| {
        Box::pin(losing::a_deleted_draft_is_made_again(bench))
    }),
    promise(
        "a_batch_becomes_a_task_a_file",
        |can, _| splits(can, FanOut::BatchPerFile),
        |bench| Box::pin(splitting::a_batch_becomes_a_task_a_file(bench)),
    ),
    promise(
        "a_batch_becomes_a_task_a_sample",
        |can, _| splits(can, FanOut::BatchPerSample),
        |bench| Box::pin(splitting::a_batch_becomes_a_task_a_sample(bench)),
    ),
    promise(
        "all_in_one_is_one_job",
        |can, _| splits(can, FanOut::AllInOne),
        |bench| Box::pin(splitting::all_in_one_is_one_job(bench)),
    ),
    promise(
        "jobs_are_listed_newest_first",
        |can, _| can.lists_jobs,
        |bench| Box::pin(listing::jobs_are_listed_newest_first(bench)),
    ),
    promise(
        "no_listing_sends_nothing",
        |can, _| !can.lists_jobs,
        |bench| Box::pin(listing::no_listing_sends_nothing(bench)),
    ),
    promise("a_job_is_known_by_its_id", always, |bench| {
        Box::pin(listing::a_job_is_known_by_its_id(bench))
    }),
    promise(
        "odd_answers_change_nothing",
        |_, stand| !stand.quirks.is_empty(),
        |bench| Box::pin(watching::odd_answers_change_nothing(bench)),
    ),
    promise(
        "many_jobs_are_asked_about_with_few_requests",
        always,
        |bench| Box::pin(counting::many_jobs_are_asked_about_with_few_requests(bench)),
    ),
    promise(
        "the_budget_is_read_from_answers",
        |_, stand| stand.has_budget,
        |bench| Box::pin(counting::the_budget_is_read_from_answers(bench)),
    ),
    promise(
        "no_budget_is_made_up",
        |_, stand| !stand.has_budget,
        |bench| Box::pin(counting::no_budget_is_made_up(bench)),
    ),
    promise("a_job_goes_from_queued_to_succeeded", always, |bench| {
        Box::pin(watching::a_job_goes_from_queued_to_succeeded(bench))
    }),
    promise("a_failed_job_says_why", always, |bench| {
        Box::pin(watching::a_failed_job_says_why(bench))
    }),
    promise(
        "an_unknown_state_keeps_its_word",
        |_, stand| stand.odd_state.is_some(),
        |bench| Box::pin(watching::an_unknown_state_keeps_its_word(bench)),
    ),
    promise("a_gone_job_spoils_no_other", always, |bench| {
        Box::pin(watching::a_gone_job_spoils_no_other(bench))
    }),
    promise(
        "no_cancel_sends_nothing",
        |can, _| matches!(can.cancel, CancelKind::StopWatching),
        |bench| Box::pin(watching::no_cancel_sends_nothing(bench)),
    ),
    promise(
        "a_cancelled_job_stops",
        |can, _| matches!(can.cancel, CancelKind::Stops),
        |bench| Box::pin(watching::a_cancelled_job_stops(bench)),
    ),
    promise(
        "a_cancelled_job_is_gone",
        |can, _| matches!(can.cancel, CancelKind::StopsAndDeletes),
        |bench| Box::pin(counting::a_cancelled_job_is_gone(bench)),
    ),
    promise("outputs_are_well_formed", always, |bench| {
        Box::pin(fetching::outputs_are_well_formed(bench))
    }),
    promise("outputs_are_fetched_without_a_key", always, |bench| {
        Box::pin(fetching::outputs_are_fetched_without_a_key(bench))
    }),
    promise("an_expired_link_is_renewed", always, |bench| {
        Box::pin(fetching::an_expired_link_is_renewed(bench))
    }),
    promise("results_are_asked_for_once", makes_on_request, |bench| {
        Box::pin(fetching::results_are_asked_for_once(bench))
    }),
    promise("every_fault_is_an_honest_error", always, |bench| {
        Box::pin(refusals::every_fault_is_an_honest_error(bench))
    }),
    promise("every_error_body_is_readable", always, |bench| {
        Box::pin(refusals::every_error_body_is_readable(bench))
    }),
    promise("a_redirect_takes_no_key_along", always, |bench| {
        Box::pin(refusals::a_redirect_takes_no_key_along(bench))
    }),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let listener = Listener::install();
    let mut trials = Vec::new();
    for entry in providers::ALL {
        let id = entry.facts.id.as_str();
        let Some(stand) = stands::ALL.iter().find(|stand| stand.provider == id) else {
            let words = format!("{id} has no stand in tests/contract/stands.rs");
            trials.push(Trial::test(format!("{id}::has_a_stand"), || {
                Err(Failed::from(words))
            }));
            continue;
        };
        for promise in PROMISES {
            if (promise.made)(&entry.facts.capabilities, stand) {
                let name = format!("{id}::{}", promise.name);
                let listener = listener.clone();
                trials.push(Trial::test(name, move || {
                    run(entry, stand, promise, &listener)
                }));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// One promise against a fresh sandbox; afterwards the key must not stand in anything that was logged.
fn run(
    entry: &'static Entry,
    stand: &'static Stand,
    promise: &Promise,
    listener: &Listener,
) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let canaries = runtime.block_on(async {
        let bench = Bench::new(entry, stand).await;
        let kept = tokio::time::timeout(DEADLINE, (promise.keep)(&bench)).await;
        kept.map_err(|_elapsed| Failed::from("the trial takes too long"))?;
        Ok::<_, Failed>(bench.canaries())
    })?;
    runtime.shutdown_background();
    match listener.line_with(&canaries) {
        Some(line) => Err(format!("the key is in the log: {line}").into()),
        None => Ok(()),
    }
}
