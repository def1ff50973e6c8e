//! App panels as forms.

use super::stub::Stub;
use super::*;
use crate::model::form::{Field, FieldKind, Form, Settings, Value};
use crate::model::ids::PipelineId;

async fn form(kind: &str, panel: &str) -> Form {
    let stub = Stub::start().await;
    stub.on(&format!("GET {kind}s/{ID}/app_panel"), 200, golden(panel));
    let form = stub
        .client()
        .form(&PipelineId(format!("{kind}:{ID}@3")))
        .await
        .unwrap();
    let asked = &stub.asked()[0];
    assert!(
        asked.line.ends_with("/app_panel?version=3"),
        "{}",
        asked.line
    );
    assert_eq!(asked.body, "");
    form
}

fn field<'a>(form: &'a Form, name: &str) -> &'a Field {
    form.fields.iter().find(|field| field.name == name).unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[tokio::test]
async fn every_kind_of_parameter_is_a_field() {
    let form = form("capsule", "app-panel").await;
    assert_eq!(
        form.intro,
        "Align\nAlign reads to a genome\nTakes about an hour"
    );
    let order: Vec<(&str, &str)> = form
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.group.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            ("@mount", "Data"),
            ("[2]", ""),
            ("sheet", ""),
            ("trim", ""),
            ("seed", ""),
            ("odd", ""),
            ("read_len", "Basic"),
            ("[1]", "Basic"),
            ("min_quality", "Filter"),
        ]
    );
    let read_len = field(&form, "read_len");
    assert_eq!(
        read_len.kind,
        FieldKind::Number {
            min: Some(1.0),
            max: Some(300.0),
            whole: true
        }
    );
    assert!(read_len.required && read_len.default == Some(text("100")));
    assert!(read_len.help.starts_with("Of one read. Whole numbers only"));
    // The one data asset of the panel may not be read, so its folder is left alone.
    assert_eq!(field(&form, "@mount").default, Some(text("data")));
    let layout = field(&form, "[1]");
    let choices = vec!["single".to_owned(), "paired".to_owned()];
    assert_eq!(layout.kind, FieldKind::Choice(choices));
    assert_eq!(layout.default, Some(text("paired")));
    assert_eq!(
        field(&form, "[2]").default,
        Some(text("")),
        "its place is kept"
    );
    let FieldKind::Text(rule) = &field(&form, "[2]").kind else {
        panic!("a text");
    };
    assert_eq!(rule.pattern.as_deref(), Some("^[ACGT]*$"));
    assert_eq!(
        (rule.doubtful_chars.as_str(), rule.doubtful_over_chars),
        ("'", Some(4096))
    );
    let truths = vec!["true".to_owned(), "false".to_owned()];
    assert_eq!(field(&form, "trim").kind, FieldKind::Choice(truths));
    assert!(field(&form, "seed").hidden && field(&form, "seed").default == Some(text("7")));
    assert!(field(&form, "sheet").help.contains("/data/"));
    let FieldKind::Text(odd) = &field(&form, "odd").kind else {
        panic!("a text");
    };
    assert_eq!(odd.pattern, None);
    assert!(form.cautions.iter().any(|words| words.contains("hg38")));
    assert!(form.cautions.iter().any(|words| words.contains("(?<=a)b")));
    assert!(!form.free_form);
    assert!(form.problems(&form.filled(&Settings::new())).is_empty());
}

#[tokio::test]
async fn the_processes_of_a_pipeline_are_groups_as_list_or_object() {
    let form = form("pipeline", "app-panel-processes").await;
    let order: Vec<(&str, &str)> = form
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.group.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            ("@mount", "Data"),
            ("outdir", ""),
            ("capsule_trim_1/[2]", "capsule_trim_1"),
            ("capsule_trim_1/[3]", "capsule_trim_1"),
            ("capsule_trim_1/[1]", "capsule_trim_1: Trimming"),
            ("capsule_align_2/min_quality", "capsule_align_2: Quality"),
        ]
    );
    let mounts = FieldKind::Choice(vec!["reads".to_owned()]);
    assert_eq!(field(&form, "@mount").kind, mounts);
    assert_eq!(field(&form, "@mount").default, Some(text("reads")));
    // What the service would ignore is not asked for.
    assert!(
        form.cautions
            .iter()
            .any(|words| words.starts_with("Ignored cannot be set"))
    );
    assert!(
        form.cautions
            .iter()
            .any(|words| words.contains("external storage"))
    );
}

#[tokio::test]
async fn no_panel_is_no_failure_and_a_failure_is_no_form() {
    let stub = Stub::start().await;
    let id = PipelineId(format!("capsule:{ID}"));
    let there = format!(r#"{{"id":"{ID}"}}"#);
    stub.on(&format!("GET capsules/{ID}"), 200, there);
    let form = stub.client().form(&id).await.unwrap();
    assert!(form.free_form && form.intro.contains("no app panel"));
    let given = Settings::from([("anything".to_owned(), Value::Text("1".to_owned()))]);
    assert!(form.problems(&form.filled(&given)).is_empty());

    let stub = Stub::start().await;
    let damaged = r#"{"message":"corrupted object files"}"#;
    stub.on(&format!("GET capsules/{ID}/app_panel"), 403, damaged);
    let error = stub.client().form(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error
            .failure()
            .hint
            .as_deref()
            .unwrap()
            .contains("app panel")
    );

    // Neither a panel nor a capsule.
    let stub = Stub::start().await;
    let error = stub.client().form(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
