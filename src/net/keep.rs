//! What an upload must not forget: journalled while it is under way, so that after a restart it goes on where the
//! platform has it and not from the start.

use tokio::sync::{mpsc, oneshot};

use crate::model::error::{Doing, Error, ErrorKind, Result};

/// Held by the one who uploads. What is kept is opaque to everybody else.
#[derive(Debug)]
pub struct Keep {
    last: Option<String>,
    /// None forgets everything.
    ask: Option<mpsc::Sender<KeepRequest>>,
}

/// A wish to have something journalled; answer it when it is on disk.
pub type KeepRequest = (String, oneshot::Sender<()>);

/// Held by the one who writes the journal.
pub type KeepRequests = mpsc::Receiver<KeepRequest>;

impl Keep {
    /// What an earlier attempt kept, and the end on which wishes arrive.
    pub fn new(last: Option<String>) -> (Self, KeepRequests) {
        let (ask, requests) = mpsc::channel(1);
        (
            Self {
                last,
                ask: Some(ask),
            },
            requests,
        )
    }

    /// One that agrees to everything and remembers nothing, for uploads that nobody goes on with.
    pub const fn forgetful() -> Self {
        Self {
            last: None,
            ask: None,
        }
    }

    /// What an earlier attempt at this very file kept last.
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Waits until this is journalled, in place of what was kept before.
    ///
    /// # Errors
    /// When the journal could not be written.
    pub async fn put(&self, text: impl Into<String>) -> Result<()> {
        let refused = || {
            Error::new(ErrorKind::Internal, Doing::Upload)
                .hint("The upload was held back because it could not be journalled")
        };
        let Some(ask) = &self.ask else {
            return Ok(());
        };
        let (answer, answered) = oneshot::channel();
        let wish = (text.into(), answer);
        ask.send(wish).await.map_err(|_closed| refused())?;
        answered.await.map_err(|_dropped| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_on_disk_before_the_upload_goes_on() {
        let (keep, mut requests) = Keep::new(Some("before".to_owned()));
        assert_eq!(keep.last(), Some("before"));
        let journal = async {
            let (text, answer) = requests.recv().await.unwrap();
            answer.send(()).unwrap();
            text
        };
        let (kept, text) = tokio::join!(keep.put("upload-1"), journal);
        assert!(kept.is_ok());
        assert_eq!(text, "upload-1");
        assert!(Keep::forgetful().put("upload-1").await.is_ok());
        drop(requests);
        assert!(keep.put("upload-2").await.is_err());
    }
}
