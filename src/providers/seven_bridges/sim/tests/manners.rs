//! Token, budget, lists, members, odd habits, faults.

use super::*;

#[tokio::test]
async fn a_token_is_needed_for_everything_but_the_links() {
    let bench = Bench::new().await;
    let token = bench.sandbox.world().key(PLATFORM);
    for path in ["", "/"] {
        let links = Bench::send(bench.bare(Method::GET, path)).await.ok();
        assert_eq!(links["tasks_url"], bench.url("/tasks"));
    }
    let ask = |name: &'static str, value: String| {
        Bench::send(bench.bare(Method::GET, "/user").header(name, value))
    };
    let without = Bench::send(bench.bare(Method::GET, "/user")).await;
    assert_eq!(without.refused(), (401, 90001));
    let wrong = ask("X-SBG-Auth-Token", "wrong".to_owned()).await;
    assert_eq!(wrong.refused(), (401, 90001));
    let misspelled = ask("X-SBG-Auth_Token", token.clone()).await;
    assert_eq!(misspelled.refused(), (401, 90001));
    assert_eq!(ask("X-SBG-Auth-Token", token.clone()).await.status, 200);
    let bearer = ask("Authorization", format!("Bearer {token}")).await.ok();
    assert_eq!(bearer["email"], "someone@example.org");
    assert_eq!(bench.get("/nowhere").await.refused(), (404, 90003));
}

#[tokio::test]
async fn requests_are_counted_in_a_window_of_the_worlds_clock() {
    let bench = Bench::with(&["sb.rate-limit=3", "sb.rate-window=60"]).await;
    let left = |heard: &Heard| heard.header("x-ratelimit-remaining").to_owned();
    let first = bench.get("/user").await;
    assert_eq!(
        (left(&first).as_str(), first.header("x-ratelimit-limit")),
        ("2", "3")
    );
    let reset: u64 = first.header("x-ratelimit-reset").parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let wait = reset - now.unwrap().as_secs();
    assert!((58..=61).contains(&wait), "{wait}");
    let rate = bench.get("/rate_limit").await.ok();
    assert_eq!(rate["rate"]["remaining"], 2);
    assert_eq!(rate["instance_limit"]["remaining"], i64::MAX);
    // A refusal counts, too, and tells as well.
    assert_eq!(left(&bench.get("/files/nothing").await), "1");
    assert_eq!(left(&bench.get("/user").await), "0");
    let over = bench.get("/user").await;
    assert_eq!(over.refused(), (429, 1000));
    assert_eq!(left(&over), "0");
    assert!(!over.headers.contains_key("retry-after"));
    assert_eq!(bench.get("/rate_limit").await.status, 200);
    bench.pass(61_000);
    assert_eq!(left(&bench.get("/user").await), "2");
}

#[tokio::test]
async fn lists_come_in_pages_with_a_total_and_absolute_links() {
    let bench = Bench::with(&["sb.extra-projects=98"]).await;
    let first = bench.get("/projects?limit=100&name=").await;
    assert_eq!(first.header("x-total-matching-query"), "101");
    let body = first.ok();
    assert_eq!(body["items"].as_array().unwrap().len(), 100);
    assert_eq!(body["href"], bench.url("/projects?limit=100&name="));
    assert_eq!(body["links"][0]["rel"], "next");
    let next = body["links"][0]["href"].as_str().unwrap();
    let last = bench.get(next).await;
    assert_eq!(last.names(), ["Project 98"]);
    assert_eq!(last.ok()["links"][0]["rel"], "prev");
    assert_eq!(bench.get("/projects").await.names().len(), 50);
    assert_eq!(bench.get("/projects?limit=1000").await.names().len(), 100);
    let past = bench.get("/projects?offset=500").await;
    assert_eq!(
        (
            past.names().len(),
            past.ok()["links"].as_array().unwrap().len()
        ),
        (0, 1)
    );
    assert_eq!(past.header("x-total-matching-query"), "101");
    assert_eq!(bench.get("/projects?limit=x").await.refused(), (400, 90000));
    // The host is the one the client used.
    let port = bench.sandbox.world().api_address().port();
    let asked = bench
        .request(Method::GET, "/projects")
        .header("host", format!("localhost:{port}"));
    let href = Bench::send(asked).await.ok()["href"].clone();
    assert_eq!(href, format!("http://localhost:{port}/v2/projects"));
}

#[tokio::test]
async fn a_next_link_can_be_malformed_or_lead_elsewhere() {
    let bench = Bench::with(&["sb.next-link=malformed"]).await;
    let next = async || bench.get("/projects?limit=1").await.ok()["links"][0]["href"].clone();
    assert_eq!(next().await, bench.url("/projects?offset=1?limit=1"));
    bench.set("sb.next-link=other-host");
    assert!(
        next()
            .await
            .as_str()
            .unwrap()
            .starts_with("http://localhost:")
    );
    bench.set("sb.next-link=absent");
    assert_eq!(next().await, Value::Null);
    bench.set("sb.max-limit=2");
    assert_eq!(bench.get("/projects?limit=100").await.names().len(), 2);
}

#[tokio::test]
async fn members_are_chosen_by_fields() {
    let bench = Bench::new().await;
    let first = async |query: &str| {
        let list = bench.get(&format!("/files?project={PROJECT}{query}")).await;
        list.ok()["items"][1].clone()
    };
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&first("").await), ["href", "id", "name", "project"]);
    let chosen = first("&fields=id,metadata.sample_id").await;
    assert_eq!(keys(&chosen), ["id", "metadata"]);
    assert_eq!(chosen["metadata"], json!({"sample_id": "S1"}));
    assert_eq!(keys(&first("&fields=!href,!id").await), ["name", "project"]);
    let all = first("&fields=_all,!storage").await;
    assert!(all["size"].is_u64() && all.get("storage").is_none());
    let project = bench
        .get(&format!("/projects/{PROJECT}?fields=permissions.write"))
        .await;
    assert_eq!(project.ok(), json!({"permissions": {"write": true}}));
}

#[tokio::test]
async fn the_odd_habits_of_the_official_sdk_are_tolerated() {
    let bench = Bench::new().await;
    let null = bench.request(Method::GET, "/user").body("null");
    assert_eq!(Bench::send(null).await.status, 200);
    let list = bench.get("/projects/?fields=_all&limit=2").await.ok();
    let again = bench.get(list["href"].as_str().unwrap()).await.ok();
    assert_eq!(again, list);
    assert!(list["items"][0]["permissions"].is_object());
    let files = bench
        .get(&format!("/files?project={}", PROJECT.replace('/', "%2F")))
        .await
        .ok();
    assert_eq!(bench.get(files["href"].as_str().unwrap()).await.ok(), files);
    // `description: null`, and a batch that is announced by its two members alone.
    let a = bench.upload("habit.csv", b"a,b\n1,2\n").await;
    let mut body = task(&[&a]);
    body["description"] = Value::Null;
    body["batch_input"] = json!("tables");
    body["batch_by"] = json!({"type": "item"});
    let made = bench.post("/tasks/", &body).await.ok();
    assert_eq!(
        (&made["batch"], &made["description"]),
        (&json!(true), &Value::Null)
    );
    let id = made["id"].as_str().unwrap();
    let run = bench
        .request(Method::POST, &format!("/tasks/{id}/actions/run/"))
        .body("null");
    assert_eq!(Bench::send(run).await.ok()["status"], "CREATING");
}

#[tokio::test]
async fn the_front_and_the_faults_answer_in_their_own_ways() {
    let bench = Bench::with(&["sb.front=html-503"]).await;
    let page = bench.get("/user").await;
    assert_eq!(page.status, 503);
    assert!(page.text().starts_with("<!doctype html>"));
    bench.set("sb.front=maintenance");
    assert_eq!(bench.get("/user").await.refused(), (503, 0));
    bench.set("sb.front=none");
    bench.set("sb.error-style=text-status");
    let body = bench.get("/files/nothing").await.json();
    assert_eq!(
        (&body["status"], body.get("code")),
        (&json!("NOT_FOUND"), None)
    );
    bench.set("sb.error-style=documented");
    for (fault, expected) in [
        ("unavailable@sb.user*1", (503, 0)),
        ("server-error@sb*1", (500, 90004)),
        ("unauthorized@sb.user*1", (401, 90001)),
        ("rate-limited-silent@sb.user*1", (429, 1000)),
    ] {
        bench.set(fault);
        assert_eq!(bench.get("/user").await.refused(), expected, "{fault}");
    }
    assert!(
        bench
            .get("/user")
            .await
            .headers
            .contains_key("x-request-id")
    );
    // Every endpoint a route is under has a name, and every name a route.
    let known = crate::providers::seven_bridges::sim::ENDPOINTS;
    let reached = bench.sandbox.world().requests().at("sb.user");
    assert!(!reached.is_empty() && known.contains(&"sb.user"));
}
