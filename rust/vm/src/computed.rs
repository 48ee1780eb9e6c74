//! Instructions whose addresses are values in the memory, known only in running.
//!
//! Their operands in the program differ in width: an address and a size are a `u64`. What lies at
//! a computed address is an operand too, with a name of its own (`at_op`, `at_res`).

use crate::compile::fault;
use crate::marks::Marks;
use crate::outcome::TrapKind;
use crate::program::{Opcode, Value};
use crate::variant::Variant;
use crate::wire::{
    ALLOCATE, CALL, COPY, COPY_NONOVERLAPPING, FILL, FREE, GROW, HOST_ENTER, HOST_READ, HOST_STEPS,
    HOST_WRITE, IS_NULL, MOVE_POINTER, OFFSET, POINT, READ, READ_POINTER, RETURN, STORE, WRITE,
    WRITE_POINTER, width,
};

/// What is wrong, and with which operand.
pub type Fault = (TrapKind, &'static str);

/// An opcode with its operands made.
pub struct Computed<'m, V: Variant<'m>> {
    /// Its byte on the wire.
    pub code: u8,
    /// Where the host enters, if that is what it is.
    pub target: usize,
    /// The registers of one on pointers; of a call, the frame's size before its register.
    pub numbers: [usize; 2],
    operands: [OfWidth<'m, V>; 3],
}

/// An operand of the width that the opcode and its place say.
union OfWidth<'m, V: Variant<'m>> {
    none: (),
    one: V::Operand<u8>,
    two: V::Operand<u16>,
    four: V::Operand<u32>,
    eight: V::Operand<u64>,
}

// Not derived: the variant itself need not be `Copy`.
impl<'m, V: Variant<'m>> Clone for Computed<'m, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'m, V: Variant<'m>> Copy for Computed<'m, V> {}

impl<'m, V: Variant<'m>> Clone for OfWidth<'m, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'m, V: Variant<'m>> Copy for OfWidth<'m, V> {}

/// The operands that stand in the program: their names and widths, in order.
fn operands(code: u8) -> &'static [(&'static str, usize)] {
    match code {
        RETURN | FREE | MOVE_POINTER | READ_POINTER | WRITE_POINTER => &[],
        ALLOCATE => &[("addr_size", 8)],
        OFFSET | POINT | CALL => &[("addr_op", 8)],
        IS_NULL => &[("addr_res", 1)],
        READ..WRITE => match width(code) {
            1 => &[("addr_res", 1)],
            2 => &[("addr_res", 2)],
            4 => &[("addr_res", 4)],
            _ => &[("addr_res", 8)],
        },
        WRITE.. => match width(code) {
            1 => &[("addr_op", 1)],
            2 => &[("addr_op", 2)],
            4 => &[("addr_op", 4)],
            _ => &[("addr_op", 8)],
        },
        HOST_STEPS => &[("addr_res", 8)],
        HOST_READ | HOST_ENTER => &[("addr_op", 8), ("addr_res", 1)],
        HOST_WRITE => &[("addr_op", 1), ("addr_res", 8)],
        GROW => &[("addr_op", 8), ("addr_res", 8)],
        FILL => &[("addr_op", 1), ("addr_size", 8), ("addr_res", 8)],
        COPY.. => &[("addr_op", 8), ("addr_size", 8), ("addr_res", 8)],
        STORE.. => match width(code) {
            1 => &[("addr_op", 1), ("addr_res", 8)],
            2 => &[("addr_op", 2), ("addr_res", 8)],
            4 => &[("addr_op", 4), ("addr_res", 8)],
            _ => &[("addr_op", 8), ("addr_res", 8)],
        },
        _ => match width(code) {
            1 => &[("addr_op", 8), ("addr_res", 1)],
            2 => &[("addr_op", 8), ("addr_res", 2)],
            4 => &[("addr_op", 8), ("addr_res", 4)],
            _ => &[("addr_op", 8), ("addr_res", 8)],
        },
    }
}

/// What is wrong with the first operand in the program for which something is.
pub fn fault_in_compiling(opcode: Opcode, size: u64) -> Option<Fault> {
    let operands = operands(opcode.code);
    let mut at = 0;
    while at < operands.len() {
        let (name, width) = operands[at];
        if let Some(kind) = fault(opcode.addresses[at], width as u64, size) {
            return Some((kind, name));
        }
        at += 1;
    }
    None
}

impl<'m, V: Variant<'m>> Computed<'m, V> {
    /// The opcode with its operands made, in their order.
    ///
    /// # Safety
    ///
    /// [`fault_in_compiling`] finds nothing, and the memory's base is aligned.
    pub unsafe fn compile(view: &mut V, opcode: Opcode, marks: &mut impl Marks) -> Self {
        let operands = operands(opcode.code);
        let mut made = [OfWidth { none: () }; 3];
        let mut at = 0;
        while at < operands.len() {
            // SAFETY: the caller's promise is the one that is asked for.
            made[at] = unsafe { OfWidth::make(view, operands[at], opcode.addresses[at], marks) };
            at += 1;
        }
        // No truncation: registers are few, and frames small.
        let numbers = [opcode.addresses[1] as usize, opcode.addresses[2] as usize];
        Computed { code: opcode.code, target: opcode.value as usize, numbers, operands: made }
    }

    /// Executes the opcode over a memory of `size` bytes.
    ///
    /// # Safety
    ///
    /// `view` made the operands.
    pub unsafe fn step(self, view: &mut V, size: u64, marks: &mut impl Marks) -> Result<(), Fault> {
        if self.code >= HOST_READ {
            // SAFETY: the caller's promise is the one that is asked for.
            return unsafe { self.host(view, size, marks) };
        }
        if self.code >= COPY {
            // SAFETY: the caller's promise is the one that is asked for.
            return unsafe { self.block(view, size, marks) };
        }
        macro_rules! access {
            ($value:ty) => {{
                // SAFETY: as above; the operands have the width.
                unsafe { self.access::<$value>(view, size, marks) }
            }};
        }
        match width(self.code) {
            1 => access!(u8),
            2 => access!(u16),
            4 => access!(u32),
            _ => access!(u64),
        }
    }

    /// Reads the `u64` at the first operand.
    ///
    /// # Safety
    ///
    /// It is one, and `view` made it.
    pub unsafe fn number(self, view: &mut V, name: &'static str, marks: &mut impl Marks) -> u64 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.operands[0].number(view, name, marks) }
    }

    /// Reads the first operand.
    ///
    /// # Safety
    ///
    /// It is a `T`, and `view` made it.
    pub unsafe fn take<T: Value>(self, view: &mut V, marks: &mut impl Marks) -> T {
        marks.operand("addr_op");
        // SAFETY: the caller's promise is the one that is asked for.
        let operand = unsafe { self.operands[0].of::<T>() };
        // SAFETY: as above.
        unsafe { view.load(operand) }
    }

    /// Writes the first operand.
    ///
    /// # Safety
    ///
    /// As for `take`.
    pub unsafe fn put<T: Value>(self, view: &mut V, value: T, marks: &mut impl Marks) {
        marks.operand("addr_res");
        // SAFETY: the caller's promise is the one that is asked for.
        let operand = unsafe { self.operands[0].of::<T>() };
        // SAFETY: as above.
        unsafe { view.store(operand, value) }
    }

    /// The operand that the result goes to.
    ///
    /// # Safety
    ///
    /// It is the last, and a `T`.
    pub unsafe fn last<T: Value>(self) -> V::Operand<T> {
        let last = operands(self.code).len() - 1;
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.operands[last].of::<T>() }
    }

    /// A byte that the host reads or writes.
    unsafe fn host(self, view: &mut V, size: u64, marks: &mut impl Marks) -> Result<(), Fault> {
        let [first, second, _] = self.operands;
        if self.code == HOST_READ {
            // SAFETY: its first operand has eight bytes.
            let from = unsafe { first.number(view, "addr_op", marks) };
            if let Some(kind) = fault(from, 1, size) {
                return Err((kind, "at_op"));
            }
            // SAFETY: it has just been checked; it is less than the length of a slice.
            let byte = unsafe { view.host_read(from as usize, size as usize, marks) };
            marks.operand("addr_res");
            // SAFETY: its second operand is a byte.
            let result = unsafe { second.one };
            // SAFETY: `view` made it.
            unsafe { view.store(result, byte) };
            return Ok(());
        }
        marks.operand("addr_op");
        // SAFETY: its first operand is a byte.
        let source = unsafe { first.one };
        // SAFETY: `view` made it.
        let byte = unsafe { view.load(source) };
        // SAFETY: its second operand has eight bytes.
        let to = unsafe { second.number(view, "addr_res", marks) };
        if let Some(kind) = fault(to, 1, size) {
            return Err((kind, "at_res"));
        }
        // SAFETY: as for the read.
        unsafe { view.host_write(to as usize, size as usize, byte, marks) };
        Ok(())
    }

    /// A load or a store of a `T`.
    unsafe fn access<T: Value>(
        self,
        view: &mut V,
        size: u64,
        marks: &mut impl Marks,
    ) -> Result<(), Fault> {
        let [first, second, _] = self.operands;
        if self.code < STORE {
            // SAFETY: a load's first operand has eight bytes.
            let from = unsafe { first.number(view, "addr_op", marks) };
            if let Some(kind) = fault(from, T::SIZE as u64, size) {
                return Err((kind, "at_op"));
            }
            // SAFETY: it has just been checked; it is less than the length of a slice.
            let source = unsafe { view.operand::<T>("at_op", from as usize, marks) };
            // SAFETY: it has just been made.
            let value = unsafe { view.load(source) };
            marks.operand("addr_res");
            // SAFETY: a load's second operand is a `T`.
            let result = unsafe { second.of::<T>() };
            // SAFETY: `view` made it.
            unsafe { view.store(result, value) };
            return Ok(());
        }
        marks.operand("addr_op");
        // SAFETY: a store's first operand is a `T`.
        let source = unsafe { first.of::<T>() };
        // SAFETY: `view` made it.
        let value = unsafe { view.load(source) };
        // SAFETY: its second operand has eight bytes.
        let to = unsafe { second.number(view, "addr_res", marks) };
        if let Some(kind) = fault(to, T::SIZE as u64, size) {
            return Err((kind, "at_res"));
        }
        // SAFETY: as for the load.
        let target = unsafe { view.operand::<T>("at_res", to as usize, marks) };
        // SAFETY: it has just been made.
        unsafe { view.store(target, value) };
        Ok(())
    }

    /// A copy or a fill.
    unsafe fn block(self, view: &mut V, size: u64, marks: &mut impl Marks) -> Result<(), Fault> {
        let [first, second, third] = self.operands;
        let mut byte = 0;
        let mut from = 0;
        if self.code == FILL {
            marks.operand("addr_op");
            // SAFETY: a fill's first operand is a byte.
            let source = unsafe { first.one };
            // SAFETY: `view` made it.
            byte = unsafe { view.load(source) };
        } else {
            // SAFETY: a copy's first operand has eight bytes.
            from = unsafe { first.number(view, "addr_op", marks) };
        }
        // SAFETY: so have the others of both.
        let length = unsafe { second.number(view, "addr_size", marks) };
        // SAFETY: as above.
        let to = unsafe { third.number(view, "addr_res", marks) };
        if length == 0 {
            return Ok(());
        }
        if self.code != FILL && (length > size || from > size - length) {
            return Err((TrapKind::OutOfBounds, "at_op"));
        }
        if length > size || to > size - length {
            return Err((TrapKind::OutOfBounds, "at_res"));
        }
        // No truncation: each is at most the length of a slice.
        let (at, length) = (to as usize, length as usize);
        if self.code == FILL {
            // SAFETY: the bytes are within the memory.
            unsafe { view.fill(at, length, byte, marks) };
            return Ok(());
        }
        if self.code == COPY_NONOVERLAPPING && from.abs_diff(to) < length as u64 {
            return Err((TrapKind::Overlap, "at_res"));
        }
        // SAFETY: as above.
        unsafe { view.copy(from as usize, at, length, self.code == COPY, marks) };
        Ok(())
    }
}

impl<'m, V: Variant<'m>> OfWidth<'m, V> {
    unsafe fn make(
        view: &mut V,
        (name, width): (&'static str, usize),
        addr: u64,
        marks: &mut impl Marks,
    ) -> Self {
        // No truncation: it is at most the length of a slice.
        let addr = addr as usize;
        macro_rules! make {
            ($field:ident) => {{
                // SAFETY: the address has been checked at the width.
                OfWidth { $field: unsafe { view.operand(name, addr, marks) } }
            }};
        }
        match width {
            1 => make!(one),
            2 => make!(two),
            4 => make!(four),
            _ => make!(eight),
        }
    }

    /// Reads an address or a size.
    ///
    /// # Safety
    ///
    /// The operand has eight bytes, and `view` made it.
    unsafe fn number(self, view: &mut V, name: &'static str, marks: &mut impl Marks) -> u64 {
        marks.operand(name);
        // SAFETY: the caller's promise is the one that is asked for.
        let operand = unsafe { self.eight };
        // SAFETY: as above.
        unsafe { view.load(operand) }
    }

    /// # Safety
    ///
    /// The operand is a `T`.
    unsafe fn of<T: Value>(self) -> V::Operand<T> {
        let operands: *const Self = &self;
        // SAFETY: all of a union's fields begin where it begins, and this one was written.
        unsafe { *operands.cast() }
    }
}
