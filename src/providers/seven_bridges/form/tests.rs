//! Forms of every kind of input.
