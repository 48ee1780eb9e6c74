//! Bytes that are moved together, and the memory as the host is lent it: by one pointer where a
//! variant gives one, else byte by byte, as the guest touches them.

use std::ptr;

use crate::host;
use crate::marks::{AT_OP, AT_RES, Marks};
use crate::variant::Variant;

/// [`Variant::copy`], under the same conditions.
pub(crate) unsafe fn copy<'m, V: Variant<'m>>(
    view: &mut V,
    from: usize,
    to: usize,
    size: usize,
    overlapping: bool,
    marks: &mut impl Marks,
) {
    marks.operand(AT_OP);
    // SAFETY: in bounds, as the caller has promised.
    let Some(source) = (unsafe { view.pointer(from) }) else {
        // SAFETY: the caller's promise is the one that is asked for.
        return unsafe { copy_bytes(view, from, to, size, overlapping, marks) };
    };
    marks.operand(AT_RES);
    // SAFETY: as above.
    let target = unsafe { view.pointer(to) }.expect("what gives one pointer gives all");
    // SAFETY: both ranges are in bounds, and `overlapping` where they overlap; sound if the
    // variant is.
    unsafe { between(source, target, size, overlapping) }
}

/// Copies between pointers.
///
/// # Safety
///
/// As for `ptr::copy` where `overlapping`, else as for `ptr::copy_nonoverlapping`.
pub(crate) unsafe fn between(source: *const u8, target: *mut u8, size: usize, overlapping: bool) {
    if overlapping {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { ptr::copy(source, target, size) }
    } else {
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(source, target, size) }
    }
}

unsafe fn copy_bytes<'m, V: Variant<'m>>(
    view: &mut V,
    from: usize,
    to: usize,
    size: usize,
    overlapping: bool,
    marks: &mut impl Marks,
) {
    let backwards = overlapping && from < to;
    let mut done = 0;
    while done < size {
        let at = if backwards { size - 1 - done } else { done };
        // SAFETY: in bounds, as the caller has promised.
        let byte = unsafe { read(view, from + at, marks) };
        // SAFETY: in bounds, too.
        unsafe { write(view, to + at, byte, marks) };
        done += 1;
    }
}

/// [`Variant::fill`], under the same conditions.
pub(crate) unsafe fn fill<'m, V: Variant<'m>>(
    view: &mut V,
    to: usize,
    size: usize,
    byte: u8,
    marks: &mut impl Marks,
) {
    marks.operand(AT_RES);
    // SAFETY: in bounds, as the caller has promised.
    if let Some(target) = unsafe { view.pointer(to) } {
        // SAFETY: all of the range is in bounds; sound if the variant is.
        return unsafe { target.write_bytes(byte, size) };
    }
    let mut done = 0;
    while done < size {
        // SAFETY: in bounds, as the caller has promised.
        unsafe { write(view, to + done, byte, marks) };
        done += 1;
    }
}

/// [`Variant::host_read`], under the same conditions.
pub(crate) unsafe fn host_read<'m, V: Variant<'m>>(
    view: &mut V,
    addr: usize,
    size: usize,
    marks: &mut impl Marks,
) -> u8 {
    marks.operand(AT_OP);
    // SAFETY: there is a byte at least, that at `addr`.
    if let Some(base) = unsafe { view.pointer(0) } {
        let memory = ptr::slice_from_raw_parts(base, size);
        // SAFETY: all of the memory, which nothing else uses while the host does; sound if the
        // variant is.
        return host::read(unsafe { &*memory }, addr);
    }
    // SAFETY: the caller's promise is the one that is asked for.
    unsafe { read(view, addr, marks) }
}

/// [`Variant::host_write`], under the same conditions.
pub(crate) unsafe fn host_write<'m, V: Variant<'m>>(
    view: &mut V,
    addr: usize,
    size: usize,
    byte: u8,
    marks: &mut impl Marks,
) {
    marks.operand(AT_RES);
    // SAFETY: as in `host_read`.
    if let Some(base) = unsafe { view.pointer(0) } {
        let memory = ptr::slice_from_raw_parts_mut(base, size);
        // SAFETY: as in `host_read`.
        return host::write(unsafe { &mut *memory }, addr, byte);
    }
    // SAFETY: the caller's promise is the one that is asked for.
    unsafe { write(view, addr, byte, marks) }
}

/// Reads a byte as the guest reads one.
///
/// # Safety
///
/// The address lies in the memory.
pub(crate) unsafe fn read<'m, V: Variant<'m>>(
    view: &mut V,
    addr: usize,
    marks: &mut impl Marks,
) -> u8 {
    // SAFETY: the caller's promise is the one that is asked for.
    let operand = unsafe { view.operand(AT_OP, addr, marks) };
    // SAFETY: it has just been made.
    unsafe { view.load(operand) }
}

/// Writes a byte as the guest writes one.
///
/// # Safety
///
/// As for [`read`].
pub(crate) unsafe fn write<'m, V: Variant<'m>>(
    view: &mut V,
    addr: usize,
    byte: u8,
    marks: &mut impl Marks,
) {
    // SAFETY: the caller's promise is the one that is asked for.
    let operand = unsafe { view.operand(AT_RES, addr, marks) };
    // SAFETY: it has just been made.
    unsafe { view.store(operand, byte) }
}
