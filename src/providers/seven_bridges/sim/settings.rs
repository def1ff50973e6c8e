//! The names of the endpoints, and how the simulator behaves where the vendor's pages leave a choice.

use crate::sandbox::faults::Setting;

/// The names faults may use.
pub const ENDPOINTS: &[&str] = &[
    "sb.root",
    "sb.user",
    "sb.rate-limit",
    "sb.projects",
    "sb.project",
    "sb.apps",
    "sb.app",
    "sb.copy-app",
    "sb.files",
    "sb.create-folder",
    "sb.file",
    "sb.change-file",
    "sb.delete-file",
    "sb.metadata",
    "sb.change-metadata",
    "sb.tags",
    "sb.copy-file",
    "sb.move-file",
    "sb.download-info",
    "sb.bulk-files",
    "sb.bulk-delete",
    "sb.bulk-change",
    "sb.start-upload",
    "sb.uploads",
    "sb.upload",
    "sb.report-parts",
    "sb.abort-upload",
    "sb.part",
    "sb.report-part",
    "sb.complete-upload",
    "sb.tasks",
    "sb.create-task",
    "sb.task",
    "sb.change-task",
    "sb.delete-task",
    "sb.run-task",
    "sb.abort-task",
    "sb.clone-task",
    "sb.task-inputs",
    "sb.execution-details",
    "sb.bulk-tasks",
    "sb.other",
    "storage.sb-part",
];

/// How it behaves where the vendor's pages leave a choice.
pub const SETTINGS: &[Setting] = &[
    // What stands before the service: nothing, or a maintenance page or message for every call.
    setting("sb.front", &["none", "html-503", "maintenance"]),
    // Refusals as documented; with the status as a word and no number, as seen; with the message alone.
    setting("sb.error-style", &["documented", "text-status", "bare"]),
    // Requests in a window, and the window's seconds by the world's clock.
    setting("sb.rate-limit", &["#"]),
    setting("sb.rate-window", &["#"]),
    // Most entries of a page, whatever limit is sent.
    setting("sb.max-limit", &["#"]),
    setting(
        "sb.next-link",
        &["right", "malformed", "other-host", "absent"],
    ),
    setting("sb.extra-projects", &["#"]),
    setting("sb.extra-apps", &["#"]),
    setting("sb.file-types", &["lower", "upper"]),
    // Seconds a link to a file, or the address of a part, is good for.
    setting("sb.link-seconds", &["#"]),
    setting("sb.part-seconds", &["#"]),
    // The size of parts the service wants, whatever the wish; the limits in bytes and numbers.
    setting("sb.part-size", &["#"]),
    setting("sb.min-part", &["#"]),
    setting("sb.max-part", &["#"]),
    setting("sb.max-parts", &["#"]),
    setting("sb.max-file", &["#"]),
    setting("sb.parallel-uploads", &["yes", "no"]),
    // Whether storage wants a header sent along with each part.
    setting("sb.part-headers", &["none", "some"]),
    setting("sb.expires", &["text", "number"]),
    setting("sb.success-codes", &["inside", "top"]),
    // When a wrong ETag is noticed.
    setting("sb.report-check", &["at-complete", "at-once"]),
    setting("sb.group-report", &["accepted", "refused"]),
    setting("sb.complete", &["usual", "fails"]),
    // A part that is lost when an upload is completed for the first time.
    setting("sb.lose-part", &["#"]),
    setting(
        "sb.life",
        &["usual", "fails", "stays", "waits", "unknown-state"],
    ),
    // Which child of every batch fails, from 1; how such a batch ends.
    setting("sb.failing-child", &["#"]),
    setting("sb.partly-failed", &["failed", "completed"]),
    setting("sb.outputs", &["usual", "null", "empty"]),
    setting("sb.execution-status", &["full", "sparse", "absent"]),
    setting("sb.price", &["number", "text"]),
    setting("sb.error-entries", &["objects", "texts"]),
    setting("sb.draft-start-time", &["absent", "present"]),
    // What running a task does whose inputs are missing, or that has any error.
    setting("sb.missing-inputs", &["draft", "refused"]),
    setting("sb.run-with-errors", &["draft", "refused"]),
    // Whether a task is made and the answer an error all the same.
    setting("sb.create-answer", &["usual", "error-after"]),
];

const fn setting(name: &'static str, values: &'static [&'static str]) -> Setting {
    Setting { name, values }
}
