//! Biodock's JSON as it is, and its conversion into our words. Answers are accepted as documented (flat) and as a public
//! client reads them (wrapped); fields that are not promised are optional, and unknown ones are ignored.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::model::pipeline::Pipeline;
use crate::model::remote::{JobReport, JobStatus, Progress, StagedFile};
use crate::net::errors::text_of;

/// `GET /check`. The third field, spelled `messsage` in the documentation, says nothing the status does not.
#[derive(Debug, Deserialize)]
pub(super) struct Check {
    pub(super) user: Option<String>,
    pub(super) email: Option<String>,
}

/// One page of any list. `count` is left out: whether it counts the page or all is not documented.
#[derive(Debug, Deserialize)]
pub(super) struct Listed<T> {
    pub(super) results: Vec<T>,
}

/// One entry of `GET /pipelines`. No name is documented.
#[derive(Debug, Deserialize)]
pub(super) struct PipelineEntry {
    pub(super) id: String,
    name: Option<String>,
    description: Option<String>,
}

impl PipelineEntry {
    pub(super) fn into_model(self) -> Pipeline {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let description = filled(self.description);
        let (name, description) = match (filled(self.name), description) {
            (Some(name), description) => (name, description.unwrap_or_default()),
            (None, Some(description)) => (description, String::new()),
            (None, None) => (self.id.clone(), String::new()),
        };
        Pipeline {
            id: self.id.as_str().into(),
            name,
            description,
            typical_secs: None,
        }
    }
}

/// One entry of `GET /filesystem-items`.
#[derive(Debug, Deserialize)]
pub(super) struct ItemEntry {
    pub(super) id: String,
    pub(super) name: Option<String>,
    #[serde(rename = "__t")]
    pub(super) kind: Option<String>,
}

impl ItemEntry {
    pub(super) fn is_folder(&self) -> bool {
        self.kind
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("folder"))
    }

    /// A folder ends in `/`; as an input it stands for what is in it, as a public client uses it.
    pub(super) fn into_model(self) -> StagedFile {
        let slash = if self.is_folder() { "/" } else { "" };
        let name = self.name.as_deref().unwrap_or(&self.id);
        StagedFile {
            name: format!("{name}{slash}"),
            is_folder: self.is_folder(),
            id: self.id,
            ..StagedFile::default()
        }
    }
}

/// The answer to an upload.
#[derive(Debug, Deserialize)]
pub(super) struct UploadAnswer {
    pub(super) id: String,
}

/// The body of `POST /analysis-jobs`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Submit<'a> {
    pub(super) pipeline_id: &'a str,
    pub(super) filesystem_ids: Vec<&'a str>,
    pub(super) name: &'a str,
}

/// An answer about an analysis job, flat or wrapped in `analysisJob`.
#[derive(Debug, Deserialize)]
pub(super) struct JobAnswer {
    #[serde(
        rename = "analysisJob",
        default,
        deserialize_with = "object_or_nothing"
    )]
    wrapped: Option<State>,
    id: Option<String>,
    name: Option<String>,
    status: Option<String>,
    #[serde(rename = "percentageCompleted")]
    percentage: Option<Value>,
    #[serde(rename = "objectsDataCSVUrl")]
    objects_url: Option<String>,
    #[serde(rename = "aggregateDataCSVUrl")]
    aggregate_url: Option<String>,
    message: Option<Value>,
    error: Option<Value>,
    reason: Option<Value>,
}

/// An answer about a request for masks, flat or wrapped in `downloadMasksJob`.
#[derive(Debug, Deserialize)]
pub(super) struct MasksAnswer {
    #[serde(
        rename = "downloadMasksJob",
        default,
        deserialize_with = "object_or_nothing"
    )]
    wrapped: Option<State>,
    status: Option<String>,
    #[serde(rename = "percentageCompleted")]
    percentage: Option<Value>,
    #[serde(rename = "masksZipUrl")]
    masks_url: Option<String>,
    message: Option<Value>,
    error: Option<Value>,
    reason: Option<Value>,
}

/// Either kind of job, out of its wrapping.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    status: Option<String>,
    #[serde(rename = "percentageCompleted")]
    percentage: Option<Value>,
    #[serde(rename = "objectsDataCSVUrl")]
    objects_url: Option<String>,
    #[serde(rename = "aggregateDataCSVUrl")]
    aggregate_url: Option<String>,
    #[serde(rename = "masksZipUrl")]
    masks_url: Option<String>,
    message: Option<Value>,
    error: Option<Value>,
    reason: Option<Value>,
}

impl JobAnswer {
    /// Where an entry is wrapped, its id may stand beside the wrapping.
    pub(super) fn into_state(self) -> State {
        match self.wrapped {
            Some(state) => State {
                id: state.id.or(self.id),
                name: state.name.or(self.name),
                ..state
            },
            None => State {
                id: self.id,
                name: self.name,
                status: self.status,
                percentage: self.percentage,
                objects_url: self.objects_url,
                aggregate_url: self.aggregate_url,
                masks_url: None,
                message: self.message,
                error: self.error,
                reason: self.reason,
            },
        }
    }
}

impl MasksAnswer {
    pub(super) fn into_state(self) -> State {
        self.wrapped.unwrap_or(State {
            status: self.status,
            percentage: self.percentage,
            masks_url: self.masks_url,
            message: self.message,
            error: self.error,
            reason: self.reason,
            ..State::default()
        })
    }
}

/// What a word for a state means. Case does not matter; a word nobody has seen is taken as in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Missing,
    Unknown,
}

impl State {
    pub(super) fn word(&self) -> Word {
        let Some(word) = self.status.as_deref().map(str::trim) else {
            return Word::Missing;
        };
        match word.to_ascii_uppercase().as_str() {
            "" => Word::Missing,
            "PENDING" | "SUBMITTED" | "QUEUED" => Word::Queued,
            "RUNNING" | "PROCESSING" | "IN_PROGRESS" => Word::Running,
            "SUCCEEDED" | "COMPLETED" | "SUCCESS" => Word::Succeeded,
            "FAILED" | "ERROR" | "ABORTED" | "TIMED_OUT" => Word::Failed,
            "CANCELLED" | "CANCELED" => Word::Cancelled,
            _ => Word::Unknown,
        }
    }

    /// From 0 to 100; a number, a number as text, or nothing.
    pub(super) fn percent(&self) -> Option<f32> {
        let number = match self.percentage.as_ref()? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().trim_end_matches('%').parse().ok()?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        if !number.is_finite() {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a percentage between 0 and 100 loses nothing that could be shown"
        )]
        let percent = number.clamp(0.0, 100.0) as f32;
        Some(percent)
    }

    pub(super) fn objects_url(&self) -> Option<&str> {
        filled(self.objects_url.as_deref())
    }

    pub(super) fn aggregate_url(&self) -> Option<&str> {
        filled(self.aggregate_url.as_deref())
    }

    pub(super) fn masks_url(&self) -> Option<&str> {
        filled(self.masks_url.as_deref())
    }

    /// The platform's reason; none is documented, so whatever of these arrives is shown.
    pub(super) fn said(&self) -> Option<String> {
        [&self.message, &self.error, &self.reason]
            .into_iter()
            .flatten()
            .find_map(text_of)
    }

    /// Whether everything a finished job should offer is there.
    pub(super) fn offers_both_tables(&self) -> bool {
        self.objects_url().is_some() && self.aggregate_url().is_some()
    }

    /// Nothing at all is known: what an empty object says.
    pub(super) fn is_blank(&self) -> bool {
        self.word() == Word::Missing && self.percent().is_none() && self.masks_url().is_none()
    }

    /// In our words. 100 percent is no proof of success; the state is, and without one the offered files are.
    pub(super) fn report(&self) -> JobReport {
        let running = JobStatus::Running {
            progress: self.percent().map(Progress::Percent),
        };
        let word = self.status.clone().unwrap_or_default();
        let status = match self.word() {
            Word::Queued => JobStatus::Queued,
            Word::Missing if self.offers_both_tables() => JobStatus::Succeeded,
            Word::Running | Word::Missing => running,
            Word::Succeeded => JobStatus::Succeeded,
            Word::Failed => JobStatus::Failed {
                reason: self.said(),
            },
            Word::Cancelled => JobStatus::Cancelled,
            Word::Unknown => JobStatus::Unrecognized(word.clone()),
        };
        JobReport {
            status,
            word,
            message: self.said(),
        }
    }
}

/// The wrapping counts only where it is an object.
fn object_or_nothing<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<State>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_object() {
        State::deserialize(value)
            .map(Some)
            .map_err(D::Error::custom)
    } else {
        Ok(None)
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A golden reply; where each comes from is in `tests/golden/biodock/SOURCES.md`.
    fn golden<T: serde::de::DeserializeOwned>(name: &str) -> T {
        let path = format!(
            "{}/tests/golden/biodock/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn state(json: &str) -> State {
        serde_json::from_str::<JobAnswer>(json)
            .unwrap()
            .into_state()
    }

    #[test]
    fn the_documented_answers_are_understood() {
        let check: Check = golden("check");
        assert_eq!(check.email.as_deref(), Some("someone@example.org"));
        assert_eq!(check.user.as_deref(), Some("auth0|1234567890"));
        let upload: UploadAnswer = golden("upload");
        assert_eq!(upload.id, "0123456789");
        let items: Listed<ItemEntry> = golden("filesystem-items");
        let names: Vec<String> = items
            .results
            .into_iter()
            .map(|item| item.into_model().name)
            .collect();
        assert_eq!(names, ["my_file.png", "my_folder/"]);
        let pipelines: Listed<PipelineEntry> = golden("pipelines");
        let pipeline = pipelines.results.into_iter().next().unwrap().into_model();
        assert_eq!(
            (pipeline.id.as_str(), pipeline.name.as_str()),
            ("0123456789", "Nuclei in DAPI")
        );
    }

    #[test]
    fn a_job_is_understood_flat_and_wrapped() {
        let submitted = golden::<JobAnswer>("submit").into_state();
        assert_eq!(submitted.id.as_deref(), Some("0123456789"));
        assert_eq!(submitted.report().status, JobStatus::Queued);
        let listed: Listed<JobAnswer> = golden("jobs");
        let listed = listed.results.into_iter().next().unwrap().into_state();
        for state in [golden::<JobAnswer>("job-flat").into_state(), listed] {
            assert_eq!(state.report().status, JobStatus::Succeeded);
            assert_eq!(
                state.objects_url(),
                Some("https://storage.example.org/objects")
            );
            assert_eq!(
                state.aggregate_url(),
                Some("https://storage.example.org/aggregate")
            );
        }
        let wrapped = golden::<JobAnswer>("job-wrapped").into_state();
        let running = JobStatus::Running {
            progress: Some(Progress::Percent(42.0)),
        };
        assert_eq!(wrapped.report().status, running);
        assert_eq!(wrapped.id.as_deref(), Some("0123456789"));
    }

    #[test]
    fn masks_are_understood_flat_and_wrapped() {
        let asked = golden::<MasksAnswer>("ask-masks").into_state();
        assert_eq!((asked.word(), asked.percent()), (Word::Queued, Some(0.0)));
        let flat = golden::<MasksAnswer>("masks-flat").into_state();
        assert_eq!(flat.word(), Word::Succeeded);
        let wrapped = golden::<MasksAnswer>("masks-wrapped").into_state();
        assert_eq!(wrapped.word(), Word::Missing);
        for state in [flat, wrapped] {
            assert_eq!(state.masks_url(), Some("https://storage.example.org/masks"));
            assert!(!state.is_blank());
        }
        let nothing: MasksAnswer = serde_json::from_str("{}").unwrap();
        assert!(nothing.into_state().is_blank());
    }

    #[test]
    fn every_word_has_a_meaning_and_case_does_not_matter() {
        for (word, status) in [
            ("Pending", JobStatus::Queued),
            ("SUBMITTED", JobStatus::Queued),
            ("running", JobStatus::Running { progress: None }),
            ("completed", JobStatus::Succeeded),
            ("SUCCESS", JobStatus::Succeeded),
            ("failed", JobStatus::Failed { reason: None }),
            ("TIMED_OUT", JobStatus::Failed { reason: None }),
            ("canceled", JobStatus::Cancelled),
            (
                "POSTPROCESSING",
                JobStatus::Unrecognized("POSTPROCESSING".to_owned()),
            ),
        ] {
            let report = state(&format!(r#"{{"status":"{word}"}}"#)).report();
            assert_eq!((report.status, report.word.as_str()), (status, word));
        }
        // Without a word only the files prove success; 100 percent does not.
        let full = state(r#"{"percentageCompleted":100}"#).report().status;
        let running = JobStatus::Running {
            progress: Some(Progress::Percent(100.0)),
        };
        assert_eq!(full, running);
    }

    #[test]
    fn percentages_of_every_kind() {
        for (json, percent) in [
            ("42", Some(42.0)),
            ("41.5", Some(41.5)),
            ("\"42\"", Some(42.0)),
            ("-3", Some(0.0)),
            ("250", Some(100.0)),
            ("null", None),
            ("true", None),
            ("\"soon\"", None),
        ] {
            let state = state(&format!(r#"{{"percentageCompleted":{json}}}"#));
            assert_eq!(state.percent(), percent, "{json}");
        }
        assert_eq!(state("{}").percent(), None);
    }

    #[test]
    fn odd_answers_are_survived() {
        for json in [
            r#"{"analysisJob":null,"id":"a","status":"PENDING"}"#,
            r#"{"analysisJob":"a","id":"a","status":"PENDING"}"#,
            r#"{"analysisJob":{"status":"PENDING"},"id":"a"}"#,
            r#"{"id":"a","status":"PENDING","objectsDataCSVUrl":null,"extra":[1]}"#,
        ] {
            let state = state(json);
            assert_eq!(state.id.as_deref(), Some("a"), "{json}");
            assert_eq!(state.report().status, JobStatus::Queued, "{json}");
        }
        let failed = state(r#"{"status":"FAILED","message":"","error":{"text":"No cells"}}"#);
        assert_eq!(failed.said().as_deref(), Some("text: No cells"));
        assert!(
            !state(r#"{"objectsDataCSVUrl":"","aggregateDataCSVUrl":"x"}"#).offers_both_tables()
        );
    }
}
