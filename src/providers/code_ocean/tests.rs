//! The client against simulated servers, on loopback.
