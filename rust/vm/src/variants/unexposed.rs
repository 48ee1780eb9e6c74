//! `unexposed`: addresses become pointers as if they had been exposed. Undefined behaviour, on
//! purpose.

use std::ptr::with_exposed_provenance_mut;

use crate::variants::addresses::{Addresses, Scheme};

/// As `exposed`, but nobody exposes the base.
///
/// The rule that every access breaks: `with_exposed_provenance` gives a pointer that may access
/// what has been exposed, and nothing else.
pub type Unexposed = Addresses<Never>;

/// Whatever is exposed at the address, which is nothing.
pub struct Never;

impl Scheme for Never {
    fn pointer(_: *mut u8, address: usize) -> *mut u8 {
        with_exposed_provenance_mut(address)
    }

    const AS_ADDRESS: Option<fn(*mut u8) -> usize> = Some(|pointer| pointer.addr());
}
