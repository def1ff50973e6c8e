//! Masks, which Biodock makes only when asked: looked for first, asked for once, then waited for.

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::remote::Link;
use crate::net::api::Reply;
use crate::net::retry::Idempotent;
use crate::providers::biodock::client::{Client, POLLS_FOR_FILES, ready};
use crate::providers::biodock::wire::{MasksAnswer, State, Word};

/// How often masks that were asked for, perhaps in vain, are looked for before they are asked for again.
const POLLS_FOR_MASKS: u32 = 10;

/// How often they are asked for, before Biodock is taken at its word that there are none.
const MOST_ASKS: u32 = 3;

impl Client {
    async fn masks_state(&self, id: &str) -> Result<Option<State>> {
        let path = ["analysis-jobs", id, "download-masks"];
        let asked: Result<MasksAnswer> =
            self.api().get_json(&path, &[], Doing::PrepareResult).await;
        match asked {
            Ok(answer) => Ok(Some(answer.into_state()).filter(|state| !state.is_blank())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn masks_link(&self, id: &str) -> Result<Link> {
        let Some(state) = self.masks_state(id).await? else {
            return self.ask_for_masks(id).await;
        };
        self.memory().asked_masks.remove(id);
        let failed = |hint: &str| {
            let error = Error::new(ErrorKind::NotFound, Doing::PrepareResult)
                .sent(Sent::Answered)
                .hint(hint);
            match state.said() {
                Some(said) => error.server_said(said),
                None => error,
            }
        };
        match (state.word(), state.masks_url()) {
            (Word::Failed | Word::Cancelled, _) => {
                Err(failed("Biodock could not make the masks of this job"))
            }
            (Word::Succeeded | Word::Missing, Some(url)) => {
                self.memory().without_masks.remove(id);
                Ok(ready(url))
            }
            (Word::Succeeded, None) => {
                let mut memory = self.memory();
                let polls = memory.without_masks.entry(id.to_owned()).or_default();
                *polls += 1;
                if *polls > POLLS_FOR_FILES {
                    return Err(failed("Biodock finished the masks but offers no file"));
                }
                Ok(Link::Preparing {
                    percent: Some(100.0),
                })
            }
            (Word::Queued | Word::Running | Word::Unknown | Word::Missing, _) => {
                Ok(Link::Preparing {
                    percent: state.percent(),
                })
            }
        }
    }

    /// Asks once. What a repeated request does is not documented, so a request whose fate is unknown is given time to show.
    async fn ask_for_masks(&self, id: &str) -> Result<Link> {
        if let Some(answer) = self.looked_in_vain(id) {
            return answer;
        }
        let path = ["analysis-jobs", id, "download-masks"];
        let asked = self
            .api()
            .post(&path, Idempotent::No, Doing::PrepareResult)
            .await
            .and_then(|reply: Reply| reply.json::<MasksAnswer>());
        let note = || {
            let mut memory = self.memory();
            let asked = memory.asked_masks.entry(id.to_owned()).or_default();
            asked.looked = 0;
            asked.times += 1;
        };
        match asked {
            Ok(answer) => {
                note();
                Ok(Link::Preparing {
                    percent: answer.into_state().percent(),
                })
            }
            Err(error) => {
                if !error.submit_made_no_job() {
                    note();
                }
                Err(error)
            }
        }
    }

    /// What to say without asking again: masks that were asked for a moment ago may show yet, and those that were asked
    /// for several times will not.
    fn looked_in_vain(&self, id: &str) -> Option<Result<Link>> {
        let mut memory = self.memory();
        let asked = memory.asked_masks.get_mut(id)?;
        if asked.looked < POLLS_FOR_MASKS {
            asked.looked += 1;
            return Some(Ok(Link::Preparing { percent: None }));
        }
        if asked.times < MOST_ASKS {
            return None;
        }
        memory.asked_masks.remove(id);
        let error = Error::new(ErrorKind::NotFound, Doing::PrepareResult)
            .sent(Sent::Answered)
            .hint("Biodock was asked for the masks several times and does not show them");
        Some(Err(error))
    }
}

/// Masks that were asked for and are not to be seen yet.
#[derive(Debug, Default)]
pub(super) struct AskedMasks {
    /// How often they were looked for since they were last asked for.
    looked: u32,
    /// How often they were asked for.
    times: u32,
}
