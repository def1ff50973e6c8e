//! The workers' part: one gets on, asks what has to be asked in the middle of its work, and ends.

use labferry::engine::event::{Event, Work};
use labferry::model::error::{Doing, Error, ErrorKind, Sent};

use super::life::{Life, Phase};

impl Life {
    /// One worker gets on.
    pub(super) fn advance(&mut self) {
        if self.under_way.is_empty() {
            self.pass_time();
            return;
        }
        let place = self.chance.place(self.under_way.len());
        if let Phase::Ended(_) = self.under_way[place].phase {
            self.deliver(place);
        } else {
            self.get_on(place);
        }
        self.revive();
    }

    fn get_on(&mut self, place: usize) {
        if self.chance.rarely(80) {
            let one = &self.under_way[place];
            let broke = Event::Broke(one.key.clone(), "index out of bounds".to_owned());
            if matches!(one.phase, Phase::LetGo) && self.chance.below(2) == 1 {
                self.act(place);
            }
            self.under_way[place].phase = Phase::Ended(broke);
            self.deliver(place);
            return;
        }
        let work = &self.under_way[place].work;
        let begun = matches!(self.under_way[place].phase, Phase::Begun);
        if begun && matches!(work, Work::Submit { .. }) {
            self.ask_commit(place);
            return;
        }
        if begun && matches!(work, Work::Stage { .. }) && !self.keep(place) {
            return;
        }
        let event = self.act(place);
        self.under_way[place].phase = Phase::Ended(event);
        // Some answers come late.
        if self.chance.below(3) != 2 {
            self.deliver(place);
        }
    }

    /// A submission stands before its point of no return.
    fn ask_commit(&mut self, place: usize) {
        let one = &self.under_way[place];
        let Work::Submit {
            connection,
            job,
            submission,
        } = one.work.clone()
        else {
            return;
        };
        let (key, with, stopped) = (one.key.clone(), one.with.clone(), one.stopped);
        // A stopped upload ends; a client that sends little does not even notice.
        let notices = stopped && !submission.uploads.is_empty();
        let fails = match self.reach(connection, &with, Doing::Submit) {
            Ok(()) if notices => Some(Error::new(ErrorKind::LocalFile, Doing::Submit)),
            Ok(()) => None,
            Err(error) => Some(error.sent(Sent::No)),
        };
        if let Some(error) = fails {
            self.under_way[place].phase = Phase::Ended(Event::Submitted(job, Err(error)));
            self.deliver(place);
            return;
        }
        let drafts = self.platform(connection).facts.id.as_str() == "seven-bridges";
        let draft = drafts.then(|| self.draft(connection, job, &submission));
        self.under_way[place].draft.clone_from(&draft);
        self.asking = Some(job);
        self.happen(Event::CommitAsked(job, draft));
        let refused = self.asking.take().is_some();
        if self.has_crashed {
            return;
        }
        let Some(place) = self.under_way.iter().position(|one| one.key == key) else {
            return;
        };
        if refused {
            let error = Error::new(ErrorKind::Internal, Doing::Submit);
            self.under_way[place].phase = Phase::Ended(Event::Submitted(job, Err(error)));
            self.deliver(place);
        }
    }

    /// An upload may want something remembered, and must have been told what an earlier one wanted; whether it goes on.
    fn keep(&mut self, place: usize) -> bool {
        let Work::Stage {
            connection,
            file,
            kept,
            ..
        } = self.under_way[place].work.clone()
        else {
            return true;
        };
        let last = self.kept.get(&(connection, file));
        assert!(
            last.is_none() || kept.as_ref() == last,
            "what an upload wanted remembered was forgotten"
        );
        if self.chance.below(3) != 1 {
            return true;
        }
        let text = self.fresh("part ");
        self.happen(Event::KeepAsked(connection, file, text.clone()));
        if self.has_crashed {
            return false;
        }
        // From here on it is what this upload was told.
        for one in &mut self.under_way {
            if let Work::Stage {
                connection: over,
                file: uploaded,
                kept,
                ..
            } = &mut one.work
                && (*over, *uploaded) == (connection, file)
            {
                assert!(
                    matches!(one.phase, Phase::LetGo),
                    "an upload waits for ever to remember something"
                );
                *kept = Some(text.clone());
                one.phase = Phase::Begun;
            }
        }
        true
    }
}
