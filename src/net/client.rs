//! The one HTTP client of the program: trust, proxy and patience. What is asked of whom is decided in `api` and `download`.

use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy, Url};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::provider::Limits;
use crate::model::settings::ProxyChoice;
use crate::net::errors;
use crate::net::retry::RetryPolicy;
use crate::net::speed::Speed;

/// Long enough for the questions of one poll after the other, short enough for a key that was taken away.
pub const KEPT_IDLE: Duration = Duration::from_secs(30);

/// How to reach the network.
#[derive(Clone, Debug, Default)]
pub struct NetOptions {
    /// Proxy for all requests; loopback never goes through one.
    pub proxy: ProxyChoice,
    /// A certificate authority (PEM) to trust besides the system's.
    pub extra_authority_pem: Option<Vec<u8>>,
    /// How long silence is borne.
    pub patience: Patience,
    /// How requests that may be repeated are repeated.
    pub retry: RetryPolicy,
    /// How many times faster than a real platform the other end lives, so that our own politeness, so many requests a
    /// second, is in its time; nothing is a real one. Only a sandbox is faster.
    pub haste: Option<NonZeroU32>,
    /// How long a connection that nobody uses is kept open; [`KEPT_IDLE`] where nothing is said. What was sent over it, keys
    /// among it, stays in its buffers until it is closed.
    pub kept_idle: Option<Duration>,
    /// When a large file is fetched in several ranges at once.
    pub ranges: RangePlan,
    /// How fast files may travel; shared by every client made from these options or from a copy of them.
    pub speed: Speed,
}

/// When a large file is fetched in several ranges at once: storages give a connection only so much, and a file may have
/// several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangePlan {
    /// Files at least so long.
    pub from_bytes: u64,
    /// How long a range is.
    pub piece_bytes: u64,
    /// Ranges of one file at the same time; one is front to back.
    pub most: usize,
}

impl Default for RangePlan {
    fn default() -> Self {
        Self {
            from_bytes: 64 * 1024 * 1024,
            piece_bytes: 16 * 1024 * 1024,
            most: 4,
        }
    }
}

/// How long silence is borne. None of these limits a transfer that moves: it may take hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// From a sent request to the head of its answer.
    pub answer: Duration,
    /// Between two blocks of a body, in either direction.
    pub idle: Duration,
    /// From the last block of an uploaded file to the head of the answer; servers store and check the file meanwhile.
    pub after_upload: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            answer: Duration::from_mins(1),
            idle: Duration::from_mins(1),
            after_upload: Duration::from_mins(5),
        }
    }
}

impl Patience {
    /// For tests on loopback: every silence ends within a second.
    pub const fn tiny() -> Self {
        Self {
            connect: Duration::from_millis(500),
            answer: Duration::from_millis(500),
            idle: Duration::from_millis(500),
            after_upload: Duration::from_millis(500),
        }
    }
}

/// Whether a request may travel on a connection that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Kept open between requests.
    Reused,
    /// Opened for this request. A kept connection may have been closed by the server a moment ago; whether a request
    /// that meets this was acted upon cannot be known, so what must not be repeated gets its own connection.
    Fresh,
}

/// The client; cloning shares its connections. It never follows a redirect by itself and keeps no cookies.
#[derive(Clone, Debug)]
pub struct Http {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: NetOptions,
    authorities: Vec<Certificate>,
    /// Made when first needed: each reads the system's certificates anew, which takes a while.
    outside: Pair,
    loopback: Pair,
}

#[derive(Debug, Default)]
struct Pair {
    reused: RwLock<Option<reqwest::Client>>,
    fresh: RwLock<Option<reqwest::Client>>,
}

impl Http {
    /// Builds the client.
    ///
    /// # Errors
    /// A proxy address or certificate that cannot be used.
    pub fn new(options: &NetOptions) -> Result<Self> {
        let inner = Inner {
            authorities: authorities(options.extra_authority_pem.as_deref())?,
            options: options.clone(),
            outside: Pair::default(),
            loopback: Pair::default(),
        };
        // The one that is needed most, and the proof that the options work.
        let client = inner.build(&options.proxy, Connections::Reused)?;
        put(&inner.outside.reused, Some(client));
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The client to use for an address; loopback never goes through a proxy.
    pub fn client_for(&self, url: &Url, connections: Connections) -> Result<reqwest::Client> {
        let inner = &*self.inner;
        let (pair, proxy) = if is_loopback(url) {
            (&inner.loopback, &ProxyChoice::None)
        } else {
            (&inner.outside, &inner.options.proxy)
        };
        let place = match connections {
            Connections::Reused => &pair.reused,
            Connections::Fresh => &pair.fresh,
        };
        let known = place.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(client) = known {
            return Ok(client);
        }
        let client = inner.build(proxy, connections)?;
        put(place, Some(client.clone()));
        Ok(client)
    }

    /// Lets go of the connections that are kept open: after a sleep or in another network they may be dead without
    /// anybody having said so. Requests under way keep theirs.
    pub fn forget_connections(&self) {
        put(&self.inner.outside.reused, None);
        put(&self.inner.loopback.reused, None);
    }

    /// How long silence is borne.
    pub fn patience(&self) -> Patience {
        self.inner.options.patience
    }

    /// These limits, in the time of the other end.
    pub fn limits(&self, limits: &Limits) -> Limits {
        Limits {
            requests_per_second: limits.requests_per_second.saturating_mul(self.haste()),
            ..*limits
        }
    }

    /// A wait that is ours to choose, in the time of the other end.
    pub fn in_its_time(&self, wait: Duration) -> Duration {
        wait / self.haste()
    }

    fn haste(&self) -> u32 {
        self.inner.options.haste.map_or(1, NonZeroU32::get)
    }

    /// When a large file is fetched in several ranges at once.
    pub fn ranges(&self) -> RangePlan {
        self.inner.options.ranges
    }

    /// How fast files may travel.
    pub fn speed(&self) -> &Speed {
        &self.inner.options.speed
    }

    /// How requests that may be repeated are repeated.
    pub fn retry(&self) -> RetryPolicy {
        self.inner.options.retry
    }
}

fn put(place: &RwLock<Option<reqwest::Client>>, client: Option<reqwest::Client>) {
    *place.write().unwrap_or_else(PoisonError::into_inner) = client;
}

impl Inner {
    fn build(&self, proxy: &ProxyChoice, connections: Connections) -> Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.options.patience.connect)
            .pool_idle_timeout(self.options.kept_idle.unwrap_or(KEPT_IDLE))
            .user_agent(concat!("Labferry/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(self.authorities.iter().cloned());
        let builder = match connections {
            Connections::Reused => builder,
            Connections::Fresh => builder.pool_max_idle_per_host(0),
        };
        with_proxy(builder, proxy)?
            .build()
            .map_err(|error| errors::from_transport(error, Doing::Connect))
    }
}

fn authorities(pem: Option<&[u8]>) -> Result<Vec<Certificate>> {
    let Some(pem) = pem else {
        return Ok(Vec::new());
    };
    let refused = |error: Option<reqwest::Error>| {
        let refusal = Error::new(ErrorKind::Invalid, Doing::Connect)
            .hint("The extra certificate authority is not a PEM file with certificates");
        match error {
            Some(error) => refusal.caused_by(&error.without_url()),
            None => refusal,
        }
    };
    let certificates = Certificate::from_pem_bundle(pem).map_err(|error| refused(Some(error)))?;
    if certificates.is_empty() {
        return Err(refused(None));
    }
    Ok(certificates)
}

fn with_proxy(builder: ClientBuilder, choice: &ProxyChoice) -> Result<ClientBuilder> {
    match choice {
        ProxyChoice::System => Ok(builder),
        ProxyChoice::None => Ok(builder.no_proxy()),
        ProxyChoice::Manual(address) => {
            let proxy = Proxy::all(address.trim()).map_err(|error| {
                Error::new(ErrorKind::Invalid, Doing::Connect)
                    .hint("The address of the proxy is not a web address")
                    .caused_by(&error.without_url())
            })?;
            Ok(builder.proxy(proxy.no_proxy(NoProxy::from_env())))
        }
    }
}

/// Whether an address is on this computer.
pub fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

/// Whether two addresses have the same scheme, host and port.
pub fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}
