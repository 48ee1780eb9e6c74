//! `with-addr`: addresses become pointers by what the base may access.

use crate::variants::addresses::{Addresses, Scheme};

/// Operands are addresses, and a pointer is the base moved to one: what strict provenance asks
/// of a virtual machine that computes with addresses.
pub type WithAddr = Addresses<Based>;

/// The base's provenance, at the address.
pub struct Based;

impl Scheme for Based {
    fn pointer(base: *mut u8, address: usize) -> *mut u8 {
        base.with_addr(address)
    }
}
