//! Sample files for the demo, made by code.
