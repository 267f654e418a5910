//! The admin API: JSON under `/_refract/`, served by axum.
