//! Which outcomes a cell may have at all: by what is asked, what is met, and what the platform can do about a submission
//! without answer.

use labferry::model::job::Stage;
use labferry::model::provider::LostSubmit;
use labferry::providers;

use crate::faults::matrix::cell::{Came, Cell, Often, Sees};
use crate::faults::matrix::rows::Role;

/// What a fault is to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    /// It only takes longer.
    Nothing,
    /// The key is refused.
    Key,
    /// It is refused for good.
    Refusal,
    /// It passes, and is waited out.
    Passing,
    /// It may pass, and has an end of our patience.
    Fault,
}

fn met(cell: Cell) -> Met {
    match cell.fault {
        "slow" | "no-range" => Met::Nothing,
        "unauthorized" => Met::Key,
        // This is its answer to a wrong password; files are served by the web server before it, which says 401.
        "forbidden"
            if cell.row.platform == "analytics-automated" && cell.row.endpoint != "aa.file" =>
        {
            Met::Key
        }
        "forbidden" | "not-found" | "conflict" | "too-large" | "expired-link" => Met::Refusal,
        "rate-limited"
        | "rate-limited-silent"
        | "unavailable"
        | "hang"
        | "refuse-before"
        | "lost-answer"
        | "cut-body"
        | "wrong-length" => Met::Passing,
        "server-error" | "bad-gateway" | "gateway-timeout" | "error-list" | "html" | "garbled"
        | "redirect-elsewhere" => Met::Fault,
        other => panic!("what is {other} to a request?"),
    }
}

/// Nobody is asked, and it ends well.
const WELL: [Sees; 3] = [Sees::GoesOn, Sees::Adopted, Sees::WaitsForTime];

/// The outcomes a cell may have.
fn allowed(cell: Cell) -> Vec<Sees> {
    let with = |more: &[Sees]| [&WELL[..], more].concat();
    let lost_submit = providers::ALL
        .iter()
        .find(|entry| entry.facts.id.as_str() == cell.row.platform)
        .map(|entry| entry.facts.capabilities.lost_submit)
        .unwrap();
    let met = met(cell);
    // Whoever serves files or keeps the bucket has never seen the platform's key.
    let keyless =
        cell.row.endpoint.starts_with("storage.") || cell.row.endpoint.ends_with("bucket");
    match (cell.row.role, met, cell.often) {
        (Role::Describe, _, _) | (_, Met::Nothing, _) => WELL.to_vec(),
        (
            Role::Check | Role::List | Role::Question | Role::Ornament | Role::Cancel,
            Met::Key,
            _,
        ) => with(&[Sees::AsksForKey, Sees::SaysWhy]),
        (Role::Check | Role::List | Role::Question | Role::Ornament | Role::Cancel, _, _) => {
            with(&[Sees::SaysWhy])
        }
        // A person looks at what was found in the way of a batch; nothing was sent yet.
        (Role::Before, _, _) => with(&[
            Sees::AsksForKey,
            Sees::SaysWhy,
            Sees::KeepsTrying,
            Sees::Failed,
        ]),
        (_, Met::Key, _) if !keyless => vec![Sees::AsksForKey],
        (Role::Submit, Met::Passing | Met::Fault, often) => {
            let known = matches!(cell.fault, "rate-limited" | "rate-limited-silent");
            let asked = match lost_submit {
                LostSubmit::AskThePerson if !known => return vec![Sees::Unconfirmed],
                LostSubmit::Candidates => &[Sees::Unconfirmed][..],
                LostSubmit::AskThePerson | LostSubmit::CanBeFound | LostSubmit::OneThatFits => &[],
            };
            match often {
                Often::Once => with(asked),
                Often::Always => with(&[asked, &[Sees::KeepsTrying, Sees::Failed]].concat()),
            }
        }
        (Role::Submit, Met::Refusal, _) => with(&[Sees::Failed]),
        // What cannot be looked for is never sent again without the person.
        (Role::Find, Met::Refusal, _) => with(&[Sees::Unconfirmed, Sees::Failed]),
        (Role::Find, Met::Fault, Often::Always) => vec![Sees::Unconfirmed],
        (_, Met::Passing | Met::Fault, Often::Once) => WELL.to_vec(),
        (_, Met::Passing, Often::Always) => {
            with(&[Sees::KeepsTrying, Sees::PartMissing, Sees::Failed])
        }
        (_, Met::Fault, Often::Always) => {
            with(&[Sees::KeepsTrying, Sees::Failed, Sees::PartMissing])
        }
        (_, Met::Key, _) => with(&[Sees::AsksForKey, Sees::Failed]),
        (_, Met::Refusal, _) => with(&[Sees::KeepsTrying, Sees::Failed, Sees::PartMissing]),
    }
}

/// Whether the platform says for good that it does not know the job, so that the person has another one made.
fn is_gone(cell: Cell) -> bool {
    cell.row.role == Role::Status && cell.fault == "not-found" && cell.often == Often::Always
}

/// A pipeline whose form is said not to be there is sent what the person enters, and lacks what the form would have asked
/// for; that is said, and settings can be changed.
fn lacks_settings(cell: Cell) -> bool {
    cell.row.endpoint == "code_ocean.form" && cell.fault == "not-found"
}

/// The rules that what came of a cell breaks.
pub(super) fn broken(cell: Cell, came: &Came) -> Vec<String> {
    let mut broken = Vec::new();
    if !allowed(cell).contains(&came.sees) {
        broken.push(format!("only {:?} may come of it", allowed(cell)));
    }
    if came.made > 1 && !(is_gone(cell) && came.made == 2) {
        broken.push(format!("{} jobs were made", came.made));
    }
    let well = match (cell.row.role, came.sees) {
        (_, Sees::WaitsForTime) => true,
        // The person looked, found that it is there, and left it; no list could show it to be adopted.
        (_, Sees::Unconfirmed) => matches!(came.after, Some(Stage::Done | Stage::Cancelled)),
        (Role::Cancel, _) => came.after.is_none_or(|stage| stage == Stage::Cancelled),
        (_, _) if lacks_settings(cell) => true,
        (_, _) => came.after.is_none_or(|stage| stage == Stage::Done),
    };
    if !well {
        broken.push("it does not end well once the fault is over".to_owned());
    }
    if came.after == Some(Stage::Done) && came.files.is_empty() {
        broken.push("it is done without any file".to_owned());
    }
    broken
}
