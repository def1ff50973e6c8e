//! The point of no return of a submission: journalled before the platform could act on it.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::remote::RemoteJob;

/// Held by the one who submits. Before the request, or the last block of its body, leaves, [`CommitPoint::pass`] waits
/// until the intent is in the journal. A crash before that is certain to have made no job.
#[derive(Debug)]
pub struct CommitPoint {
    ask: mpsc::Sender<CommitRequest>,
    passed: AtomicBool,
}

/// The question whether the intent is journalled, with the draft at the platform that will be started, where there is
/// one; answer it when both are on disk.
pub type CommitRequest = (Option<RemoteJob>, oneshot::Sender<()>);

/// Held by the one who writes the journal.
pub type CommitRequests = mpsc::Receiver<CommitRequest>;

impl CommitPoint {
    /// A point, and the end on which its one question arrives; answer it when the intent is on disk.
    pub fn new() -> (Self, CommitRequests) {
        let (ask, requests) = mpsc::channel(1);
        let point = Self {
            ask,
            passed: AtomicBool::new(false),
        };
        (point, requests)
    }

    /// Waits until the intent is journalled. Passing again returns at once.
    ///
    /// # Errors
    /// When the journal could not be written: then nothing may be sent.
    pub async fn pass(&self) -> Result<()> {
        self.pass_with(None).await
    }

    /// The same, with the draft that was made at the platform and will be started next: it is journalled with the intent.
    ///
    /// # Errors
    /// When the journal could not be written: then nothing may be sent.
    pub async fn pass_with(&self, draft: Option<RemoteJob>) -> Result<()> {
        if self.has_passed() {
            return Ok(());
        }
        let refused = || {
            Error::new(ErrorKind::Internal, Doing::Submit)
                .hint("The submission was held back because it could not be journalled")
        };
        let (answer, answered) = oneshot::channel();
        self.ask
            .send((draft, answer))
            .await
            .map_err(|_closed| refused())?;
        answered.await.map_err(|_dropped| refused())?;
        self.passed.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Whether the point lies behind.
    pub fn has_passed(&self) -> bool {
        self.passed.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passes_only_when_answered() {
        let (point, mut requests) = CommitPoint::new();
        let journal = async {
            let (_draft, answer) = requests.recv().await.unwrap();
            answer.send(()).unwrap();
        };
        let (passed, ()) = tokio::join!(point.pass(), journal);
        assert!(passed.is_ok() && point.has_passed());
        drop(requests);
        assert!(point.pass().await.is_ok(), "a second pass needs no answer");
    }

    #[tokio::test]
    async fn a_dropped_question_is_a_refusal() {
        let (point, mut requests) = CommitPoint::new();
        let journal = async { drop(requests.recv().await) };
        let (passed, ()) = tokio::join!(point.pass(), journal);
        assert!(passed.is_err() && !point.has_passed());
    }
}
