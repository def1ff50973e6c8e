//! Analytics Automated, hosted by institutes.

pub mod sim;
