//! The one integration test binary: a file per step or concern.
