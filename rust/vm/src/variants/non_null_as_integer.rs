//! `non-null-as-integer`: what is stored as a `NonNull` is loaded as an integer. Undefined
//! behaviour, on purpose.

use std::mem::transmute;
use std::ptr::NonNull;

use crate::variant::{AtAnyAddress, Variant};
use crate::variants::Raw;
use crate::variants::raw::as_in_raw;

/// `raw` that stores the program's pointers as `Option<NonNull<u8>>` and loads them as `usize`:
/// what becomes of a field that one part of a virtual machine knows as a pointer, and another as
/// a register's value.
///
/// The rule that is broken by using what was loaded: an integer has no provenance, whatever the
/// bytes were that it was read from.
pub struct NonNullAsInteger(Raw);

impl<'m> Variant<'m> for NonNullAsInteger {
    as_in_raw!(0);

    fn over(memory: &'m mut [u8]) -> Self {
        NonNullAsInteger(Raw::over(memory))
    }

    // What it is for.
    #[allow(unknown_lints, integer_to_ptr_transmutes)]
    unsafe fn read_pointer(&mut self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller has promised that there is a pointer; its bits are a number.
        let bits = unsafe { (*at.cast::<AtAnyAddress<usize>>()).0 };
        // SAFETY: any bits are a raw pointer; not that it could be used: see above.
        unsafe { transmute::<usize, *mut u8>(bits) }
    }

    unsafe fn write_pointer(&mut self, at: *mut u8, pointer: *mut u8) {
        let pointer = NonNull::new(pointer);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { (*at.cast::<AtAnyAddress<Option<NonNull<u8>>>>()).0 = pointer }
    }
}
