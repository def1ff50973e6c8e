use super::*;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn picked(names: &[&str]) -> Value {
    Value::Picked(
        names
            .iter()
            .map(|name| StagedFile {
                id: (*name).to_owned(),
                name: (*name).to_owned(),
                ..StagedFile::default()
            })
            .collect(),
    )
}

fn of_kind(kind: FieldKind, value: Value) -> Option<String> {
    let settings = Settings::from([("x".to_owned(), value)]);
    field(kind, true)
        .problems(&settings)
        .pop()
        .map(|problem| problem.words)
}

fn warned(kind: FieldKind, value: Value) -> Vec<String> {
    let settings = Settings::from([("x".to_owned(), value)]);
    let form = field(kind, true);
    assert!(form.problems(&settings).is_empty());
    let warnings = form.warnings(&settings);
    warnings.into_iter().map(|warning| warning.words).collect()
}

fn pattern(pattern: &str) -> FieldKind {
    FieldKind::Text(TextRule {
        pattern: Some(pattern.to_owned()),
        ..TextRule::default()
    })
}

fn field(kind: FieldKind, required: bool) -> Form {
    Form {
        fields: vec![Field {
            name: "x".to_owned(),
            label: "X".to_owned(),
            help: String::new(),
            kind,
            required,
            default: None,
            ..Field::default()
        }],
        ..Form::default()
    }
}

fn problem(form: &Form, text: &str) -> Option<String> {
    let settings = Settings::from([("x".to_owned(), Value::Text(text.to_owned()))]);
    form.problems(&settings).pop().map(|problem| problem.words)
}

#[test]
fn each_kind_explains_what_is_wrong() {
    let number = field(
        FieldKind::Number {
            min: Some(1.0),
            max: Some(9.0),
            whole: true,
        },
        true,
    );
    assert_eq!(problem(&number, "5"), None);
    for (text, words) in [
        ("", "X needs a value"),
        ("five", "X needs a number"),
        ("NaN", "X needs a number"),
        ("1.5", "X needs a whole number"),
        ("0", "X must be at least 1"),
        ("10", "X must be at most 9"),
    ] {
        assert_eq!(problem(&number, text).as_deref(), Some(words));
    }
    let text = field(
        FieldKind::Text(TextRule {
            max_chars: Some(3),
            forbidden_chars: "-_".to_owned(),
            forbids_blanks: true,
            forbidden_words: vec!["max".to_owned()],
            ..TextRule::default()
        }),
        false,
    );
    assert_eq!(problem(&text, ""), None);
    assert_eq!(problem(&text, "Max"), None);
    assert_eq!(
        problem(&text, "four").as_deref(),
        Some("X may have at most 3 characters")
    );
    assert_eq!(problem(&text, "-1").as_deref(), Some("X may not contain -"));
    assert_eq!(
        problem(&text, "a b").as_deref(),
        Some("X may not contain blanks")
    );
    assert_eq!(
        problem(&text, "max").as_deref(),
        Some("X may not be the word max")
    );
}

#[test]
fn missing_and_unknown_values_are_named() {
    let form = field(FieldKind::Flag, true);
    let unknown = Settings::from([("y".to_owned(), Value::Flag(true))]);
    let words: Vec<String> = form
        .problems(&unknown)
        .into_iter()
        .map(|problem| problem.words)
        .collect();
    assert_eq!(
        words,
        ["X needs a value", "This pipeline has no setting called y"]
    );
}

const WHOLE: FieldKind = FieldKind::Number {
    min: None,
    max: None,
    whole: true,
};

#[test]
fn a_list_is_checked_entry_by_entry() {
    let list = |values: &[&str]| Value::List(values.iter().map(|value| text(value)).collect());
    let kind = FieldKind::List(Box::new(WHOLE));
    assert_eq!(of_kind(kind.clone(), list(&["1", "2"])), None);
    for (value, words) in [
        (list(&[]), "X needs a value"),
        (list(&["1", ""]), "X, entry 2, is empty"),
        (list(&["1", "x"]), "X, entry 2, needs a number"),
        (text("1"), "X needs a list of values"),
    ] {
        assert_eq!(of_kind(kind.clone(), value).as_deref(), Some(words));
    }
    let optional = field(kind, false);
    let settings = Settings::from([("x".to_owned(), list(&[]))]);
    assert!(optional.problems(&settings).is_empty());
}

#[test]
fn files_are_the_jobs_own_or_picked() {
    let one = FieldKind::File(FileRule::default());
    let many = FieldKind::File(FileRule {
        many: true,
        ..FileRule::default()
    });
    let folder = FieldKind::File(FileRule {
        folder: true,
        ..FileRule::default()
    });
    assert_eq!(of_kind(one.clone(), Value::Inputs), None);
    assert_eq!(of_kind(one.clone(), picked(&["a"])), None);
    assert_eq!(of_kind(many, picked(&["a", "b"])), None);
    for (kind, value, words) in [
        (one.clone(), picked(&[]), "X needs a value"),
        (one.clone(), picked(&["a", "b"]), "X takes one file, not 2"),
        (
            one,
            text("a.txt"),
            "X needs the files of the job or inputs at the platform",
        ),
        (
            folder.clone(),
            Value::Inputs,
            "X takes a folder at the platform, and files of this computer make none",
        ),
        (folder, text("a"), "X needs a folder of the platform"),
    ] {
        assert_eq!(of_kind(kind, value).as_deref(), Some(words));
    }
}

#[test]
fn json_and_the_chosen_kind_are_checked() {
    assert_eq!(of_kind(FieldKind::Json, text("{\"a\": [1]}")), None);
    assert_eq!(
        of_kind(FieldKind::Json, text("{\"a\": ")).as_deref(),
        Some("X is no JSON: look at line 1, character 6")
    );
    let either = FieldKind::Either(vec![
        Variant {
            label: "Number".to_owned(),
            kind: WHOLE,
        },
        Variant {
            label: "Words".to_owned(),
            kind: FieldKind::List(Box::new(FieldKind::Text(TextRule::default()))),
        },
    ]);
    let chosen = |number, value| Value::Variant(number, Box::new(value));
    assert_eq!(of_kind(either.clone(), chosen(0, text("5"))), None);
    for (value, words) in [
        (chosen(0, text("five")), "X needs a number"),
        (chosen(0, text("")), "X needs a value"),
        (chosen(1, text("five")), "X needs a list of values"),
        (
            chosen(2, text("5")),
            "X must be one of these kinds: Number, Words",
        ),
        (text("5"), "X must be one of these kinds: Number, Words"),
    ] {
        assert_eq!(of_kind(either.clone(), value).as_deref(), Some(words));
    }
}

#[test]
fn a_pattern_is_held_against_the_whole_value() {
    assert_eq!(of_kind(pattern("[0-9]+|all"), text("12")), None);
    assert_eq!(of_kind(pattern("^[0-9]+$"), text("12")), None);
    for value in ["12a", "a12", "alle"] {
        assert_eq!(
            of_kind(pattern("[0-9]+|all"), text(value)).as_deref(),
            Some("X must be of the form [0-9]+|all")
        );
    }
}

#[test]
fn a_pattern_of_another_dialect_is_not_checked_and_that_is_said() {
    let dialect = "(?=a)[a-z]+";
    assert_eq!(
        warned(pattern(dialect), text("12")),
        ["X must be of the form (?=a)[a-z]+, which only the platform can check"]
    );
    assert!(warned(pattern("[a-z]+"), text("ab")).is_empty());
    assert!(warned(pattern(""), text("ab")).is_empty());
}

#[test]
fn doubtful_values_are_warned_about() {
    let rule = FieldKind::Text(TextRule {
        doubtful_chars: "'".to_owned(),
        doubtful_over_chars: Some(4),
        ..TextRule::default()
    });
    assert!(warned(rule.clone(), text("good")).is_empty());
    assert_eq!(
        warned(rule.clone(), text("it's so")),
        [
            "X contains ', which is known to make jobs fail",
            "X has more than 4 characters, which is known to make jobs fail"
        ]
    );
    assert_eq!(
        warned(
            FieldKind::List(Box::new(rule)),
            Value::List(vec![text("good"), text("'")])
        ),
        ["X, entry 2, contains ', which is known to make jobs fail"]
    );
    let reads = FieldKind::File(FileRule {
        many: true,
        endings: vec!["fastq".to_owned(), "fastq.gz".to_owned()],
        ..FileRule::default()
    });
    assert!(warned(reads.clone(), picked(&["a.FASTQ", "b.fastq.gz"])).is_empty());
    assert_eq!(
        warned(reads, picked(&["a.fastq", "b.bam", "c"])),
        ["X is meant for fastq, fastq.gz; b.bam and 1 more may not fit"]
    );
}

#[test]
fn a_hidden_field_sends_its_default_and_nothing_else() {
    let mut form = field(WHOLE, true);
    for field in &mut form.fields {
        field.hidden = true;
        field.default = Some(text("7"));
    }
    let given = Settings::from([("x".to_owned(), text("wrong"))]);
    assert_eq!(form.filled(&given).get("x"), Some(&text("7")));
    assert!(form.problems(&given).is_empty());
    assert!(form.warnings(&given).is_empty());
}

#[test]
fn a_free_form_takes_any_name() {
    let form = Form {
        free_form: true,
        ..Form::default()
    };
    let given = Settings::from([("anything".to_owned(), text("1"))]);
    assert!(form.problems(&given).is_empty());
    assert_eq!(form.filled(&given), given);
}
