//! The sandbox: the platforms simulated on this computer, behind three loopback listeners: the platforms' interfaces,
//! their storage, and the person's own bucket.
//!
//! Owns starting and stopping them, the world they share (clock, keys, links, request log) and the
//! faults that make them misbehave. What each platform answers is in `providers/*/sim`; nothing
//! here knows the client, its wire types or its errors, so that a misreading of a vendor's page
//! cannot hide in code both sides share.

pub mod bucket;
pub mod faults;
pub mod listener;
pub mod misbehave;
pub mod request_log;
pub mod samples;
pub mod simulator;
pub mod storage;
pub mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use serde::Serialize;
use serde::ser::SerializeMap as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::providers;
use crate::sandbox::faults::{FaultError, Faults, Vocabulary};
use crate::sandbox::listener::{Connection, KillableListener};
use crate::sandbox::request_log::Side;
use crate::sandbox::simulator::{DemoEntry, Simulator};
use crate::sandbox::world::{Setup, World};

/// What a sandbox is started with.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// The port of the platforms' interfaces; any free one when `None`.
    pub port: Option<u16>,
    /// The port of the storage that signed links point at; any free one when `None`.
    pub storage_port: Option<u16>,
    /// How much faster than the demo pace the world's clock runs; 1.0 is the pace of the demo, in
    /// which a job takes about five seconds.
    pub speed: f64,
    /// Faults (`NAME[@endpoint][*COUNT]`) and settings (`name=value`), see [`Faults::add`].
    pub faults: Vec<String>,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            port: None,
            storage_port: None,
            speed: 1.0,
            faults: Vec::new(),
        }
    }
}

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A port is taken or not allowed.
    #[error("the sandbox cannot listen on 127.0.0.1 port {port}")]
    Listen {
        /// The port asked for; 0 means any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The temporary folder for uploaded files could not be made.
    #[error("the sandbox cannot make its temporary folder")]
    Folder(#[source] std::io::Error),
    /// The speed is not a positive number.
    #[error("the speed of the sandbox must be a positive number, not {0}")]
    Speed(f64),
    /// A fault or setting was not understood.
    #[error(transparent)]
    Fault(#[from] FaultError),
}

/// How to connect to the simulated platforms, by the word of each; serialized in the shape `labferry sandbox` prints.
#[derive(Debug, Clone)]
pub struct Addresses(Vec<Connectable>);

/// A simulated platform that can be connected to.
#[derive(Debug, Clone)]
pub struct Connectable {
    /// Its word.
    pub platform: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What to fill in.
    pub entries: Vec<DemoEntry>,
}

impl Addresses {
    /// The platforms that can be connected to, in the order shown.
    pub fn all(&self) -> &[Connectable] {
        &self.0
    }

    /// One entry of the connection form of a platform; empty for one that is not there.
    pub fn entry(&self, platform: &str, field: &str) -> String {
        self.0
            .iter()
            .filter(|place| place.platform == platform)
            .flat_map(|place| &place.entries)
            .find(|entry| entry.field == field)
            .map(|entry| entry.value.clone())
            .unwrap_or_default()
    }
}

impl Serialize for Addresses {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut platforms = serializer.serialize_map(Some(self.0.len()))?;
        for place in &self.0 {
            platforms
                .serialize_entry(&place.platform.replace('-', "_"), &Printed(&place.entries))?;
        }
        platforms.end()
    }
}

struct Printed<'a>(&'a [DemoEntry]);

impl Serialize for Printed<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let printed = self
            .0
            .iter()
            .filter_map(|entry| Some((entry.printed?, &entry.value)));
        serializer.collect_map(printed)
    }
}

/// A running sandbox. It stops, and every open connection with it, when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    world: Arc<World>,
    stop: CancellationToken,
    // Held so that dropping the sandbox also ends the servers.
    servers: JoinSet<()>,
}

impl Sandbox {
    /// Starts all listeners on the current tokio runtime.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        if !options.speed.is_finite() || options.speed <= 0.0 {
            return Err(SandboxError::Speed(options.speed));
        }
        let faults = Faults::new(vocabulary());
        for text in &options.faults {
            faults.add(text)?;
        }
        let stop = CancellationToken::new();
        let api = bind(options.port, &stop).await?;
        let storage = bind(options.storage_port, &stop).await?;
        let bucket = bind(None, &stop).await?;
        let world = World::new(Setup {
            api: api.address(),
            storage: storage.address(),
            bucket: bucket.address(),
            speed: options.speed,
            faults,
        })
        .map_err(SandboxError::Folder)?;
        let world = Arc::new(world);
        let mut servers = JoinSet::new();
        servers.spawn(serve(api, api_router(&world), stop.clone()));
        servers.spawn(serve(storage, storage_router(&world), stop.clone()));
        let bucket_router = bucket_router(&world).map_err(SandboxError::Folder)?;
        servers.spawn(serve(bucket, bucket_router, stop.clone()));
        Ok(Self {
            world,
            stop,
            servers,
        })
    }

    /// Where the platforms are and which keys they accept.
    pub fn addresses(&self) -> Addresses {
        let all = providers::ALL
            .iter()
            .map(|entry| Connectable {
                platform: entry.facts.id.as_str(),
                name: entry.facts.name,
                entries: (entry.simulator.entries)(&self.world),
            })
            .filter(|place| !place.entries.is_empty())
            .collect();
        Addresses(all)
    }

    /// The world behind the listeners: clock, faults, settings and the request log.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Waits until the servers end, which they do only when something ends them.
    pub async fn wait(mut self) {
        while self.servers.join_next().await.is_some() {}
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn simulators() -> impl Iterator<Item = &'static Simulator> {
    providers::ALL.iter().map(|entry| entry.simulator)
}

/// Every endpoint name and setting there is, so that a misspelled fault is an error.
fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    vocabulary.extend(&[storage::ENDPOINT], &[storage::LINKS]);
    for simulator in simulators() {
        vocabulary.extend(simulator.endpoints, simulator.settings);
    }
    vocabulary
}

fn api_router(world: &Arc<World>) -> Router {
    simulators()
        .fold(Router::new(), |router, simulator| {
            router.merge((simulator.api_router)(Arc::clone(world)))
        })
        .fallback(async || (StatusCode::NOT_FOUND, "Not Found"))
        .layer(from_fn_with_state(
            (Arc::clone(world), Side::Api),
            request_log::record,
        ))
}

fn storage_router(world: &Arc<World>) -> Router {
    simulators()
        .fold(Router::new(), |router, simulator| {
            router.merge((simulator.storage_router)(Arc::clone(world)))
        })
        .fallback(async || storage::no_such_key())
        .layer(from_fn_with_state(
            Arc::clone(world),
            storage::refuse_credentials,
        ))
        .layer(from_fn_with_state(
            (Arc::clone(world), Side::Storage),
            request_log::record,
        ))
}

fn bucket_router(world: &Arc<World>) -> std::io::Result<Router> {
    let endpoint = simulators().find_map(|simulator| simulator.bucket);
    let router = bucket::router(world, endpoint.unwrap_or(bucket::ENDPOINT))?;
    Ok(router.layer(from_fn_with_state(
        (Arc::clone(world), Side::Bucket),
        request_log::record,
    )))
}

async fn bind(
    port: Option<u16>,
    stop: &CancellationToken,
) -> Result<KillableListener, SandboxError> {
    let port = port.unwrap_or(0);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    KillableListener::bind(address, stop.clone())
        .await
        .map_err(|source| SandboxError::Listen { port, source })
}

async fn serve(listener: KillableListener, router: Router, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<Connection>();
    let server = axum::serve(listener, service);
    tokio::select! {
        () = stop.cancelled() => {}
        ended = server => {
            if let Err(error) = ended {
                tracing::error!(%error, "a sandbox server ended");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_addresses_are_one_json_object() {
        let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
        let line = serde_json::to_string(&sandbox.addresses()).unwrap();
        assert!(!line.contains('\n'), "{line}");
        let printed: serde_json::Value = serde_json::from_str(&line).unwrap();
        let api = sandbox.world().api_url();
        assert!(!sandbox.addresses().all().is_empty());
        for place in sandbox.addresses().all() {
            let platform = &printed[place.platform.replace('-', "_")];
            let url = platform["url"].as_str().unwrap();
            assert!(url.starts_with(&api), "{platform}");
            for entry in &place.entries {
                let shown = entry.printed.map(|name| &platform[name]);
                assert!(shown.is_none_or(|shown| shown == &entry.value), "{entry:?}");
            }
        }
        assert_ne!(api, sandbox.world().storage_url());
    }

    #[tokio::test]
    async fn a_misspelled_fault_and_a_bad_speed_are_refused() {
        let start = |faults: &[&str], speed| {
            Sandbox::start(SandboxOptions {
                faults: faults.iter().map(ToString::to_string).collect(),
                speed,
                ..SandboxOptions::default()
            })
        };
        assert!(matches!(
            start(&["server-eror"], 1.0).await,
            Err(SandboxError::Fault(_))
        ));
        assert!(matches!(start(&[], 0.0).await, Err(SandboxError::Speed(_))));
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = Sandbox::start(SandboxOptions::default()).await.unwrap();
        let port = first.world().api_address().port();
        let second = Sandbox::start(SandboxOptions {
            port: Some(port),
            ..SandboxOptions::default()
        })
        .await;
        assert!(matches!(second, Err(SandboxError::Listen { port: p, .. }) if p == port));
    }
}
