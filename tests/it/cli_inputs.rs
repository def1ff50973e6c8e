//! The program in the terminal with a platform that takes files through a bucket: connecting, samples, inputs that are
//! there, and jobs made elsewhere.

use std::path::Path;

use crate::program::{Place, Ran, SandboxProgram, files, sample};

const LABEL: &str = "Capsules";

/// A data asset that the simulated platform has from the start.
const READS: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e01";

fn connect(place: &Place, sandbox: &SandboxProgram, bucket: bool) -> Ran {
    let address = |field| sandbox.address("code_ocean", field);
    let mut words = vec![
        "connect",
        "code-ocean",
        "--label",
        LABEL,
        "--key-stdin",
        "--url",
        address("url"),
    ];
    let mut lines = address("token").to_owned();
    if bucket {
        words.extend(["--bucket", address("bucket")]);
        words.extend(["--bucket-endpoint", address("bucket_endpoint")]);
        lines = [lines.as_str(), address("access_key"), address("secret_key")].join("\n");
    }
    place.run_with(&words, &lines)
}

fn remote_ids(place: &Place) -> Vec<String> {
    let jobs = place.run(&["jobs", "--json"]).ended_with(0);
    let ids = jobs.events().into_iter();
    ids.filter_map(|event| event["remote_id"].as_str().map(str::to_owned))
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    files(folder)
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_bucket_is_connected_as_a_whole_and_files_go_through_it_by_sample() {
    let place = Place::new();
    // Not so fast that a link of five minutes is over before a busy machine has used it.
    let sandbox = place.sandbox(&["--speed", "20"]);
    // A bucket without its secrets is no bucket.
    let address = sandbox.address("code_ocean", "url");
    let words = [
        "connect",
        "code-ocean",
        "--label",
        LABEL,
        "--key-stdin",
        "--url",
        address,
        "--bucket",
        "b",
    ];
    let refused = place.run_with(&words, "token").ended_with(2);
    assert!(refused.complained.contains("Access key id"), "{refused:#?}");
    connect(&place, &sandbox, true).ended_with(0);
    // Keys live in memory only here: the next engine takes them from the environment.
    let address = |field| sandbox.address("code_ocean", field);
    let key = [
        address("token"),
        address("access_key"),
        address("secret_key"),
    ]
    .join("\n");
    let place = place.with_env("LABFERRY_KEY_CAPSULES", &key);
    let (one, other) = (sample("P01_A01_DAPI.png"), sample("P01_B02_DAPI.png"));
    let into = place.path("into");
    let send = |more: &[&str]| {
        let fixed = ["send", "--to", LABEL, "--pipeline", "Image statistics"];
        let into = ["--into", into.to_str().unwrap()];
        let words: Vec<&str> = fixed.iter().chain(&into).chain(more).copied().collect();
        place.run(&words)
    };
    let wrong = ["--samples", "{plate", "--by-sample", "well", &one];
    assert!(
        send(&wrong)
            .ended_with(2)
            .complained
            .contains("closing one"),
        "a pattern that is none"
    );
    let by_well = [
        "--samples",
        "{plate}_{well}_{channel}.png",
        "--by-sample",
        "well",
        &one,
        &other,
    ];
    send(&by_well).ended_with(0);
    let batch = place.only_folder("into");
    let folders: Vec<String> = crate::program::folders(&batch)
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        folders,
        [
            "Capsules - Image statistics - A01",
            "Capsules - Image statistics - B02"
        ]
    );
    let batch = batch.to_str().unwrap();
    place.run(&["check", batch]).ended_with(0);

    let ids = remote_ids(&place);
    assert_eq!(ids.len(), 2, "{ids:?}");
    known_jobs_are_not_adopted_and_others_are(&place, &sandbox, &ids[0], &key);
}

/// A job made elsewhere is adopted by its identifier, but not where it was made, nor one that is not there.
fn known_jobs_are_not_adopted_and_others_are(
    place: &Place,
    sandbox: &SandboxProgram,
    id: &str,
    key: &str,
) {
    let again = place.run(&["adopt", "--from", LABEL, id]).ended_with(1);
    assert!(
        again.complained.contains("in your list already"),
        "{again:#?}"
    );
    let unknown = "00000000-0000-4000-8000-000000000000";
    place
        .run(&["adopt", "--from", LABEL, unknown])
        .ended_with(1);
    let elsewhere = Place::new().with_env("LABFERRY_KEY_CAPSULES", key);
    connect(&elsewhere, sandbox, false).ended_with(0);
    let adopted = elsewhere.run(&["adopt", "--from", LABEL, id]).ended_with(0);
    assert!(adopted.said.contains("All done."), "{adopted:#?}");
    assert_eq!(remote_ids(&elsewhere), [id.to_owned()]);
}

#[test]
fn inputs_that_are_there_need_no_file_and_no_bucket() {
    let place = Place::new();
    let sandbox = place.sandbox(&["--speed", "20"]);
    let key = sandbox.address("code_ocean", "token").to_owned();
    let place = place.with_env("LABFERRY_KEY_CAPSULES", &key);
    connect(&place, &sandbox, false).ended_with(0);
    let picture = sample("P01_A01_DAPI.png");
    let refused = place
        .run(&[
            "send",
            "--to",
            LABEL,
            "--pipeline",
            "Image statistics",
            &picture,
        ])
        .ended_with(1);
    assert!(
        refused.complained.contains("Staging bucket"),
        "{refused:#?}"
    );
    let into = place.path("into");
    place
        .run(&[
            "send",
            "--to",
            LABEL,
            "--pipeline",
            "Read quality",
            "--into",
            into.to_str().unwrap(),
            "--existing",
            READS,
        ])
        .ended_with(0);
    let names = names(&place.only_folder("into"));
    assert!(names.len() > 1, "{names:?}");
}
