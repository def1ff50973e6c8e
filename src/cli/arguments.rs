//! What can be typed after `labferry`: names, flags and their help, and nothing of what they do.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};

/// Carries your files to analysis platforms and brings the results home.
#[derive(Debug, Parser)]
#[command(name = "labferry", version, about, disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// Keep state, log and settings in this folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Write one JSON object a line instead of words
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// What to do; the window opens when nothing is named
    #[command(subcommand)]
    pub(super) command: Option<CommandName>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum CommandName {
    /// Try everything against platforms simulated on this computer
    Demo(DemoArguments),
    /// Serve the simulated platforms; prints their addresses and keys as one JSON line
    Sandbox(SandboxArguments),
    /// Save a connection to a platform
    Connect(ConnectArguments),
    /// Send files to a pipeline and bring the results home
    Send(SendArguments),
    /// Watch a job that was made elsewhere and bring its results home
    Adopt(AdoptArguments),
    /// Carry on with everything that is not finished, then end
    Resume,
    /// Show what there is and how it stands
    Jobs,
    /// Hold a results folder against its receipt
    Check(CheckArguments),
    /// Show a table as the preview reads it
    Table(TableArguments),
}

/// Flags of `demo`.
#[derive(Args, Clone, Debug)]
pub(super) struct DemoArguments {
    /// Do the whole job in the terminal, without a window
    #[arg(long)]
    pub(super) headless: bool,
    /// Put the results into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) into: Option<PathBuf>,
    /// Your own files instead of the samples
    #[arg(value_name = "FILES")]
    pub(super) files: Vec<PathBuf>,
}

/// Flags of `sandbox`.
#[derive(Args, Clone, Debug)]
pub(super) struct SandboxArguments {
    /// Listen on this port instead of any free one
    #[arg(long, value_name = "N")]
    pub(super) port: Option<u16>,
    /// Run the platforms' clock this much faster
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(super) speed: f64,
    /// Misbehave: NAME[@endpoint][*COUNT], or a setting as name=value
    #[arg(long = "fault", value_name = "NAME")]
    pub(super) faults: Vec<String>,
}

/// Flags of `connect`.
#[derive(Args, Clone, Debug)]
pub(super) struct ConnectArguments {
    /// The platform, by its word; any other word names those there are
    #[arg(value_name = "PLATFORM")]
    pub(super) platform: String,
    /// Your own name for the connection
    #[arg(long, value_name = "L")]
    pub(super) label: String,
    /// The platform's base address
    #[arg(long, value_name = "U")]
    pub(super) url: Option<String>,
    /// Read the key from standard input, and below it further secrets of the form, one a line
    #[arg(long)]
    pub(super) key_stdin: bool,
    /// The email address given with each submission
    #[arg(long, value_name = "EMAIL")]
    pub(super) email: Option<String>,
    /// The user name, where the server asks for one
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Where result files are, when the server does not say
    #[arg(long, value_name = "U")]
    pub(super) files_url: Option<String>,
    /// The project that jobs run in, as owner/name
    #[arg(long, value_name = "ID")]
    pub(super) project: Option<String>,
    /// Your bucket, through which files of this computer get there
    #[arg(long, value_name = "NAME")]
    pub(super) bucket: Option<String>,
    /// Where the bucket is served, when not by Amazon
    #[arg(long, value_name = "U")]
    pub(super) bucket_endpoint: Option<String>,
    /// The region of the bucket
    #[arg(long, value_name = "NAME")]
    pub(super) bucket_region: Option<String>,
}

/// Flags of `send`.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("fan out").args(["one_per_file", "all_in_one", "by_sample"])))]
pub(super) struct SendArguments {
    /// The label of the connection
    #[arg(long, value_name = "LABEL")]
    pub(super) to: String,
    /// The pipeline's identifier
    #[arg(long, value_name = "ID")]
    pub(super) pipeline: String,
    /// A setting of the pipeline; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(super) settings: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) fan_out: FanOutArguments,
    /// One job for each value of this sample column
    #[arg(long, value_name = "COLUMN", requires = "samples")]
    pub(super) by_sample: Option<String>,
    /// What is known of the samples: a table with a column of file names, or a pattern such as {plate}_{well}.tif
    #[arg(long, value_name = "FILE|PATTERN")]
    pub(super) samples: Option<String>,
    /// An input that is at the platform already, instead of files; may be given several times
    #[arg(long, value_name = "ID", conflicts_with_all = ["files", "by_sample"])]
    pub(super) existing: Vec<String>,
    /// Put the results into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) into: Option<PathBuf>,
    /// End as soon as everything is submitted; `labferry resume` fetches the results
    #[arg(long)]
    pub(super) detach: bool,
    /// Files and folders
    #[arg(value_name = "FILES", required_unless_present = "existing")]
    pub(super) files: Vec<PathBuf>,
}

/// Flags of `adopt`.
#[derive(Args, Clone, Debug)]
pub(super) struct AdoptArguments {
    /// The label of the connection
    #[arg(long, value_name = "LABEL")]
    pub(super) from: String,
    /// The job's identifier, or the address of its page
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

/// How many jobs the files become.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct FanOutArguments {
    /// One job for each file
    #[arg(long)]
    pub(super) one_per_file: bool,
    /// One job for all files
    #[arg(long)]
    pub(super) all_in_one: bool,
}

/// Flags of `check`.
#[derive(Args, Clone, Debug)]
pub(super) struct CheckArguments {
    /// The results folder of a batch
    #[arg(value_name = "DIR")]
    pub(super) folder: PathBuf,
}

/// Flags of `table`.
#[derive(Args, Clone, Debug)]
pub(super) struct TableArguments {
    /// The file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Only these rows, counted from 1, both included
    #[arg(long, value_name = "A..B", value_parser = rows)]
    pub(super) rows: Option<Rows>,
}

/// A range of rows, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// The first.
    pub(super) first: u64,
    /// The last; none is the end of the table.
    pub(super) last: Option<u64>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("a setting is given as NAME=VALUE".to_owned()),
    }
}

fn rows(text: &str) -> Result<Rows, String> {
    let wrong = || "rows are given as A..B, counted from 1, such as 1..20".to_owned();
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let number = |digits: &str| digits.parse::<u64>().map_err(|_not_a_number| wrong());
    let first = if first.is_empty() { 1 } else { number(first)? };
    let last = if last.is_empty() {
        None
    } else {
        Some(number(last)?)
    };
    if first == 0 || last.is_some_and(|last| last < first) {
        return Err(wrong());
    }
    Ok(Rows { first, last })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn ranges_of_rows() {
        let range = |first, last| Ok(Rows { first, last });
        assert_eq!(rows("1..20"), range(1, Some(20)));
        assert_eq!(rows("7.."), range(7, None));
        assert_eq!(rows("..7"), range(1, Some(7)));
        for wrong in ["0..3", "5..4", "3", "a..b", "-1..2", "1-2"] {
            assert!(rows(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_setting_may_hold_equal_signs_and_be_empty() {
        assert_eq!(setting("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(setting("a="), Ok(("a".to_owned(), String::new())));
        assert!(setting("a").is_err());
        assert!(setting("=b").is_err());
    }

    #[test]
    fn one_job_for_all_and_one_for_each_exclude_each_other() {
        let parse = |more: &[&str]| {
            let words = [
                "labferry",
                "send",
                "--to",
                "Core",
                "--pipeline",
                "p",
                "x.png",
            ];
            Arguments::try_parse_from(words.iter().chain(more))
        };
        assert!(parse(&["--one-per-file"]).is_ok());
        assert!(parse(&["--one-per-file", "--all-in-one"]).is_err());
        assert!(parse(&["--by-sample", "plate", "--samples", "{plate}.tif"]).is_ok());
        assert!(parse(&["--by-sample", "plate"]).is_err());
        assert!(parse(&["--existing", "id-1"]).is_err());
    }
}
