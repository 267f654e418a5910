//! What AWS's runtime images bring beside the language, from the languages' own registries.
