//! `shared-base`: the base is made of a shared reference. Undefined behaviour as soon as something
//! is written, on purpose.

use std::ptr::NonNull;

use crate::variant::Variant;
use crate::variants::Raw;
use crate::variants::raw::as_in_raw;

/// `raw` with a base out of a `&[u8]`: what a virtual machine does that hands out a pointer to
/// memory of its own from a method with `&self`.
///
/// The rule that every write breaks is that nothing is written through what was made of a shared
/// reference, unless it lies in an `UnsafeCell`.
pub struct SharedBase(Raw);

impl<'m> Variant<'m> for SharedBase {
    as_in_raw!(0);

    fn over(memory: &'m mut [u8]) -> Self {
        let shared: &'m [u8] = memory;
        SharedBase(Raw { base: NonNull::from(shared).cast().as_ptr() })
    }
}
