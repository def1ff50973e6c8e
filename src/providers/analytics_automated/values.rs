//! What the server refuses in a parameter value, as data for the form.
//!
//! Owns the rule only; the placeholders that call for it are in `wire`. The server compares with
//! two long lists of its own (R names, installed programs), of which this is the part a person is
//! likely to type: what slips through is refused by the server with a text of its own.

use crate::model::form::TextRule;

/// Python's keywords; `in` is let through by the server (measured 2026-11-20).
const PYTHON: &str = "False None True and as assert async await break class continue def del elif \
    else except finally for from global if import is lambda nonlocal not or pass raise return try \
    while with yield";

/// Names of R's base package that are words, numbers' names or letters.
const R: &str = "F T abs all any append apply array assign attr body by c cat ceiling character \
    class close col colMeans colSums colnames complex cos cut data.frame date det diag diff dim dir \
    double drop dump duplicated environment eval exists exp expression factor file floor format \
    function gamma get grep gsub identity integer intersect is.na jitter labels lapply length \
    letters levels library list load local log log10 log2 logical ls match matrix max mean merge \
    message min mode months names ncol next norm nrow numeric open order outer paste pi pipe pmax \
    pmin pretty print prod q qr quarters quit quote range rank raw remove rep repeat replace rev rm \
    round row rowMeans rowSums rownames sample sapply save scale scan search seq sequence setdiff \
    sign signif sin single solve sort source split sqrt stop structure sub subset substr sum summary \
    svd sweep switch system t table tan tolower toupper trace transform trunc typeof union unique \
    units url vector warning which which.max which.min within write xor";

/// Programs that every server of this kind has.
const PROGRAMS: &str = "awk bash cal cat clear cmp convert cp curl cut date df diff dir du echo env \
    expand expr false file find fold free git grep gzip head host id info install join kill last less \
    link ln locale look ls mail make man mkdir more mv nice node paste patch perl ping printf ps pwd \
    python python3 rename rm sed sh size sleep sort split stat strings su sync tail tar tee test time \
    top touch tr true users vi wc who yes zip";

/// The rule for every `[VALUE]`.
pub(super) fn rule() -> TextRule {
    let forbidden_chars = ('!'..='~')
        .filter(|character| character.is_ascii_punctuation() && *character != '.')
        .collect();
    let mut forbidden_words: Vec<String> = [PYTHON, R, PROGRAMS]
        .into_iter()
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect();
    forbidden_words.sort_unstable();
    forbidden_words.dedup();
    TextRule {
        max_chars: None,
        forbidden_chars,
        forbids_blanks: true,
        forbidden_words,
        ..TextRule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_the_server_refuses() {
        let rule = rule();
        for character in "-_/,:+'\"".chars() {
            assert!(rule.forbidden_chars.contains(character), "{character}");
        }
        assert!(!rule.forbidden_chars.contains('.'));
        assert!(!rule.forbidden_chars.contains('a'));
        for word in ["None", "True", "mean", "c", "true", "false", "list"] {
            assert!(
                rule.forbidden_words.iter().any(|known| known == word),
                "{word}"
            );
        }
        for word in ["in", "Sort", "TRUE", "FALSE"] {
            assert!(
                !rule.forbidden_words.iter().any(|known| known == word),
                "{word}"
            );
        }
    }
}
