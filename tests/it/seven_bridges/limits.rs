//! The budget of requests.

use std::time::Duration;

use labferry::model::error::{ErrorKind, Sent};
use labferry::model::remote::{Query, RemoteJob};

use crate::seven_bridges::Bench;

#[tokio::test]
async fn the_budget_is_read_and_kept_to() {
    let bench = Bench::start(&["sb.rate-limit=20"]).await;
    assert_eq!(bench.provider.budget(), None);
    bench.provider.check().await.unwrap();
    let budget = bench.provider.budget().unwrap();
    assert_eq!((budget.limit, budget.left), (20, 18));
    let job = RemoteJob {
        id: "0b1c2d3e-4f50-4a61-8b72-9c83ad94be05".to_owned(),
        web_page: None,
        memo: String::new(),
    };
    let mut polls = 0;
    let error = loop {
        match bench.provider.status(std::slice::from_ref(&job)).await {
            Ok(_) => polls += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(polls, 10, "polls take half");
    assert_eq!(
        (error.kind(), error.failure().sent),
        (ErrorKind::RateLimited, Sent::No)
    );
    assert!(error.failure().retry_after.unwrap() > Duration::from_secs(1));
    while bench.provider.browse(&Query::default()).await.is_ok() {}
    while bench.provider.check().await.is_ok() {}
    let all = bench.sandbox.world().requests().all();
    assert_eq!(all.len(), 20, "nothing is sent when nothing is left");
    assert!(all.iter().all(|record| record.status != Some(429)));
}
