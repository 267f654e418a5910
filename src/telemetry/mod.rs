//! Events as structs: one emit is the log line and the metric.
