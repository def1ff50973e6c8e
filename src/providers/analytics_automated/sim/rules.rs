//! What the simulated server refuses: parameter values, form fields, contents of files.
//!
//! Owns the rules and the words of the refusals; their order is `submit`.

use serde_json::{Map, Value, json};

use crate::providers::analytics_automated::sim::catalog::Validator;
use crate::providers::analytics_automated::sim::form::{Extra, Upload};

/// Why a parameter value was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ValueRefusal {
    /// The server's check itself broke down: an HTML 500 and nothing else.
    Broke,
    /// The reason, to be put into the frame of the error text.
    Reason(String),
}

/// Python 3.11's keywords without `in`, which the real server lets pass.
const PYTHON: &str = "False None True and as assert async await break class continue def del elif else except \
    finally for from global if import is lambda nonlocal not or pass raise return try while \
    with yield";

/// A part of the names in R's base package; the real list has about 1,180.
const R: &str = "F Filter Find LETTERS Map Mod NCOL NROW Negate Position Re Recall Reduce T Vectorize abs \
    all any anyNA aperm append apply array as.numeric assign attr basename body by c casefold \
    cat cbind ceiling character chol choose class close col colMeans colSums colnames complex \
    cos crossprod cummax cummin cumprod cumsum cut data.frame date det diag diff difftime dim \
    dimnames dir dirname do.call double drop dump duplicated environment eval exists exp \
    expression factor file floor flush formals format function gamma gc get getwd gl grep gsub \
    iconv identical identity ifelse integer intersect invisible is.na jitter kappa labels \
    lapply length letters levels library list list.files load local log log10 log2 logical ls \
    mapply match matrix max mean merge message min mode months names nargs nchar ncol next \
    norm nrow numeric open order outer paste paste0 pi pipe pmatch pmax pmin pretty print prod \
    q qr quarters quit quote range rank raw readLines readline regexpr remove rep repeat \
    replace rev rle rm round row rowMeans rowSums rownames rowsum sample sapply save scale \
    scan search seek seq sequence setdiff setwd sign signif sin single sink solve sort source \
    split sprintf sqrt stop strsplit structure sub subset substr substring sum summary svd \
    sweep switch system t table tabulate tan tanh tapply tolower toupper trace transform trunc \
    typeof union unique units unlink unlist unsplit url vapply vector warning which which.max \
    which.min within write xor";

/// A part of the programs installed on the real server.
const UNIX: &str = "ar awk bash bc cal cc chmod chown clear cmp comm convert cp curl dash dd df du echo ed env \
    expand expr false fold free ftp gcc git gzip head host id info install join kill last ld \
    less link ln locale login look lp mail make man mkdir more mv nice nl nm node od passwd \
    patch perl ping printf ps pwd python python3 readlink rename rev rsync sed sh shuf size \
    sleep ssh stat strings su sync tac tail tar tee test time top touch tr true tty uname \
    unzip uptime users vi wc wget who xargs xz yes zip zipinfo";

/// Holds all extra fields of a form against the rules, in the order they arrived.
///
/// The message for punctuation names a leftover of the loop over the programs that ran for the
/// value before; for the first value there is no such leftover and the check itself breaks down.
pub(super) fn check_values(extras: &[Extra<'_>]) -> Result<(), ValueRefusal> {
    for (position, extra) in extras.iter().enumerate() {
        let Extra::Text(value) = *extra else {
            return Err(punctuation(position));
        };
        if value.chars().any(refused_character) {
            return Err(punctuation(position));
        }
        let lists = [
            ("python keywords", PYTHON),
            ("R keywords", R),
            ("unix commands", UNIX),
        ];
        for (label, words) in lists {
            if words.split(' ').any(|word| word == value) {
                return Err(ValueRefusal::Reason(format!(
                    "Incoming data can not contain {label}: {value}"
                )));
            }
        }
    }
    Ok(())
}

fn refused_character(character: char) -> bool {
    character.is_whitespace() || (character.is_ascii_punctuation() && character != '.')
}

fn punctuation(position: usize) -> ValueRefusal {
    let Some(leftover) = UNIX.split(' ').next_back().filter(|_| position > 0) else {
        return ValueRefusal::Broke;
    };
    ValueRefusal::Reason(format!(
        "Incoming data can not contain punctuation: {leftover}"
    ))
}

/// The errors of the web form, field by field; empty when all is well.
pub(super) fn check_form(
    submission_name: &str,
    email: &str,
    upload: Option<&Upload>,
) -> Map<String, Value> {
    let mut errors = Map::new();
    let mut add = |field: &str, message: String| {
        errors.insert(field.to_owned(), json!([message]));
    };
    match upload {
        None => add("input_data", "This field is required.".to_owned()),
        Some(upload) => {
            let length = upload.name.chars().count();
            if length > 100 {
                add(
                    "input_data",
                    format!("Ensure this filename has at most 100 characters (it has {length})."),
                );
            } else if upload.bytes.is_empty() {
                add("input_data", "The submitted file is empty.".to_owned());
            }
        }
    }
    if let Some(message) = too_long_or_missing(submission_name, 64) {
        add("submission_name", message);
    }
    if let Some(message) = too_long_or_missing(email, 256) {
        add("email", message);
    } else if !looks_like_email(email.trim()) {
        add("email", "Enter a valid email address.".to_owned());
    }
    errors
}

fn too_long_or_missing(text: &str, limit: usize) -> Option<String> {
    let length = text.trim().chars().count();
    if length == 0 {
        return Some("This field is required.".to_owned());
    }
    (length > limit)
        .then(|| format!("Ensure this value has at most {limit} characters (it has {length})."))
}

/// One `@` between something and a host with a dot, or `localhost`; no blanks.
fn looks_like_email(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else {
        return false;
    };
    let labels_are_filled = host.split('.').all(|label| !label.is_empty());
    let user_is_plain = !user.is_empty() && !user.contains('@');
    user_is_plain
        && labels_are_filled
        && (host.contains('.') || host == "localhost")
        && !text.contains(char::is_whitespace)
}

/// What a validator says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// The proper refusal, a 400.
    Refused,
    /// The validator raised an exception with this text, which becomes a 507.
    Raised(String),
}

/// Runs the validator of a job over the content of a file.
pub(super) fn check_content(validator: Validator, bytes: &[u8]) -> Verdict {
    match validator {
        Validator::Nothing => Verdict::Fine,
        Validator::Png => match image_kind(bytes) {
            None => Verdict::Raised("argument of type 'NoneType' is not iterable".to_owned()),
            Some("png") => Verdict::Fine,
            Some(_) => Verdict::Refused,
        },
        Validator::Protein => match std::str::from_utf8(bytes) {
            Err(error) => {
                let position = error.valid_up_to();
                let byte = bytes.get(position).copied().unwrap_or_default();
                Verdict::Raised(format!(
                    "'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: invalid start byte"
                ))
            }
            Ok(text) if is_protein_fasta(text) => Verdict::Fine,
            Ok(_) => Verdict::Refused,
        },
    }
}

/// The kind of image, by its first bytes.
fn image_kind(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 6] = [
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"GIF8", "gif"),
        (b"II*\0", "tiff"),
        (b"MM\0*", "tiff"),
        (b"BM", "bmp"),
    ];
    kinds
        .into_iter()
        .find(|(start, _)| bytes.starts_with(start))
        .map(|(_, kind)| kind)
}

/// Protein sequences of 30 to 1500 residues, not nucleotides, all of one length.
fn is_protein_fasta(text: &str) -> bool {
    let mut sequences: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('>') {
            sequences.push(String::new());
        } else if let Some(sequence) = sequences.last_mut() {
            sequence.push_str(&line.to_ascii_uppercase());
        } else {
            sequences.push(line.to_ascii_uppercase());
        }
    }
    let Some(length) = sequences.first().map(String::len) else {
        return false;
    };
    let residues = "ABCDEFGHIKLMNPQRSTVWXYZ-*";
    sequences.iter().all(|sequence| {
        sequence.len() == length
            && (30..=1_500).contains(&sequence.len())
            && sequence.chars().all(|residue| residues.contains(residue))
            && !sequence.chars().all(|base| "ACGTUN-".contains(base))
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn reason(values: &[&str]) -> ValueRefusal {
        let extras: Vec<Extra<'_>> = values.iter().map(|value| Extra::Text(value)).collect();
        check_values(&extras).unwrap_err()
    }

    #[test]
    fn values_pass_or_are_refused_as_measured() {
        for fine in ["10", "1.5", "TRUE", "FALSE", "in", "Sort", "é", "GRCh38"] {
            assert_eq!(check_values(&[Extra::Text(fine)]), Ok(()), "{fine}");
        }
        for broken in ["-1", "1e-3", "my file", "a_b", "a/b", "a,b", "\"x\""] {
            assert_eq!(reason(&[broken]), ValueRefusal::Broke, "{broken}");
        }
        let text = |refusal| match refusal {
            ValueRefusal::Reason(text) => text,
            ValueRefusal::Broke => "broke".to_owned(),
        };
        assert_eq!(
            text(reason(&["None"])),
            "Incoming data can not contain python keywords: None"
        );
        assert_eq!(
            text(reason(&["mean"])),
            "Incoming data can not contain R keywords: mean"
        );
        assert_eq!(
            text(reason(&["true"])),
            "Incoming data can not contain unix commands: true"
        );
        assert_eq!(
            text(reason(&["10", "a-b"])),
            "Incoming data can not contain punctuation: zipinfo"
        );
        assert_eq!(check_values(&[Extra::File]), Err(ValueRefusal::Broke));
    }

    #[test]
    fn the_form_says_what_django_says() {
        let upload = |name: &str, bytes: &'static [u8]| Upload {
            name: name.to_owned(),
            bytes: Bytes::from_static(bytes),
        };
        let errors = check_form(&"n".repeat(65), "nobody", Some(&upload("a.csv", b"")));
        assert_eq!(
            Value::Object(errors),
            json!({
                "input_data": ["The submitted file is empty."],
                "submission_name": ["Ensure this value has at most 64 characters (it has 65)."],
                "email": ["Enter a valid email address."],
            })
        );
        let errors = check_form("demo", "", Some(&upload(&"x".repeat(124), b"1")));
        assert_eq!(
            Value::Object(errors),
            json!({
                "input_data": ["Ensure this filename has at most 100 characters (it has 124)."],
                "email": ["This field is required."],
            })
        );
        let fine = check_form(
            "Zellzählung µ",
            "someone@example.org",
            Some(&upload("a", b"1")),
        );
        assert!(fine.is_empty());
    }

    #[test]
    fn validators_refuse_or_break_down() {
        let png = b"\x89PNG\r\n\x1a\nrest";
        assert_eq!(check_content(Validator::Png, png), Verdict::Fine);
        assert_eq!(check_content(Validator::Png, b"GIF89a"), Verdict::Refused);
        assert_eq!(
            check_content(Validator::Png, b"a,b\n"),
            Verdict::Raised("argument of type 'NoneType' is not iterable".to_owned())
        );
        let protein = b">one\nMKVLAAGIVGLLLAQPSFAADRWEKTHYNC\n";
        assert_eq!(check_content(Validator::Protein, protein), Verdict::Fine);
        assert_eq!(
            check_content(Validator::Protein, b"a,b\n"),
            Verdict::Refused
        );
        assert!(matches!(
            check_content(Validator::Protein, b"\xff\xfe"),
            Verdict::Raised(_)
        ));
    }
}
