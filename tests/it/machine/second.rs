//! A second Labferry on the data folder of one that is at work.

use std::time::Duration;

use labferry::sandbox::{Sandbox, SandboxOptions};

use crate::program::{Place, Ran, sample};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_says_who_is_first_and_leaves_it_alone() {
    let sandbox = Sandbox::start(SandboxOptions {
        speed: 40.0,
        faults: vec!["biodock.life=stays".to_owned()],
        ..SandboxOptions::default()
    })
    .await
    .unwrap();
    let place = Place::new();
    let key = sandbox.addresses().entry("biodock", "key");
    let url = sandbox.addresses().entry("biodock", "url");
    let program = |words: &[&str]| {
        let mut program = place.program();
        program.env("LABFERRY_KEY", &key).args(words);
        program
    };
    let connecting = ["connect", "biodock", "--label", "Imaging", "--url", &url];
    Ran::of(program(&connecting).output().unwrap()).ended_with(0);
    let (into, picture) = (place.path("into"), sample("P01_A01_DAPI.png"));
    let sending = [
        "send",
        "--to",
        "Imaging",
        "--pipeline",
        "Nuclei count",
        "--into",
        into.to_str().unwrap(),
        &picture,
    ];
    let first = program(&sending).spawn().unwrap();
    let number = first.id();
    let running = async {
        while sandbox.world().requests().count("biodock.status") == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), running)
        .await
        .unwrap();
    let submits = || sandbox.world().requests().count("biodock.submit");
    assert_eq!(submits(), 1);
    for words in [&sending[..], &["resume"], &["jobs"]] {
        let ran = Ran::of(program(words).output().unwrap()).ended_with(1);
        let complaint = &ran.complained;
        assert!(complaint.contains("Another Labferry"), "{ran:#?}");
        assert!(complaint.contains(&format!("process {number}")), "{ran:#?}");
        assert!(
            complaint.matches('.').count() >= 3,
            "three sentences: {ran:#?}"
        );
    }
    assert_eq!(submits(), 1, "the second sent something");
    assert_eq!(std::fs::read_dir(&into).unwrap().count(), 1);
    sandbox.world().faults().add("biodock.life=usual").unwrap();
    let ended = tokio::task::spawn_blocking(move || first.wait_with_output());
    let ended = tokio::time::timeout(Duration::from_mins(1), ended)
        .await
        .unwrap();
    Ran::of(ended.unwrap().unwrap()).ended_with(0);
}
