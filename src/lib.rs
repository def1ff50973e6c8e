//! Labferry carries a scientist's files to analysis platforms and brings the results home.
//!
//! # The one way through
//!
//! ```text
//! files ──▶ batch ──▶ submit ──▶ jobs ──▶ artifacts ──▶ table
//! LocalFile  Batch    Submission  Job      Artifact      TablePage
//! ```
//!
//! The window reads in this order, the modules of [`model`] stand in it, and the tests walk it. One file, from drop to table:
//!
//! 1. The window (or the command line) sends [`engine::command::Command::AddFiles`]; a worker looks at the path and the file
//!    stands in the draft of the next snapshot.
//! 2. `SubmitBatch` makes the draft ready: looks at the file again, fills the settings in, makes the batch's folder. Batch and
//!    jobs are journalled in one step.
//! 3. [`engine::plan`] sees that the job's file is not at the platform and starts its upload; what the upload needs to go on
//!    after a restart, and in the end its handle there, are journalled. Where files reach a platform through a bucket, they are
//!    gathered into one input there next.
//! 4. The submission stops at its [point of no return](net::commit_point) until the journal says *Submitting*. Only then can
//!    the platform make a job. An answer is journalled before anything else; a lost answer is looked up or put to the person,
//!    never repeated.
//! 5. One poll a connection asks about all its jobs. A finished job lists its results; each is fetched to `….part`, checked,
//!    synced, renamed, and unpacked when it is an archive.
//! 6. The receipt is written, the job is done, and the preview desk opens the table at its first rows.
//!
//! # Who may import whom
//!
//! ```text
//! model ◀ net ◀ providers ◀ engine ◀ ui
//!   ▲──── store, results ────┘        sandbox ▶ providers::*::sim     cli ▶ engine, sandbox     main ▶ cli, ui
//! ```
//!
//! A test reads the sources and guards this. There are three traits, each because a real and a fake must be exchangeable:
//! [`providers::Provider`], [`store::vault::Vault`] and [`ui::desktop::Desktop`].
//!
//! # One writer
//!
//! The engine's dispatcher owns all state. What happens is an [`engine::event::Event`]; [`engine::decide::decide`], which
//! knows no clock, no disk, no network and no chance of its own, turns it into changes and work. The changes are committed to
//! the journal, and only then the work starts. Starting the program is the same as recovering from a crash: the journal is
//! read, and what is due follows from it.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// All memory that is given back is wiped. Keys have a type that wipes itself; this reaches the copies that no type of ours
/// can: in the buffers of the network, of the keyring's bus, and of the field they are typed into.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

pub mod cli;
pub mod engine;
pub mod model;
pub mod net;
pub mod providers;
pub mod results;
pub mod sandbox;
pub mod store;
pub mod ui;
