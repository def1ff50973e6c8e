//! Platforms that misbehave, through the whole engine: what goes on by itself, what waits for a person, what is said, and
//! that nothing is sent twice.

mod answers;
mod bench;
mod broken;
mod ends;
mod hosts;
mod lost;
mod matrix;
