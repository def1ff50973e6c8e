//! Analytics Automated, hosted by institutes.
