//! May this principal do this? Fails closed.
