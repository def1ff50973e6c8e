//! Where a result lies. The server prints a path whose base it does not tell.
//!
//! Owns trying the two possible bases and remembering which one worked. Fetches no file.

use std::sync::{Mutex, PoisonError};

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::time::timeout;

use crate::model::connection::clean_base_url;
use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::remote::Link;
use crate::model::safe_url::SafeUrl;
use crate::model::secret::Secret;
use crate::net::api::{Api, Auth, basic, encoded_pair};
use crate::net::client::{Connections, same_origin};
use crate::net::errors;
use crate::providers::analytics_automated::wire;

const DOING: Doing = Doing::PrepareResult;

/// What a relative path is put behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// The root of the interface (deployments such as UCL's).
    Root,
    /// Scheme, host and port alone (the server's development default).
    Origin,
}

/// What answers at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    /// A file.
    File,
    /// A web page in place of one.
    Page,
    /// Nothing, or a redirect to somewhere else.
    Nothing,
}

/// How results of one connection are found.
#[derive(Debug)]
pub(super) struct Files {
    /// What the person filled in, without a slash at its end.
    given: Option<String>,
    /// What worked before.
    worked: Mutex<Option<Base>>,
    /// Value of the `Authorization` header, for the origin of the interface alone.
    credentials: Option<Secret>,
}

impl Files {
    /// Prepares for one connection.
    pub(super) fn new(api: &Api, auth: &Auth, given: Option<&str>) -> Result<Self> {
        let invalid = |hint: &str| Error::new(ErrorKind::Invalid, Doing::Connect).hint(hint);
        let given = match given {
            Some(given) => Some(clean_base_url(given).map_err(|why| {
                invalid(&format!("The files base address cannot be used. {why}"))
            })?),
            None => None,
        };
        let credentials = match auth {
            Auth::Basic(user, password) => {
                let encoded = encoded_pair(user, password.reveal());
                let value = Secret::parse_password(&basic(&encoded));
                Some(value.map_err(|_empty| invalid("The password is empty"))?)
            }
            Auth::None | Auth::Header(..) | Auth::BasicToken(_) => None,
        };
        tracing::debug!(base = %SafeUrl::new(api.base().as_str()), given = given.is_some(), "results");
        Ok(Self {
            given: given.map(|given| given.trim_end_matches('/').to_owned()),
            worked: Mutex::default(),
            credentials,
        })
    }

    /// Where the file behind a `data_path` can be fetched.
    pub(super) async fn link(&self, api: &Api, path: &str) -> Result<Link> {
        if path.contains("://") {
            let absolute = Url::parse(path).ok();
            let absolute = absolute.filter(|url| matches!(url.scheme(), "http" | "https"));
            let url = absolute.ok_or_else(|| unusable(path))?;
            return Ok(self.ready(api, &url));
        }
        if let Some(given) = &self.given {
            return Ok(self.ready(api, &put_behind(given, path)?));
        }
        let worked = *self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = worked {
            return Ok(self.ready(api, &address(api, base, path)?));
        }
        let mut page_came = false;
        for base in [Base::Root, Base::Origin] {
            let url = address(api, base, path)?;
            match self.look(api, &url).await? {
                There::File => {
                    *self.worked.lock().unwrap_or_else(PoisonError::into_inner) = Some(base);
                    return Ok(self.ready(api, &url));
                }
                There::Page => page_came = true,
                There::Nothing => {}
            }
        }
        if page_came {
            // A front server's page for a bad moment looks the same as one for a path it does not know: worth another try.
            return Err(Error::new(ErrorKind::Garbled, DOING)
                .sent(Sent::Answered)
                .hint("The server answered with a web page where the file should be"));
        }
        Err(Error::new(ErrorKind::NotFound, DOING)
            .status(404)
            .hint("The server lists this file and does not have it at either of its addresses; operators delete results by hand, and some servers need a files base address in the connection"))
    }

    fn ready(&self, api: &Api, url: &Url) -> Link {
        let own = same_origin(url, api.base());
        let header = self.credentials.clone().filter(|_| own);
        Link::Ready {
            url: SafeUrl::new(url.as_str()),
            header: header.map(|value| ("authorization", value)),
        }
    }

    /// What answers there. Only the head of the answer is read.
    async fn look(&self, api: &Api, url: &Url) -> Result<There> {
        let client = api.http().client_for(url, Connections::Reused)?;
        let mut request = client.get(url.clone());
        if let Some(credentials) = &self.credentials {
            request = request.header(AUTHORIZATION, credentials.reveal());
        }
        let answer = timeout(api.http().patience().answer, request.send()).await;
        let response = answer
            .map_err(|_elapsed| errors::silence(DOING, Sent::Perhaps))?
            .map_err(|error| errors::from_transport(error, DOING))?;
        let status = response.status();
        if status.is_success() {
            let page = is_page_for_file(url, response.headers());
            return Ok(if page { There::Page } else { There::File });
        }
        // A redirect leads to a sign-in page, or to the same path with a slash: no file.
        if status.is_redirection() || status.as_u16() == 404 || status.as_u16() == 410 {
            return Ok(There::Nothing);
        }
        Err(errors::from_answer(
            DOING,
            status.as_u16(),
            response.headers(),
            &[],
            wire::complaint,
        ))
    }
}

/// Whether a web page, or a message for a program, came where the name promises something else.
fn is_page_for_file(url: &Url, headers: &HeaderMap) -> bool {
    let name = url.path().to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let promises_page = ends(&[".html", ".htm", ".xhtml"]);
    let message = errors::announces_json(headers) && !ends(&[".json"]);
    message || (errors::announces_html(headers) && !promises_page)
}

fn address(api: &Api, base: Base, path: &str) -> Result<Url> {
    match base {
        Base::Root => put_behind(api.base().as_str().trim_end_matches('/'), path),
        Base::Origin => put_behind(&api.base().origin().ascii_serialization(), path),
    }
}

/// Texts are joined, not resolved: the path is percent-encoded already and starts below the base.
fn put_behind(base: &str, path: &str) -> Result<Url> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    Url::parse(&format!("{base}{slash}{path}")).map_err(|error| unusable(path).caused_by(&error))
}

fn unusable(path: &str) -> Error {
    Error::new(ErrorKind::Garbled, DOING)
        .sent(Sent::Answered)
        .server_said(path)
        .hint("The address of a result cannot be used")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_their_base_and_are_encoded_once() {
        let put = |path| put_behind("https://h.example.org/psipred/api", path).unwrap();
        assert_eq!(
            put("/submissions/donn%C3%A9es.txt").as_str(),
            "https://h.example.org/psipred/api/submissions/donn%C3%A9es.txt"
        );
        for odd in ["@evil.example.org/x", "//evil.example.org/x", "/../x"] {
            assert_eq!(put(odd).host_str(), Some("h.example.org"), "{odd}");
        }
    }

    #[test]
    fn a_page_is_a_file_only_where_the_name_says_so() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/html; charset=utf-8".parse().unwrap());
        let url = |path: &str| Url::parse(&format!("https://h.example.org{path}")).unwrap();
        assert!(is_page_for_file(&url("/submissions/a.txt"), &headers));
        assert!(!is_page_for_file(&url("/submissions/a.HTML"), &headers));
    }
}
