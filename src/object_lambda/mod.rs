//! Object Lambda: GET, HEAD and LIST through a function.
