//! What the simulated platforms share: clock, addresses, keys, signed links and a folder.
//!
//! Owns nothing a platform says. Times are the world's own: they run faster by the sandbox's speed
//! and can be moved forward by tests, so no test waits for a link to expire.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sandbox::bucket::Bucket;
use crate::sandbox::faults::Faults;
use crate::sandbox::misbehave;
use crate::sandbox::request_log::RequestLog;
use crate::sandbox::storage;

/// The query field a signed link carries.
pub const SIGNATURE_FIELD: &str = "X-Amz-Signature";

/// How long a link that is over is still called expired and not wrong.
const LINK_MEMORY: Duration = Duration::from_hours(1);

/// What a world is made from.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) api: SocketAddr,
    pub(crate) storage: SocketAddr,
    pub(crate) bucket: SocketAddr,
    pub(crate) speed: f64,
    pub(crate) faults: Faults,
}

/// The state shared by all simulators of one sandbox.
#[derive(Debug)]
pub struct World {
    api: SocketAddr,
    storage: SocketAddr,
    speed: f64,
    started: Instant,
    started_at: jiff::Timestamp,
    advanced: Mutex<Duration>,
    faults: Faults,
    requests: RequestLog,
    keys: Mutex<BTreeMap<&'static str, String>>,
    links: Mutex<BTreeMap<String, SignedLink>>,
    bucket: Arc<Bucket>,
    shared: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct SignedLink {
    path: String,
    expires: Duration,
}

/// What a signature is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// It was made for this path and is still good.
    Valid,
    /// It was made for this path and its time is over.
    Expired,
    /// It is missing, made up, or made for another path.
    Wrong,
}

impl World {
    pub(crate) fn new(setup: Setup) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("labferry-sandbox-")
            .tempdir()?;
        let secret = random_hex(40);
        let bucket = Bucket::new(setup.bucket, &folder.path().join("bucket"), &secret)?;
        Ok(Self {
            api: setup.api,
            storage: setup.storage,
            speed: setup.speed,
            started: Instant::now(),
            started_at: jiff::Timestamp::now(),
            advanced: Mutex::default(),
            faults: setup.faults,
            requests: RequestLog::default(),
            keys: Mutex::new(BTreeMap::from([("bucket", secret)])),
            bucket: Arc::new(bucket),
            links: Mutex::default(),
            shared: Mutex::default(),
            folder,
        })
    }

    /// Time since the start by the world's clock.
    pub fn now(&self) -> Duration {
        self.started.elapsed().mul_f64(self.speed) + *lock(&self.advanced)
    }

    /// Moves the world's clock forward at once.
    pub fn advance(&self, by: Duration) {
        *lock(&self.advanced) += by;
    }

    /// The date and time by the world's clock.
    pub fn timestamp(&self) -> jiff::Timestamp {
        self.timestamp_at(self.now())
    }

    /// The date and time at a moment of the world's clock.
    pub fn timestamp_at(&self, moment: Duration) -> jiff::Timestamp {
        let elapsed = jiff::SignedDuration::try_from(moment).unwrap_or_default();
        self.started_at
            .checked_add(elapsed)
            .unwrap_or(self.started_at)
    }

    /// How long a clock on the wall needs for this much of the world's time.
    pub fn on_the_wall(&self, time: Duration) -> Duration {
        time.div_f64(self.speed)
    }

    /// What both routers of one simulator share, made when it is first asked for. It must not hold the world, or
    /// neither would ever be dropped.
    pub(crate) fn shared<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut all = lock(&self.shared);
        let known = all.get(&TypeId::of::<T>()).cloned();
        if let Some(known) = known.and_then(|known| known.downcast().ok()) {
            return known;
        }
        let fresh = Arc::new(make());
        all.insert(TypeId::of::<T>(), Arc::<T>::clone(&fresh));
        fresh
    }

    /// Where the platforms listen.
    pub fn api_address(&self) -> SocketAddr {
        self.api
    }

    /// Where the storage listens.
    pub fn storage_address(&self) -> SocketAddr {
        self.storage
    }

    /// `http://127.0.0.1:PORT` of the platforms, without a slash at its end.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// `http://127.0.0.1:PORT` of the storage, without a slash at its end.
    pub fn storage_url(&self) -> String {
        format!("http://{}", self.storage)
    }

    /// The person's own bucket, which both they and a platform can reach.
    pub fn bucket(&self) -> &Arc<Bucket> {
        &self.bucket
    }

    /// The faults and settings, which may be changed while the sandbox runs.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What arrived so far.
    pub fn requests(&self) -> &RequestLog {
        &self.requests
    }

    /// The key a platform accepts, made at random the first time it is asked for.
    pub fn key(&self, platform: &'static str) -> String {
        lock(&self.keys)
            .entry(platform)
            .or_insert_with(|| random_hex(40))
            .clone()
    }

    /// Whether any of the sandbox's keys is part of `text`, also as the user of Basic authentication.
    pub(crate) fn contains_key(&self, text: &str) -> bool {
        let encoded = text.strip_prefix("Basic ");
        let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded.trim()).ok());
        let decoded = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let holds = |text: &str| lock(&self.keys).values().any(|key| text.contains(key));
        holds(text) || decoded.is_some_and(|decoded| holds(&decoded))
    }

    /// The folder for uploaded and produced files; removed with the world.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A link to a path at the storage (starting with a slash) that is good for `lifetime` of the
    /// world's time.
    pub fn sign(&self, path: &str, lifetime: Duration) -> String {
        let now = self.now();
        let token = random_hex(64);
        let link = SignedLink {
            path: path.to_owned(),
            expires: now + lifetime,
        };
        let mut links = lock(&self.links);
        // Links over for long are forgotten, as every poll of a finished job makes new ones; looked for only when there are
        // twice as many, or making a link would cost more with each.
        if links.len().is_power_of_two() {
            links.retain(|_, link| link.expires + LINK_MEMORY > now);
        }
        links.insert(token.clone(), link);
        drop(links);
        let seconds = lifetime.as_secs();
        let base = self.links_base();
        format!(
            "{base}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires={seconds}&{SIGNATURE_FIELD}={token}"
        )
    }

    fn links_base(&self) -> String {
        match self.faults.value(storage::LINKS.name).as_str() {
            "refused" => "http://127.0.0.1:1".to_owned(),
            "unresolvable" => "https://storage.invalid".to_owned(),
            "tls" => format!("https://{}", self.storage),
            _ => self.storage_url(),
        }
    }

    /// Whether a signature opens this path now.
    pub fn verify(&self, path: &str, signature: &str) -> Signature {
        match lock(&self.links).get(signature) {
            Some(link) if link.path == path && self.now() < link.expires => Signature::Valid,
            Some(link) if link.path == path => Signature::Expired,
            Some(_) | None => Signature::Wrong,
        }
    }

    /// Names a route, so that faults and the request log know it: every simulator wraps each of its
    /// handlers in this.
    pub fn endpoint(self: &Arc<Self>, name: &'static str, handler: MethodRouter) -> MethodRouter {
        let state = (Arc::clone(self), name);
        handler.layer(from_fn_with_state(state, misbehave::apply))
    }
}

/// Random lower-case hexadecimal digits.
pub fn random_hex(digits: usize) -> String {
    std::iter::repeat_with(|| fastrand::digit(16).to_ascii_lowercase())
        .take(digits)
        .collect()
}

/// Locks also after another thread has panicked: the data here is never half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn world(speed: f64) -> World {
        World::new(Setup {
            api: (Ipv4Addr::LOCALHOST, 1).into(),
            storage: (Ipv4Addr::LOCALHOST, 2).into(),
            bucket: (Ipv4Addr::LOCALHOST, 3).into(),
            speed,
            faults: Faults::default(),
        })
        .unwrap()
    }

    #[test]
    fn links_open_one_path_for_their_lifetime() {
        let world = world(1.0);
        let url = world.sign("/bucket/a.csv", Duration::from_mins(1));
        assert!(url.starts_with("http://127.0.0.1:2/bucket/a.csv?"));
        let (_, signature) = url.split_once("X-Amz-Signature=").unwrap();
        assert_eq!(world.verify("/bucket/a.csv", signature), Signature::Valid);
        assert_eq!(world.verify("/bucket/b.csv", signature), Signature::Wrong);
        assert_eq!(world.verify("/bucket/a.csv", "made-up"), Signature::Wrong);
        world.advance(Duration::from_secs(61));
        assert_eq!(world.verify("/bucket/a.csv", signature), Signature::Expired);
    }

    #[test]
    fn keys_are_random_and_stay() {
        let world = world(1.0);
        assert_eq!(world.key("biodock"), world.key("biodock"));
        assert_ne!(world.key("biodock"), world.key("seven_bridges"));
        assert!(world.contains_key(&format!("Bearer {}", world.key("biodock"))));
        assert!(!world.contains_key("Bearer nothing"));
        let basic = STANDARD.encode(format!("cop_{}:", world.key("biodock")));
        assert!(world.contains_key(&format!("Basic {basic}")));
        assert!(!world.contains_key("Basic bm90aGluZzo="));
    }

    #[test]
    fn the_clock_runs_faster_by_the_speed() {
        let world = world(1000.0);
        // In this order, so that whatever comes between the two only adds to what is measured.
        let first = world.now();
        let real = Instant::now();
        while real.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        assert!(world.now() >= first + Duration::from_secs(5));
    }
}
