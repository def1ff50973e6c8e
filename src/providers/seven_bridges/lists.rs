//! Lists, page by page, by counting. Links to next pages are never followed: the token must not leave the address of
//! the connection.

use serde::de::DeserializeOwned;

use crate::model::error::{Doing, Result};
use crate::net::api::Reply;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::wire::Listed;

/// Entries asked for at once: the greatest number allowed. The default is 25 in one page of the vendor and 50 in another.
pub(super) const PAGE_ENTRIES: usize = 100;
/// The same as text.
const LIMIT: &str = "100";
/// Pages of a list looked at, in case the list never ends.
const MOST_PAGES: usize = 1000;

/// One page.
pub(super) struct Part<T> {
    pub(super) items: Vec<T>,
    /// Where the next page starts, where there is one.
    pub(super) next: Option<usize>,
}

impl Client {
    /// One page of a list from an entry on.
    pub(super) async fn page<T: DeserializeOwned + Send>(
        &self,
        path: &[&str],
        fields: &[(&str, &str)],
        offset: usize,
        doing: Doing,
    ) -> Result<Part<T>> {
        let from = offset.to_string();
        let mut query = fields.to_vec();
        query.push(("limit", LIMIT));
        query.push(("offset", from.as_str()));
        let reply = self.api().get(path, &query, doing).await?;
        let total = total_of(&reply);
        let list: Listed<T> = reply.json()?;
        let count = list.items.len();
        let next = offset.saturating_add(count);
        let is_last = count == 0
            || match total {
                Some(total) => next >= total,
                None => count < PAGE_ENTRIES && !list.names_a_next(),
            };
        Ok(Part {
            items: list.items,
            next: (!is_last).then_some(next),
        })
    }

    /// Goes through a list until `visit` has seen enough and says false.
    pub(super) async fn each_page<T: DeserializeOwned + Send>(
        &self,
        path: &[&str],
        fields: &[(&str, &str)],
        doing: Doing,
        mut visit: impl FnMut(Vec<T>) -> bool + Send,
    ) -> Result<()> {
        let mut offset = 0;
        for _ in 0..MOST_PAGES {
            let part = self.page(path, fields, offset, doing).await?;
            if !visit(part.items) {
                return Ok(());
            }
            let Some(next) = part.next else {
                return Ok(());
            };
            offset = next;
        }
        Ok(())
    }

    /// The whole of a list.
    pub(super) async fn all<T: DeserializeOwned + Send>(
        &self,
        path: &[&str],
        fields: &[(&str, &str)],
        doing: Doing,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each_page(path, fields, doing, |items| {
            all.extend(items);
            true
        })
        .await?;
        Ok(all)
    }
}

/// How many entries there are in all; the vendor's own client counts on it, the documentation does not promise it.
fn total_of(reply: &Reply) -> Option<usize> {
    let text = reply.headers.get("x-total-matching-query")?.to_str().ok()?;
    text.trim().parse().ok()
}
