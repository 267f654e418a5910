//! What is built once (`App`) and what is made for each request (`RequestContext`).
