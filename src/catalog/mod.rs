//! Access points, Object Lambda access points, functions and keys: typed records, snapshots for readers.
