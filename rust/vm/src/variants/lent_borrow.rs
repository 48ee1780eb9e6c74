//! `lent-borrow`: the host keeps its borrow while it enters the VM. Undefined behaviour where the
//! guest then touches the memory, on purpose.

use std::ptr::slice_from_raw_parts_mut;

use crate::variant::Variant;
use crate::variants::Raw;
use crate::variants::raw::as_in_raw;

/// `raw` whose host takes the memory as `&mut [u8]` before it enters the VM again, and reads from
/// it once it is back.
///
/// The borrow comes from the same base as everything else, and for a call that stays outside
/// that would do. But the guest inside uses the base again, which ends the borrow's claim: while
/// a `&mut` is in use, it is the only way to what it points to.
pub struct LentBorrow {
    raw: Raw,
}

impl<'m> Variant<'m> for LentBorrow {
    as_in_raw!(raw);

    fn over(memory: &'m mut [u8]) -> Self {
        LentBorrow { raw: Raw::over(memory) }
    }

    fn kept_by_host(&mut self, size: usize) -> Option<&'m mut [u8]> {
        // SAFETY: in bounds, but not sound: see above for the broken rule.
        Some(unsafe { &mut *slice_from_raw_parts_mut(self.raw.base, size) })
    }
}
