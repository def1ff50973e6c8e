//! Forms of every kind of input, and what becomes of what is filled in.

use serde_json::{Value as Json, json};

use crate::model::form::{FieldKind, Form, Settings, Value};
use crate::model::remote::StagedFile;
use crate::providers::seven_bridges::form::cwl::{self, Input, Shape};
use crate::providers::seven_bridges::form::form;
use crate::providers::seven_bridges::form::values::{Spread, given};

fn read(inputs: &Json) -> Vec<Input> {
    cwl::inputs(&json!({ "inputs": inputs }))
}

fn shape(kind: &Json) -> (Shape, bool) {
    let input = read(&json!([{ "id": "#x", "type": kind }])).remove(0);
    (input.shape, input.optional)
}

fn file(number: u8) -> StagedFile {
    StagedFile {
        id: format!("66a1f0c2d3e4b5a6978877{number:02}"),
        name: format!("{number}.fastq"),
        ..StagedFile::default()
    }
}

fn field_names(form: &Form) -> Vec<&str> {
    form.fields
        .iter()
        .map(|field| field.name.as_str())
        .collect()
}

#[test]
fn types_are_written_in_many_ways() {
    let files = || Shape::List(Box::new(Shape::File));
    for (kind, expected) in [
        (json!("File"), (Shape::File, false)),
        (json!("File?"), (Shape::File, true)),
        (json!("File[]"), (files(), false)),
        (json!("File[]?"), (files(), true)),
        (json!(["null", "File"]), (Shape::File, true)),
        (json!(["File", "null"]), (Shape::File, true)),
        (json!({"type": "array", "items": "File"}), (files(), false)),
        (
            json!(["null", {"type": "array", "items": {"type": "File"}}]),
            (files(), true),
        ),
        (
            json!({"type": "array", "items": {"type": "array", "items": "File"}}),
            (Shape::List(Box::new(files())), false),
        ),
        (json!("Directory"), (Shape::Directory, false)),
        (json!("int"), (Shape::Int, false)),
        (json!("long?"), (Shape::Long, true)),
        (json!("float"), (Shape::Float, false)),
        (json!("double"), (Shape::Float, false)),
        (json!(["null", "int", "double"]), (Shape::Float, true)),
        (json!("string"), (Shape::Text, false)),
        (json!(["null", "boolean"]), (Shape::Flag, true)),
        (
            json!({"type": "enum", "name": "mode", "symbols": ["#main/mode/fast", "slow"]}),
            (
                Shape::Choice(vec!["fast".to_owned(), "slow".to_owned()]),
                false,
            ),
        ),
        (
            json!(["null", "int", "string"]),
            (Shape::OneOf(vec![Shape::Int, Shape::Text]), true),
        ),
        (json!("Any"), (Shape::Any, false)),
        (json!("sbg:Hologram?"), (Shape::Any, true)),
        (
            json!({"type": {"type": "array", "items": "int"}}),
            (Shape::List(Box::new(Shape::Int)), false),
        ),
    ] {
        assert_eq!(shape(&kind), expected, "{kind}");
    }
}

#[test]
fn inputs_are_a_list_or_a_map_and_ids_lose_what_stands_in_front() {
    let ids =
        |inputs: &Json| -> Vec<String> { read(inputs).into_iter().map(|input| input.id).collect() };
    let list = json!([{"id": "#reads", "type": "File"}, {"id": "#main/mode", "type": "string"},
                      {"id": "file.cwl#main/n", "type": "int"}, {"type": "int"}]);
    assert_eq!(ids(&list), ["reads", "mode", "n"]);
    let map = json!({"a": "File", "b": ["null", "int"], "c": {"type": "string", "label": "C"},
                     "d": {"type": "array", "items": "File"}, "e": {"type": {"type": "enum", "symbols": ["x"]}}});
    assert_eq!(ids(&map), ["a", "b", "c", "d", "e"]);
    let inputs = read(&map);
    assert_eq!(inputs[1].shape, Shape::Int);
    assert!(inputs[1].optional);
    assert_eq!(inputs[3].shape, Shape::List(Box::new(Shape::File)));
    assert!(cwl::inputs(&json!({})).is_empty());
}

#[test]
fn what_an_input_says_of_itself_stands_beside_it() {
    let form = form(&read(&json!([{
        "id": "reads", "type": "File[]", "label": "Reads", "doc": ["Short", "reads"],
        "sbg:category": "Inputs", "sbg:fileTypes": "FASTQ, .FQ.GZ", "sbg:toolDefaultValue": "none",
        "secondaryFiles": [".bai", {"pattern": "^.dict"}, "${ return 1 }"]
    }, {
        "id": "n", "type": "int", "default": 4, "sbg:toolDefaultValue": 2
    }])));
    let reads = form
        .fields
        .iter()
        .find(|field| field.name == "reads")
        .unwrap();
    assert_eq!(
        (reads.label.as_str(), reads.group.as_str(), reads.required),
        ("Reads", "Inputs", true)
    );
    assert_eq!(
        reads.help,
        "Short\nreads\nLeft empty, the tool uses none\nNeeds files beside it in the project: .bai, ^.dict"
    );
    let FieldKind::File(rule) = &reads.kind else {
        panic!("{reads:?}")
    };
    assert_eq!(rule.endings, ["fastq", "fq.gz"]);
    assert_eq!(reads.default, Some(Value::Inputs));
    let number = form.fields.iter().find(|field| field.name == "n").unwrap();
    assert!(!number.required, "it has a default");
    assert_eq!(
        number.default,
        Some(Value::Text("4".to_owned())),
        "and not the tool's"
    );
}

#[test]
fn the_files_go_to_the_first_required_input_that_takes_some() {
    let holder = |inputs: &Json| {
        let form = form(&read(inputs));
        let holder = form.fields.iter().find(|field| match &field.default {
            Some(Value::Inputs) => true,
            Some(Value::Variant(_, value)) => **value == Value::Inputs,
            _ => false,
        });
        (holder.map(|field| field.name.clone()), form.cautions.len())
    };
    for (inputs, expected) in [
        (
            json!([{"id": "index", "type": "File?"}, {"id": "reads", "type": "File"}]),
            (Some("reads"), 0),
        ),
        (
            json!([{"id": "index", "type": "File?"}, {"id": "more", "type": "File[]?"}]),
            (Some("index"), 0),
        ),
        (
            json!([{"id": "either", "type": ["File", {"type": "array", "items": "File"}]}]),
            (Some("either"), 0),
        ),
        (
            json!([{"id": "folder", "type": "Directory"}, {"id": "n", "type": "int"}]),
            (None, 1),
        ),
        (
            json!([{"id": "reference", "type": "File", "sbg:suggestedValue":
                    {"class": "File", "path": "66a1f0c2d3e4b5a697887701", "name": "hg38.fa"}},
                   {"id": "reads", "type": "File"}]),
            (Some("reads"), 0),
        ),
    ] {
        let (name, cautions) = holder(&inputs);
        assert_eq!((name.as_deref(), cautions), expected, "{inputs}");
    }
}

#[test]
fn records_are_groups_when_flat_and_json_when_not() {
    let flat = json!({"type": "record", "fields": [
        {"name": "r/a", "type": "int"}, {"name": "b", "type": ["null", "File"], "label": "B"}]});
    let deep = json!({"type": "record", "fields": [{"name": "x", "type": flat.clone()}]});
    let inputs = read(&json!([
        {"id": "r", "type": flat, "label": "A record"}, {"id": "d", "type": deep}, {"id": "z", "type": "int?"}
    ]));
    let form = form(&inputs);
    assert_eq!(field_names(&form), ["d", "z", "r.a", "r.b"]);
    assert_eq!(form.fields[0].kind, FieldKind::Json);
    assert_eq!(form.fields[2].group, "A record");
    assert!(form.fields[2].required && !form.fields[3].required);
    let settings = Settings::from([
        ("r.a".to_owned(), Value::Text("5".to_owned())),
        ("r.b".to_owned(), Value::Picked(vec![file(1)])),
        ("d".to_owned(), Value::Text(r#"{"x":{"a":1}}"#.to_owned())),
        ("z".to_owned(), Value::Text(" ".to_owned())),
    ]);
    let given = given(&inputs, &settings, &[], Spread::One).unwrap();
    assert_eq!(
        Json::Object(given.inputs),
        json!({"r": {"a": 5, "b": {"class": "File", "path": file(1).id, "name": "1.fastq"}},
               "d": {"x": {"a": 1}}})
    );
}

#[test]
fn values_take_the_type_of_their_input() {
    let files = [file(1), file(2)];
    let text = |text: &str| Value::Text(text.to_owned());
    let one = |kind: &Json, value: Value, spread| {
        let inputs = read(&json!([{ "id": "x", "type": kind }]));
        given(
            &inputs,
            &Settings::from([("x".to_owned(), value)]),
            &files,
            spread,
        )
        .map(|given| given.inputs.get("x").cloned())
    };
    let reference =
        |file: &StagedFile| json!({"class": "File", "path": file.id, "name": file.name});
    let both = json!([reference(&files[0]), reference(&files[1])]);
    for (kind, value, expected) in [
        (json!("int"), text(" 4 "), Some(json!(4))),
        (
            json!("long"),
            text("9007199254740993"),
            Some(json!(9_007_199_254_740_993_i64)),
        ),
        (json!("float"), text("4"), Some(json!(4.0))),
        (json!("string"), text("4"), Some(json!("4"))),
        (json!("string?"), text(""), None),
        (json!("boolean?"), Value::Flag(false), Some(json!(false))),
        (json!("Any"), text("null"), Some(json!(null))),
        (
            json!("int[]"),
            Value::List(vec![text("1"), text("2")]),
            Some(json!([1, 2])),
        ),
        (json!("int[]?"), Value::List(Vec::new()), None),
        (json!("File[]"), Value::Inputs, Some(both.clone())),
        (json!("File?"), Value::Picked(Vec::new()), None),
        (
            json!(["int", "string"]),
            Value::Variant(1, Box::new(text("5"))),
            Some(json!("5")),
        ),
        (
            json!({"type": "array", "items": {"type": "array", "items": "int"}}),
            text("[[1],[2]]"),
            Some(json!([[1], [2]])),
        ),
    ] {
        assert_eq!(one(&kind, value, Spread::One), Ok(expected), "{kind}");
    }
    assert_eq!(
        one(&json!("File"), Value::Inputs, Spread::Batch),
        Ok(Some(both))
    );
    for (kind, value) in [
        (json!("int"), text("4.5")),
        (json!("int"), text("3000000000")),
        (json!("float"), text("NaN")),
        (json!("File"), Value::Inputs),
        (json!("File"), Value::Picked(vec![file(1), file(2)])),
        (json!("string[]"), Value::Inputs),
        (json!("Any"), text("{")),
        (json!("boolean"), text("yes")),
        (
            json!(["int", "string"]),
            Value::Variant(7, Box::new(text("5"))),
        ),
    ] {
        assert!(
            one(&kind, value.clone(), Spread::One).is_err(),
            "{kind} {value:?}"
        );
    }
}
