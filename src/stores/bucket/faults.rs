//! Faults of buckets, and what errors of `object_store` mean.

use crate::stores::fault::{Access, Fault, excerpt};

/// There is no object of this name.
pub fn missing(name: &str) -> Fault {
    Fault::Missing {
        what: format!("`{name}`"),
    }
}

/// An object that is larger than whoever reads it expects.
pub fn too_large(name: &str, limit: u64) -> Fault {
    Fault::InvalidAnswer {
        what: format!("`{name}` has more than {limit} bytes"),
    }
}

/// The fault behind an error of `object_store`: our own, where it came from our client.
pub fn fault(error: object_store::Error, name: &str, access: Access) -> Fault {
    use object_store::Error as E;
    if let Some(own) = own(&error) {
        return own;
    }
    match error {
        E::NotFound { .. } => missing(name),
        E::AlreadyExists { .. } | E::Precondition { .. } | E::NotModified { .. } => {
            Fault::Conflict {
                name: name.to_owned(),
            }
        }
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => Fault::Denied {
            access,
            message: "the credentials have no right to it".to_owned(),
        },
        other => Fault::InvalidAnswer {
            what: excerpt(&innermost(&other)),
        },
    }
}

fn own(error: &object_store::Error) -> Option<Fault> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return Some(fault.clone());
        }
        next = error.source();
    }
    None
}

/// The innermost cause: the outer ones show addresses, which may hold a signature.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
