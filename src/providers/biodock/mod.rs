//! Biodock, the microscopy image analysis service.
