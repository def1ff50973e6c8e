//! The numbered steps from an older journal to the present one. A step that was released is never edited.

use rusqlite::{Connection, TransactionBehavior};

/// The steps; the first makes version 1 out of an empty file.
const STEPS: &[&str] = &[include_str!("schema.sql"), include_str!("schema_2.sql")];

/// The version this program writes and the newest it can read.
pub(crate) fn known() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// The version of an open journal; 0 before the first step.
pub(crate) fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0))
}

/// Takes a journal to the present version, each step whole or not at all.
pub(crate) fn run(connection: &mut Connection) -> rusqlite::Result<()> {
    let present = version_of(connection)?;
    for (number, step) in (1_u32..).zip(STEPS) {
        if number <= present {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
