//! Forms out of what an app says it takes, and the values of a form back into what a task wants.
//!
//! [`cwl`] reads the inputs as they are written, [`fields`] makes the form of them, [`values`] the JSON of a submission.

pub(super) mod cwl;
mod fields;
#[cfg(test)]
mod tests;
pub(super) mod values;

pub(super) use fields::form;
