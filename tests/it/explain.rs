//! The words of every failure, read like prose: the table of all kinds and acts is in `snapshots/`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use labferry::model::error::{Doing, Error, ErrorKind};
use labferry::model::notice::{self, Action, Did, Subject, Words};

const SUBJECT: Subject<'static> = Subject {
    provider: "Biodock",
    connection: "Imaging core",
    name: "Plate 7",
};

const NOBODY: Subject<'static> = Subject {
    provider: "",
    connection: "",
    name: "",
};

/// 2026-11-20 14:32 in UTC.
fn at() -> Timestamp {
    "2026-11-20T14:32:10Z".parse().unwrap()
}

fn explained(error: &Error, subject: Subject<'_>, did: Did) -> Words {
    notice::explain_in(error, subject, did, &TimeZone::UTC)
}

/// What Labferry usually does about it.
fn usual(kind: ErrorKind, doing: Doing) -> Did {
    if kind.is_retryable() {
        Did::WillTryAgain(at())
    } else if matches!(doing, Doing::Upload | Doing::Submit) {
        Did::NothingSent
    } else {
        Did::Stopped
    }
}

fn all_dids() -> [Did; 5] {
    [
        Did::NothingSent,
        Did::Stopped,
        Did::WillTryAgain(at()),
        Did::LeftUnconfirmed,
        Did::WentOn,
    ]
}

fn line(words: &Words) -> String {
    match words.action {
        Some(action) => format!("{} [{}]", words.sentence(), action.label()),
        None => words.sentence(),
    }
}

#[test]
fn every_kind_of_every_act_has_its_words() {
    let mut table = Vec::new();
    for doing in Doing::ALL {
        table.push(format!("\n{doing:?}"));
        for kind in ErrorKind::ALL {
            let words = explained(&Error::new(kind, doing), SUBJECT, usual(kind, doing));
            table.push(format!("  {kind:?}\n    {}", line(&words)));
        }
    }
    insta::assert_snapshot!("explain_kinds", table.join("\n"));
}

#[test]
fn what_labferry_did_has_its_words() {
    let mut table = Vec::new();
    for doing in Doing::ALL {
        table.push(format!("\n{doing:?}"));
        for did in all_dids() {
            let words = explained(&Error::new(ErrorKind::Timeout, doing), SUBJECT, did);
            table.push(format!("  {}", line(&words)));
        }
    }
    insta::assert_snapshot!("explain_did", table.join("\n"));
}

#[test]
fn a_subject_without_names_still_makes_sentences() {
    let mut table = Vec::new();
    for doing in Doing::ALL {
        for kind in [
            ErrorKind::Unauthenticated,
            ErrorKind::NotFound,
            ErrorKind::Timeout,
        ] {
            let words = explained(&Error::new(kind, doing), NOBODY, Did::Stopped);
            table.push(format!("{doing:?} {kind:?}\n  {}", line(&words)));
        }
    }
    insta::assert_snapshot!("explain_nobody", table.join("\n"));
}

#[test]
fn the_example_of_the_house_style() {
    let error = Error::new(ErrorKind::Unauthenticated, Doing::Upload).status(401);
    let words = explained(&error, SUBJECT, Did::NothingSent);
    assert_eq!(
        words.what,
        "Biodock did not accept the key for “Imaging core”."
    );
    assert_eq!(words.did, "Nothing was uploaded.");
    assert_eq!(words.action.map(Action::label), Some("Paste a new key…"));
}

#[test]
fn no_word_of_the_program_reaches_the_person() {
    let mut forbidden = vec![
        "Unauthorized".to_owned(),
        "::".to_owned(),
        ": ".to_owned(),
        "://".to_owned(),
        "  ".to_owned(),
        "{".to_owned(),
        "..".to_owned(),
        "Error".to_owned(),
    ];
    let one_word = |debug: String| {
        (debug.chars().filter(|letter| letter.is_uppercase()).count() > 1).then_some(debug)
    };
    forbidden.extend(
        Doing::ALL
            .iter()
            .filter_map(|doing| one_word(format!("{doing:?}"))),
    );
    forbidden.extend(
        ErrorKind::ALL
            .iter()
            .filter_map(|kind| one_word(format!("{kind:?}"))),
    );
    forbidden.extend(["Unauthenticated", "Garbled", "Forbidden"].map(str::to_owned));
    for doing in Doing::ALL {
        for kind in ErrorKind::ALL {
            for did in all_dids() {
                for subject in [SUBJECT, NOBODY] {
                    for hint in [None, Some("the drive said so"), Some("Two. Sentences.")] {
                        let mut error = Error::new(kind, doing);
                        if let Some(hint) = hint {
                            error = error.hint(hint);
                        }
                        let words = explained(&error, subject, did);
                        assert!(!words.what.is_empty() && !words.did.is_empty());
                        for part in [&words.what, &words.did, &words.next] {
                            assert!(part.is_empty() || part.ends_with('.'), "{part}");
                            assert!(!part.starts_with(char::is_lowercase), "{part}");
                        }
                        let whole = words.sentence();
                        for word in &forbidden {
                            assert!(!whole.contains(word.as_str()), "{word} in {whole}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_hint_says_more_than_the_kind() {
    let error = Error::new(ErrorKind::TooLarge, Doing::Upload)
        .hint("Biodock takes files up to 2 GB, this one has 2.4 GB");
    assert_eq!(
        explained(&error, SUBJECT, Did::NothingSent).what,
        "“Plate 7” could not be uploaded to Biodock. Biodock takes files up to 2 GB, this one has 2.4 GB."
    );
    let error = Error::new(ErrorKind::Unauthenticated, Doing::Poll).hint("The key has expired");
    assert_eq!(
        explained(&error, SUBJECT, Did::Stopped).what,
        "Biodock did not accept the key for “Imaging core”. The key has expired."
    );
}

#[test]
fn signatures_and_steering_characters_do_not_get_through() {
    let url = "https://me:pw@storage.example.org/a.zip?X-Amz-Signature=canary#frag";
    let error = Error::new(ErrorKind::Forbidden, Doing::Download)
        .status(403)
        .server_said(format!("Request to {url} has expired"))
        .request_id(Some("4442587FB7D0A2F9".to_owned()))
        .hint(format!("The link {url} has expired"))
        .caused_by(&std::io::Error::other(format!("GET {url}")));
    let subject = Subject {
        name: "a\n\u{202e}fit.b\u{1b}[31m",
        ..SUBJECT
    };
    let words = explained(&error, subject, Did::Stopped);
    let details = notice::details(&error);
    let labels: Vec<&str> = details.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "Platform's message",
            "Status code",
            "Request number",
            "Cause"
        ]
    );
    let all = format!("{} {details:?}", words.sentence());
    assert!(!all.contains("canary") && !all.contains("pw@"), "{all}");
    assert!(all.contains("https://storage.example.org/a.zip"), "{all}");
    assert!(
        !words.sentence().contains(['\n', '\u{202e}', '\u{1b}']),
        "{words:?}"
    );
}

#[test]
fn buttons_fit_what_happened() {
    let action = |kind, doing, did| explained(&Error::new(kind, doing), SUBJECT, did).action;
    for did in all_dids() {
        let wanted = if did == Did::LeftUnconfirmed {
            Action::Resolve
        } else {
            Action::PasteKey
        };
        assert_eq!(
            action(ErrorKind::Unauthenticated, Doing::Submit, did),
            Some(wanted)
        );
    }
    let again = Did::WillTryAgain(at());
    assert_eq!(action(ErrorKind::Timeout, Doing::Poll, again), None);
    assert_eq!(
        action(ErrorKind::Timeout, Doing::Poll, Did::Stopped),
        Some(Action::TryAgain)
    );
    assert_eq!(
        action(ErrorKind::DiskFull, Doing::Download, again),
        Some(Action::ChooseFolder)
    );
    assert_eq!(
        action(ErrorKind::NotFound, Doing::CheckKey, Did::Stopped),
        Some(Action::EditConnection)
    );
}
