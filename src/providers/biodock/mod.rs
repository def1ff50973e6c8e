//! Biodock, the microscopy image analysis service.

pub mod sim;
