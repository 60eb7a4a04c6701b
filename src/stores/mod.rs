//! Where bytes are kept, in two shapes: a cache service, which knows keys, and a bucket, which knows names.
