//! Who one is, what there is, and what can be run.

use labferry::model::error::ErrorKind;
use labferry::model::form::{FieldKind, Value};
use labferry::model::ids::PipelineId;
use labferry::model::remote::Query;

use crate::seven_bridges::{Bench, PROJECT, SUMMARY};

#[tokio::test]
async fn an_account_names_its_projects_and_what_they_lack() {
    let bench = Bench::start(&["sb.extra-projects=150"]).await;
    let account = bench.provider.check().await.unwrap();
    assert_eq!(account.name, "john_doe");
    assert_eq!(account.places.len(), 153, "all pages");
    let lacks = |id: &str| {
        let place = account.places.iter().find(|place| place.id == id);
        place.unwrap().lacks.clone()
    };
    assert_eq!(lacks(PROJECT), None);
    assert_eq!(
        lacks("john_doe/look-but-do-not-touch").as_deref(),
        Some("you may not put files there, you may not run tasks there")
    );
    assert_eq!(
        lacks("jane_roe/no-billing-group").as_deref(),
        Some("it has no billing group")
    );

    let bench = Bench::in_project(&[], "john_doe/unknown").await;
    let error = bench.provider.check().await.unwrap_err();
    let hint = error.failure().hint.clone().unwrap();
    assert!(
        hint.contains("john_doe/unknown") && hint.contains(PROJECT),
        "{hint}"
    );

    // A trial tells which there are, and nothing else works without one.
    let bench = Bench::in_project(&[], "").await;
    assert!(!bench.provider.check().await.unwrap().places.is_empty());
    assert!(bench.provider.pipelines().await.unwrap().is_empty());
    let error = bench.provider.browse(&Query::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn lists_are_paged_by_counting_whatever_the_links_say() {
    for link in ["right", "malformed", "other-host", "absent"] {
        let link = format!("sb.next-link={link}");
        let bench = Bench::start(&["sb.extra-apps=230", "sb.max-limit=40", &link]).await;
        let apps = bench.provider.pipelines().await.unwrap();
        let mut ids: Vec<&str> = apps.iter().map(|app| app.id.as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), count > 230), (count, true), "{link}");
        let records = bench.sandbox.world().requests().at("sb.apps");
        assert!(records.iter().all(|record| record.carried_key));
    }
}

#[tokio::test]
async fn apps_come_with_their_revision_and_a_typed_one_is_pinned() {
    let bench = Bench::start(&[]).await;
    let apps = bench.provider.pipelines().await.unwrap();
    assert!(
        apps.iter().any(|app| app.id.as_str() == SUMMARY),
        "{apps:?}"
    );
    let latest = PipelineId::from("john_doe/plate-7/table-summary");
    let first = PipelineId::from("john_doe/plate-7/table-summary/1");
    let form = bench.provider.form(&latest).await.unwrap();
    assert_eq!(
        form,
        bench
            .provider
            .form(&PipelineId::from(SUMMARY))
            .await
            .unwrap()
    );
    assert_ne!(form, bench.provider.form(&first).await.unwrap());
    for wrong in ["table-summary", "a/b", "john_doe/plate-7/none"] {
        let error = bench.provider.form(&PipelineId::from(wrong)).await;
        let kind = error.unwrap_err().kind();
        assert!(
            matches!(kind, ErrorKind::Invalid | ErrorKind::NotFound),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn every_type_of_input_has_a_field() {
    let bench = Bench::start(&[]).await;
    let app = PipelineId::from("john_doe/plate-7/every-input");
    let form = bench.provider.form(&app).await.unwrap();
    let shown: Vec<String> = form
        .fields
        .iter()
        .map(|field| {
            let kind = match &field.kind {
                FieldKind::File(rule) => match (rule.many, rule.folder) {
                    (false, false) => "file".to_owned(),
                    (true, false) => "files".to_owned(),
                    (false, true) => "folder".to_owned(),
                    (true, true) => "folders".to_owned(),
                },
                FieldKind::Number { whole: true, .. } => "whole".to_owned(),
                FieldKind::Number { .. } => "number".to_owned(),
                FieldKind::Choice(choices) => choices.join("|"),
                FieldKind::Either(variants) => variants
                    .iter()
                    .map(|variant| variant.label.as_str())
                    .collect::<Vec<_>>()
                    .join(" or "),
                FieldKind::Flag => "flag".to_owned(),
                FieldKind::Text(_) => "text".to_owned(),
                FieldKind::List(_) => "list".to_owned(),
                FieldKind::Json => "json".to_owned(),
            };
            let required = if field.required { " !" } else { "" };
            let default = match &field.default {
                Some(default) => format!(" = {}", default.shown()),
                None => String::new(),
            };
            format!("{}: {kind}{required}{default}", field.name)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "one_file: file ! = the files of the job",
            "maybe_file: file",
            "many_files: files !",
            "maybe_files: files",
            "file_or_null: file",
            "file_array: files",
            "lists_of_files: json",
            "folder: folder",
            "an_int: whole = 1",
            "a_long: whole",
            "a_float: number",
            "a_double: number",
            "a_string: text = ",
            "a_boolean: flag",
            "a_needed_boolean: flag = off",
            "an_enum: low|high",
            "a_deep_record: json",
            "numbers: list",
            "number_or_text: Whole number or Text",
            "anything: json",
            "from_the_future: json",
            "a_record.name: text",
            "a_record.count: whole",
        ]
    );
}

#[tokio::test]
async fn files_are_browsed_by_folder_and_words() {
    for style in ["lower", "upper"] {
        let bench = Bench::start(&[&format!("sb.file-types={style}")]).await;
        let top = bench.provider.browse(&Query::default()).await.unwrap();
        assert_eq!(top.next, None);
        let reference = top.items.iter().find(|file| file.name == "reference");
        let reference = reference.unwrap();
        assert!(reference.is_folder);
        assert!(top.items.iter().any(|file| file.size_bytes.is_some()));
        let query = Query {
            folder: Some(reference.id.clone()),
            ..Query::default()
        };
        let inside = bench.provider.browse(&query).await.unwrap();
        let names: Vec<&str> = inside.items.iter().map(|file| file.name.as_str()).collect();
        assert!(
            names.contains(&"deeper down") && names.contains(&"empty.txt"),
            "{names:?}"
        );
        let query = Query {
            words: Some("dapi PLATE".to_owned()),
            ..Query::default()
        };
        let found = bench.provider.browse(&query).await.unwrap();
        assert_eq!(found.items.len(), 2);
    }
}

#[tokio::test]
async fn a_maintenance_is_told_from_a_fault() {
    for (fault, waits) in [("sb.front=html-503", true), ("sb.front=maintenance", true)] {
        let bench = Bench::start(&[fault]).await;
        let error = bench.provider.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Maintenance, "{fault}");
        assert_eq!(error.failure().retry_after.is_some(), waits);
    }
    for style in ["documented", "text-status", "bare"] {
        let bench = Bench::start(&[&format!("sb.error-style={style}")]).await;
        let error = bench
            .provider
            .job("0b1c2d3e-4f50-4a61-8b72-9c83ad94be05")
            .await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound, "{style}");
    }
    let bench = Bench::start(&["unauthorized@sb.user"]).await;
    let error = bench.provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn the_suggested_file_and_the_jobs_files_stand_in_the_form() {
    let bench = Bench::start(&[]).await;
    let form = bench
        .provider
        .form(&PipelineId::from(SUMMARY))
        .await
        .unwrap();
    let default = |name: &str| form.defaults().get(name).cloned();
    assert_eq!(default("tables"), Some(Value::Inputs));
    let Some(Value::Picked(sheet)) = default("sample_sheet") else {
        panic!("{form:#?}");
    };
    assert_eq!(sheet[0].id, "5f0000000000000000000001");
    let groups: Vec<&str> = form
        .fields
        .iter()
        .map(|field| field.group.as_str())
        .collect();
    let mut seen = Vec::new();
    for group in groups {
        if seen.last() != Some(&group) {
            assert!(!seen.contains(&group), "the fields of {group} stand apart");
            seen.push(group);
        }
    }
}
