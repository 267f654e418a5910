//! Which plane is this request for? classify → authenticate → dispatch.
