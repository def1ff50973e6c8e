//! Who we are, what can be run, which settings it takes, what is there already.

use std::collections::BTreeSet;

use labferry::model::error::ErrorKind;
use labferry::model::form::{Field, FieldKind, Settings, Value};
use labferry::model::ids::PipelineId;
use labferry::model::meter::Meter;
use labferry::model::remote::Query;
use labferry::net::keep::Keep as Memo;

use crate::bench::{Bench, assert_unsupported};

pub(crate) async fn check_says_who_we_are(bench: &Bench) {
    let account = bench.provider.check().await.unwrap();
    assert_eq!(account.name, bench.stand.account);
    assert!(bench.count(bench.stand.check) >= 1);
}

pub(crate) async fn a_wrong_key_is_unauthenticated(bench: &Bench) {
    let address = bench.address();
    let client = bench.client_at(&address, "a-wrong-key-0123456789");
    let error = client.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    let text = format!("{error:?} {error}");
    assert!(!text.contains("a-wrong-key"), "{text}");
    assert!(!text.contains(&bench.key), "{text}");
    assert!(
        !text.contains("someone@example.org"),
        "names the account: {text}"
    );
    let error = client.pipelines().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    // A wrong key is no reason to try again and again: one request each.
    assert!(bench.count(bench.stand.check) <= 3);
}

/// However a platform says no to a key, it is an error that says what may be wrong, and never a name.
pub(crate) async fn every_refusal_of_a_key_is_understood(bench: &Bench) {
    let address = bench.address();
    for setting in bench.stand.refusals {
        bench.set(setting);
        let client = bench.client_at(&address, "a-wrong-key-0123456789");
        let error = client.check().await.unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Unauthenticated | ErrorKind::Garbled
            ),
            "{setting}: {error:?}"
        );
        let explained =
            error.kind() == ErrorKind::Unauthenticated || error.failure().hint.is_some();
        assert!(explained, "{setting}: {error:?}");
        bench.assert_readable(&error, setting);
    }
}

pub(crate) async fn pipelines_are_there_and_stable(bench: &Bench) {
    let pipelines = bench.provider.pipelines().await.unwrap();
    assert!(!pipelines.is_empty());
    let ids: BTreeSet<&str> = pipelines.iter().map(|known| known.id.as_str()).collect();
    assert_eq!(ids.len(), pipelines.len(), "an id occurs twice");
    assert!(ids.contains(bench.stand.pipeline), "{ids:?}");
    for pipeline in &pipelines {
        assert!(!pipeline.name.trim().is_empty(), "{pipeline:?}");
    }
    assert_eq!(bench.provider.pipelines().await.unwrap(), pipelines);
    assert_eq!(bench.client().pipelines().await.unwrap(), pipelines);
}

/// The list is the same whether a page holds one entry fewer than there are, as many, or one more.
pub(crate) async fn pages_join_without_gap(bench: &Bench) {
    let setting = bench.stand.page_limit.unwrap();
    let all = bench.provider.pipelines().await.unwrap();
    for limit in [all.len() - 1, all.len(), all.len() + 1] {
        bench.set(&format!("{setting}={limit}"));
        let listed = bench.client().pipelines().await.unwrap();
        assert_eq!(listed, all, "pages of {limit}");
    }
    for quirk in bench.stand.page_quirks {
        bench.set(quirk);
        bench.set(&format!("{setting}={}", all.len()));
        let listed = bench.client().pipelines().await.unwrap();
        assert_eq!(listed, all, "{quirk}");
    }
}

async fn fields(bench: &Bench) -> Vec<Field> {
    let mut fields = Vec::new();
    for pipeline in bench.provider.pipelines().await.unwrap() {
        let form = bench.provider.form(&pipeline.id).await.unwrap();
        let names: BTreeSet<&str> = form
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(names.len(), form.fields.len(), "{pipeline:?}: {form:?}");
        let settings = form.filled(&Settings::new());
        for problem in form.problems(&settings) {
            let field = form.fields.iter().find(|field| field.name == problem.field);
            let field = field.unwrap();
            assert!(
                field.required && field.default.is_none(),
                "a default is refused: {problem:?}"
            );
        }
        fields.extend(form.fields);
    }
    fields
}

pub(crate) async fn forms_are_well_formed(bench: &Bench) {
    for field in fields(bench).await {
        assert!(!field.name.trim().is_empty(), "{field:?}");
        assert!(!field.label.trim().is_empty(), "{field:?}");
        match &field.kind {
            FieldKind::Choice(choices) => assert!(!choices.is_empty(), "{field:?}"),
            FieldKind::Number {
                min: Some(min),
                max: Some(max),
                ..
            } => assert!(min <= max, "{field:?}"),
            FieldKind::Flag => assert!(
                matches!(field.default, None | Some(Value::Flag(_))),
                "{field:?}"
            ),
            FieldKind::Number { .. }
            | FieldKind::Text(_)
            | FieldKind::List(_)
            | FieldKind::File(_)
            | FieldKind::Json
            | FieldKind::Either(_) => {}
        }
    }
}

/// Values of the wrong sort for a field.
fn wrong_values(kind: &FieldKind) -> Vec<Value> {
    let text = |text: &str| Value::Text(text.to_owned());
    match kind {
        FieldKind::Flag => vec![text("on")],
        FieldKind::List(_) | FieldKind::File(_) | FieldKind::Json | FieldKind::Either(_) => {
            Vec::new()
        }
        FieldKind::Choice(_) => vec![text("no such choice"), Value::Flag(true)],
        FieldKind::Number { min, max, .. } => {
            let beyond = [min.map(|min| min - 1.0), max.map(|max| max + 1.0)];
            let beyond = beyond.into_iter().flatten();
            let mut values = vec![text("five"), text("NaN"), Value::Flag(true)];
            values.extend(beyond.map(|number| text(&number.to_string())));
            values
        }
        FieldKind::Text(rule) => {
            let mut values = vec![Value::Flag(true)];
            values.extend(rule.forbidden_chars.chars().map(|c| text(&format!("a{c}"))));
            values.extend(rule.forbidden_words.iter().map(|word| text(word)));
            values.extend(rule.max_chars.map(|most| text(&"x".repeat(most + 1))));
            if rule.forbids_blanks {
                values.push(text("a b"));
            }
            values
        }
    }
}

pub(crate) async fn wrong_values_are_refused_here(bench: &Bench) {
    for pipeline in bench.provider.pipelines().await.unwrap() {
        let form = bench.provider.form(&pipeline.id).await.unwrap();
        let before = bench.requests().len();
        for field in form.fields.iter().filter(|field| !field.hidden) {
            for value in wrong_values(&field.kind) {
                let given = Settings::from([(field.name.clone(), value.clone())]);
                let problems = form.problems(&form.filled(&given));
                assert!(
                    problems.iter().any(|problem| problem.field == field.name),
                    "{} takes {value:?}",
                    field.name
                );
            }
        }
        let unknown = Settings::from([("no such setting".to_owned(), Value::Flag(true))]);
        let is_refused = !form.problems(&form.filled(&unknown)).is_empty();
        assert!(is_refused || form.free_form, "{pipeline:?}");
        assert_eq!(bench.requests().len(), before, "something was sent");
    }
    let unknown = PipelineId::from(bench.stand.no_pipeline);
    if let Err(error) = bench.provider.form(&unknown).await {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    }
}

/// Everything below a folder, page by page; a list that never ends stops the trial.
async fn listed(bench: &Bench, folder: Option<&str>) -> Vec<(String, String)> {
    let mut query = Query {
        folder: folder.map(str::to_owned),
        cursor: None,
        words: None,
    };
    let mut items = Vec::new();
    for _ in 0..50 {
        let page = bench.provider.browse(&query).await.unwrap();
        items.extend(page.items.into_iter().map(|item| (item.name, item.id)));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return items,
        }
    }
    panic!("the list does not end");
}

pub(crate) async fn inputs_are_listed(bench: &Bench) {
    let names = ["one.csv", "two #2.csv", "世界.csv"];
    for name in names {
        let upload = bench.upload(name, name.as_bytes());
        bench
            .provider
            .stage(&upload, &Memo::forgetful(), &Meter::default())
            .await
            .unwrap();
    }
    let top = listed(bench, None).await;
    let folder = top.iter().find(|(name, _)| name.contains("Plate 7"));
    let (_, folder) = folder.unwrap_or_else(|| panic!("no folder among {top:?}"));
    let mut orders = vec![String::new()];
    if let Some(setting) = bench.stand.page_limit {
        let limits = [names.len() - 1, names.len(), names.len() + 1];
        orders.extend(limits.map(|limit| format!("{setting}={limit}")));
        orders.extend(bench.stand.page_quirks.iter().map(ToString::to_string));
    }
    for setting in orders {
        if !setting.is_empty() {
            bench.set(&setting);
        }
        let mut found: Vec<String> = listed(bench, Some(folder))
            .await
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        found.sort();
        assert_eq!(found, names, "{setting}");
    }
}

pub(crate) async fn no_browsing_sends_nothing(bench: &Bench) {
    let before = bench.requests().len();
    assert_unsupported(bench.provider.browse(&Query::default()).await, "browsing");
    assert_eq!(bench.requests().len(), before);
}
