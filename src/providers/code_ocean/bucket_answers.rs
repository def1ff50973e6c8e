//! What the person's bucket answers: refusals in words a person can act on, and the few members of its XML that are read
//! by hand. What it is asked is in `bucket`.

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::net::storage_errors::from_storage;
use crate::providers::code_ocean::bucket::{Answer, HavePart};

const DOING: Doing = Doing::Upload;

/// Long work is answered with success before its end; how it ended is in the body.
pub(super) fn refuse_late(answer: &Answer) -> Result<()> {
    if answer.text.contains("<Error>") {
        let body = answer.text.as_bytes();
        return Err(explain(from_storage(DOING, 500, &answer.headers, body)));
    }
    Ok(())
}

/// Says what a person can do about a refusal of the bucket; it must not be taken for one of the platform.
pub(super) fn explain(error: Error) -> Error {
    let said = error.failure().server_said.clone().unwrap_or_default();
    let code = said.split(':').next().unwrap_or_default();
    let (kind, hint) = match code {
        "SignatureDoesNotMatch" => (
            Some(ErrorKind::Unauthenticated),
            "The storage of the staging bucket does not accept the secret access key; check both keys of the bucket in the connection",
        ),
        "InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken" => (
            Some(ErrorKind::Unauthenticated),
            "The storage of the staging bucket does not know the access key id; check both keys of the bucket in the connection",
        ),
        "RequestTimeTooSkewed" => (
            Some(ErrorKind::Invalid),
            "The clock of this computer is wrong by many minutes, so the storage of the staging bucket refuses its requests; set the clock",
        ),
        "AccessDenied" if said.contains("expired") || said.contains("not yet valid") => (
            Some(ErrorKind::Invalid),
            "The storage of the staging bucket takes the request for an old one; the clock of this computer may be wrong",
        ),
        "AccessDenied" | "AllAccessDisabled" => (
            None,
            "The keys of the staging bucket may not do this; their user needs to list, read and write in it",
        ),
        "NoSuchBucket" => (
            None,
            "There is no staging bucket of this name; check its name, region and endpoint in the connection",
        ),
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "IllegalLocationConstraintException"
        | "AuthorizationQueryParametersError" => (
            Some(ErrorKind::Invalid),
            "The staging bucket is in another region than the connection says",
        ),
        _ => return error,
    };
    let failure = error.failure();
    let mut explained = Error::new(kind.unwrap_or(failure.kind), failure.doing)
        .server_said(&said)
        .request_id(failure.request_id.clone())
        .retry_after(failure.retry_after)
        .hint(hint);
    if let Some(status) = failure.status {
        explained = explained.status(status);
    }
    explained
}

/// Whether a refusal may mean that there is no such upload: some storages call it forbidden.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden)
}

pub(super) fn unreadable() -> Error {
    Error::new(ErrorKind::Garbled, DOING)
        .sent(Sent::Answered)
        .hint("The storage of the staging bucket answered something that is not S3; check the endpoint in the connection")
}

/// A part as a list has it; what is none is left out and sent again.
pub(super) fn have_part(text: &str) -> Option<HavePart> {
    Some(HavePart {
        number: element(text, "PartNumber")?.parse().ok()?,
        etag: etag_in(text)?,
        size_bytes: element(text, "Size")?.parse().ok()?,
    })
}

/// Its quotes are part of it, and are often written as XML's own.
pub(super) fn etag_in(text: &str) -> Option<String> {
    let etag = element(text, "ETag")?;
    Some(etag.replace("&quot;", "\"").replace("&#34;", "\""))
}

/// The text of the first element of this name.
pub(super) fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content.trim())
}
