//! Listener, TLS, limits, request log, drain.
