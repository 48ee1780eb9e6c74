//! `transmuted`: addresses become pointers by their bits alone. Undefined behaviour, on purpose.

use std::mem::transmute;

use crate::variants::addresses::{Addresses, Scheme};

/// As `with-addr`, but a pointer is a transmuted address.
///
/// The rule that every access breaks: an integer that is transmuted to a pointer has no
/// provenance, and such a pointer may access nothing.
pub type Transmuted = Addresses<Bits>;

/// No provenance.
pub struct Bits;

impl Scheme for Bits {
    // What it is for.
    #[allow(unknown_lints, integer_to_ptr_transmutes)]
    fn pointer(_: *mut u8, address: usize) -> *mut u8 {
        // SAFETY: any bits are a raw pointer; not that it could be used.
        unsafe { transmute::<usize, *mut u8>(address) }
    }

    // What it is for.
    #[allow(clippy::transmutes_expressible_as_ptr_casts)]
    const AS_ADDRESS: Option<fn(*mut u8) -> usize> = Some(|pointer| {
        // SAFETY: a pointer's bits are a number.
        unsafe { transmute::<*mut u8, usize>(pointer) }
    });
}
