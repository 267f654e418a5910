//! Settings: what was typed (`RawConfig`) → what is meant (`Config`).
