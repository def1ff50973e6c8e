//! The jobs the simulated operator has set up: their steps, parameters, validators and habits.
//!
//! Owns what exists and in which order; running a step is `tasks`, its timing and outcome `jobs`.

/// What a task does with the bytes it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Lines, words and bytes, as `wc` prints them.
    WordCount,
    /// The first lines, as `head -n` prints them.
    Head,
    /// All lines in byte order, as `LC_ALL=C sort` prints them.
    Sort,
    /// One row a column of a delimited table: count, minimum, maximum, mean.
    Summary,
    /// An archive of the count, the sorted copy and a log, and the log once more beside it.
    Archive,
    /// A copy of the input.
    Copy,
    /// A command that ends with exit status 1.
    Fail,
    /// A script that ends well and writes nothing, which leaves a result row without a file.
    Silent,
}

/// The check of the content an operator can attach to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validator {
    /// Takes anything.
    Nothing,
    /// Takes a PNG image; breaks down on a file that is no image of any kind.
    Png,
    /// Takes protein sequences in FASTA form, 30 to 1500 residues each.
    Protein,
}

/// How a parameter is shown in the list of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterKind {
    /// `[VALUE]`: free text within the rules for values.
    Value,
    /// `[TRUE/FALSE]`: a switch of the command line.
    Flag,
}

/// One value the form of a job asks for.
#[derive(Debug)]
pub(super) struct Parameter {
    /// `{task}_{alias}`, the key in the form.
    pub(super) name: &'static str,
    pub(super) kind: ParameterKind,
}

/// One step of a job.
#[derive(Debug)]
pub(super) struct Task {
    /// The database id, which results carry.
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) work: Work,
    pub(super) parameters: &'static [Parameter],
    /// Program and version in the operator's notes.
    pub(super) software: (&'static str, &'static str),
    /// How long the step takes, in milliseconds at normal speed.
    pub(super) lasts_millis: u64,
}

/// One job as the operator defined it.
#[derive(Debug)]
pub(super) struct JobDefinition {
    pub(super) name: &'static str,
    pub(super) enabled: bool,
    pub(super) validator: Validator,
    pub(super) steps: &'static [Task],
    /// The worker of this job is always killed: it stays in its first step.
    pub(super) never_ends: bool,
}

const fn job(name: &'static str, steps: &'static [Task]) -> JobDefinition {
    JobDefinition {
        name,
        enabled: true,
        validator: Validator::Nothing,
        steps,
        never_ends: false,
    }
}

const fn task(id: u32, name: &'static str, work: Work, lasts_millis: u64) -> Task {
    Task {
        id,
        name,
        work,
        parameters: &[],
        software: ("coreutils", "9.1"),
        lasts_millis,
    }
}

/// All jobs, in the order of their database ids, which start at 1.
pub(super) static JOBS: &[JobDefinition] = &[
    job(
        "wordcount",
        &[Task {
            software: ("wc", "9.1"),
            ..task(1, "count", Work::WordCount, 1_800)
        }],
    ),
    job(
        "headsort",
        &[
            Task {
                parameters: &[Parameter {
                    name: "headtask_lines",
                    kind: ParameterKind::Value,
                }],
                software: ("head", "9.1"),
                ..task(2, "headtask", Work::Head, 1_500)
            },
            Task {
                parameters: &[Parameter {
                    name: "sorttask_reverse",
                    kind: ParameterKind::Flag,
                }],
                software: ("sort", "9.1"),
                ..task(3, "sorttask", Work::Sort, 1_500)
            },
        ],
    ),
    job(
        "table_summary",
        &[Task {
            software: ("summarize", "1.2"),
            ..task(4, "summary", Work::Summary, 2_200)
        }],
    ),
    job(
        "zipresults",
        &[Task {
            software: ("zip", "3.0"),
            ..task(7, "ziptask", Work::Archive, 2_500)
        }],
    ),
    job("slowcopy", &[task(8, "copytask", Work::Copy, 12_000)]),
    JobDefinition {
        validator: Validator::Png,
        ..job("png_only", &[task(9, "imagecopy", Work::Copy, 1_500)])
    },
    JobDefinition {
        validator: Validator::Protein,
        ..job(
            "protein_count",
            &[task(10, "residues", Work::WordCount, 1_800)],
        )
    },
    job(
        "failing",
        &[
            task(11, "prepare", Work::WordCount, 1_200),
            task(12, "refuse", Work::Fail, 1_200),
        ],
    ),
    JobDefinition {
        never_ends: true,
        ..job("stuck", &[task(13, "wait", Work::Copy, 1_000)])
    },
    job("nooutput", &[task(14, "silent", Work::Silent, 1_500)]),
    JobDefinition {
        enabled: false,
        ..job("retired", &[task(15, "oldcount", Work::WordCount, 1_500)])
    },
    job("draft", &[]),
];

/// The job with exactly this name.
pub(super) fn find(name: &str) -> Option<&'static JobDefinition> {
    JOBS.iter().find(|job| job.name == name)
}

/// What `endpoints.json` says of a job: a string to be taken apart, not an address.
pub(super) fn endpoint(job: &JobDefinition) -> String {
    let mut text = format!(
        "/submission/&job={}&submission_name=[STRING]&email=[EMAIL_STRING]&input_data=[FILE]",
        job.name
    );
    for parameter in job.steps.iter().flat_map(|step| step.parameters) {
        text.push('&');
        text.push_str(parameter.name);
        text.push_str(match parameter.kind {
            ParameterKind::Value => "=[VALUE]",
            ParameterKind::Flag => "=[TRUE/FALSE]",
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_strings_have_the_documented_form() {
        let strings: Vec<String> = JOBS.iter().map(endpoint).collect();
        assert_eq!(
            strings[0],
            "/submission/&job=wordcount&submission_name=[STRING]&email=[EMAIL_STRING]&input_data=[FILE]"
        );
        assert_eq!(
            strings[1],
            "/submission/&job=headsort&submission_name=[STRING]&email=[EMAIL_STRING]&input_data=[FILE]&headtask_lines=[VALUE]&sorttask_reverse=[TRUE/FALSE]"
        );
    }

    #[test]
    fn parameters_are_named_after_their_task() {
        for step in JOBS.iter().flat_map(|job| job.steps) {
            for parameter in step.parameters {
                assert!(parameter.name.starts_with(&format!("{}_", step.name)));
            }
        }
    }
}
