//! `cached-base`: the base is never made anew. Undefined behaviour once the memory has moved, on
//! purpose.

use crate::variant::Variant;
use crate::variants::Raw;
use crate::variants::raw::as_in_raw;

/// `raw` that keeps its base when the memory grows: what a virtual machine does that holds the
/// base in a variable of its run loop, and forgets that a call may move the memory.
///
/// The old memory is given back, and the rule that everything after breaks is that memory must
/// not be used once it has been.
pub struct CachedBase(Raw);

impl<'m> Variant<'m> for CachedBase {
    as_in_raw!(0);

    fn over(memory: &'m mut [u8]) -> Self {
        CachedBase(Raw::over(memory))
    }

    fn grown(&mut self, _: &'m mut [u8]) {}
}
