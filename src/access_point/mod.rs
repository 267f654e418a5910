//! Host, alias, ARN or bucket name → what is meant.
