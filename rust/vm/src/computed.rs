//! Instructions whose addresses are values in the memory, known only in running.
//!
//! Their operands in the program differ in width: an address and a size are a `u64`. What lies at
//! a computed address is an operand too, with a name of its own (`at_op`, `at_res`).

use crate::compile::fault;
use crate::marks::{ADDR_OP, ADDR_RES, ADDR_SIZE, AT_OP, AT_RES, Marks, Name};
use crate::outcome::TrapKind;
use crate::program::{Opcode, Value};
use crate::variant::Variant;
use crate::wire::{
    ALLOCATE, CALL, COPY, COPY_NONOVERLAPPING, FILL, FREE, GROW, HOST_ENTER, HOST_READ, HOST_STEPS,
    HOST_WRITE, IS_NULL, LOAD, MOVE_POINTER, OFFSET, POINT, READ, READ_POINTER, RETURN, STORE,
    WRITE, WRITE_POINTER, width,
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

/// An operand that stands in the program: its name's index in [`NAMES`], shifted, and its width.
/// No pair with the name itself, of which an interpreter looks after every one in a table.
type Kind = u8;

/// What operands are called.
static NAMES: [&Name; 3] = [ADDR_OP, ADDR_RES, ADDR_SIZE];

const OP: Kind = 0 << 4;
const RES: Kind = 1 << 4;
const SIZE: Kind = 2 << 4;

/// No operand.
const NONE: Kind = 0;

/// The operands of each opcode, by the byte that names it, in their order.
static KINDS: [[Kind; 3]; 256] = {
    let mut kinds = [[NONE; 3]; 256];
    let mut code = LOAD;
    while code < BEHIND {
        kinds[code as usize] = kinds_of(code);
        code += 1;
    }
    kinds
};

/// What follows the last opcode.
const BEHIND: u8 = WRITE + 4;

const fn kinds_of(code: u8) -> [Kind; 3] {
    let width = width(code) as Kind;
    match code {
        RETURN | FREE | MOVE_POINTER | READ_POINTER | WRITE_POINTER => [NONE; 3],
        ALLOCATE => [SIZE | 8, NONE, NONE],
        OFFSET | POINT | CALL => [OP | 8, NONE, NONE],
        IS_NULL => [RES | 1, NONE, NONE],
        READ..WRITE => [RES | width, NONE, NONE],
        WRITE.. => [OP | width, NONE, NONE],
        HOST_STEPS => [RES | 8, NONE, NONE],
        HOST_READ | HOST_ENTER => [OP | 8, RES | 1, NONE],
        HOST_WRITE => [OP | 1, RES | 8, NONE],
        GROW => [OP | 8, RES | 8, NONE],
        FILL => [OP | 1, SIZE | 8, RES | 8],
        COPY.. => [OP | 8, SIZE | 8, RES | 8],
        STORE.. => [OP | width, RES | 8, NONE],
        _ => [OP | 8, RES | width, NONE],
    }
}

/// What is wrong with the first operand in the program for which something is.
pub fn fault_in_compiling(opcode: Opcode, size: u64) -> Option<Fault> {
    let kinds = KINDS[opcode.code as usize];
    let mut at = 0;
    while at < 3 {
        let kind = kinds[at];
        if kind == NONE {
            break;
        }
        let (addr, width) = (opcode.addresses[at], (kind & 15) as u64);
        // As `fault` has it, without the call where nothing is wrong; widths are powers of two.
        if size < width || addr > size - width || addr & (width - 1) != 0 {
            let name = NAMES[(kind >> 4) as usize];
            return fault(addr, width, size).map(|fault| (fault, name.text));
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
    pub unsafe fn compile<M: Marks>(view: &mut V, opcode: Opcode, marks: &mut M) -> Self {
        let kinds = KINDS[opcode.code as usize];
        let mut made = [OfWidth { none: () }; 3];
        let mut at = 0;
        while at < 3 {
            let kind = kinds[at];
            if kind == NONE {
                break;
            }
            // SAFETY: the caller's promise is the one that is asked for.
            made[at] = unsafe { OfWidth::make(view, kind, opcode.addresses[at], marks) };
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
    pub unsafe fn step<M: Marks>(
        self,
        view: &mut V,
        size: u64,
        marks: &mut M,
    ) -> Result<(), Fault> {
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
                unsafe { self.access::<$value, M>(view, size, marks) }
            }};
        }
        // As `width` has it, without the call.
        match self.code & 3 {
            1 => access!(u8),
            2 => access!(u16),
            3 => access!(u32),
            _ => access!(u64),
        }
    }

    /// Reads the `u64` at the first operand.
    ///
    /// # Safety
    ///
    /// It is one, and `view` made it.
    pub unsafe fn number<M: Marks>(self, view: &mut V, name: &'static Name, marks: &mut M) -> u64 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.operands[0].number(view, name, marks) }
    }

    /// Reads the first operand.
    ///
    /// # Safety
    ///
    /// It is a `T`, and `view` made it.
    pub unsafe fn take<T: Value, M: Marks>(self, view: &mut V, marks: &mut M) -> T {
        if M::LISTENS {
            marks.operand(ADDR_OP);
        }
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
    pub unsafe fn put<T: Value, M: Marks>(self, view: &mut V, value: T, marks: &mut M) {
        if M::LISTENS {
            marks.operand(ADDR_RES);
        }
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
        let [_, second, third] = KINDS[self.code as usize];
        let last = (second != NONE) as usize + (third != NONE) as usize;
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.operands[last].of::<T>() }
    }

    /// A byte that the host reads or writes.
    unsafe fn host<M: Marks>(self, view: &mut V, size: u64, marks: &mut M) -> Result<(), Fault> {
        let [first, second, _] = self.operands;
        if self.code == HOST_READ {
            // SAFETY: its first operand has eight bytes.
            let from = unsafe { first.number(view, ADDR_OP, marks) };
            if let Some(kind) = fault(from, 1, size) {
                return Err((kind, "at_op"));
            }
            // SAFETY: it has just been checked; it is less than the length of a slice.
            let byte = unsafe { view.host_read(from as usize, size as usize, marks) };
            if M::LISTENS {
                marks.operand(ADDR_RES);
            }
            // SAFETY: its second operand is a byte.
            let result = unsafe { second.one };
            // SAFETY: `view` made it.
            unsafe { view.store(result, byte) };
            return Ok(());
        }
        if M::LISTENS {
            marks.operand(ADDR_OP);
        }
        // SAFETY: its first operand is a byte.
        let source = unsafe { first.one };
        // SAFETY: `view` made it.
        let byte = unsafe { view.load(source) };
        // SAFETY: its second operand has eight bytes.
        let to = unsafe { second.number(view, ADDR_RES, marks) };
        if let Some(kind) = fault(to, 1, size) {
            return Err((kind, "at_res"));
        }
        // SAFETY: as for the read.
        unsafe { view.host_write(to as usize, size as usize, byte, marks) };
        Ok(())
    }

    /// A load or a store of a `T`.
    unsafe fn access<T: Value, M: Marks>(
        self,
        view: &mut V,
        size: u64,
        marks: &mut M,
    ) -> Result<(), Fault> {
        let [first, second, _] = self.operands;
        if self.code < STORE {
            // SAFETY: a load's first operand has eight bytes.
            let from = unsafe { first.number(view, ADDR_OP, marks) };
            if let Some(kind) = fault(from, T::SIZE as u64, size) {
                return Err((kind, "at_op"));
            }
            // SAFETY: it has just been checked; it is less than the length of a slice.
            let source = unsafe { view.operand::<T>(AT_OP, from as usize, marks) };
            // SAFETY: it has just been made.
            let value = unsafe { view.load(source) };
            if M::LISTENS {
                marks.operand(ADDR_RES);
            }
            // SAFETY: a load's second operand is a `T`.
            let result = unsafe { second.of::<T>() };
            // SAFETY: `view` made it.
            unsafe { view.store(result, value) };
            return Ok(());
        }
        if M::LISTENS {
            marks.operand(ADDR_OP);
        }
        // SAFETY: a store's first operand is a `T`.
        let source = unsafe { first.of::<T>() };
        // SAFETY: `view` made it.
        let value = unsafe { view.load(source) };
        // SAFETY: its second operand has eight bytes.
        let to = unsafe { second.number(view, ADDR_RES, marks) };
        if let Some(kind) = fault(to, T::SIZE as u64, size) {
            return Err((kind, "at_res"));
        }
        // SAFETY: as for the load.
        let target = unsafe { view.operand::<T>(AT_RES, to as usize, marks) };
        // SAFETY: it has just been made.
        unsafe { view.store(target, value) };
        Ok(())
    }

    /// A copy or a fill.
    unsafe fn block<M: Marks>(self, view: &mut V, size: u64, marks: &mut M) -> Result<(), Fault> {
        let [first, second, third] = self.operands;
        let mut byte = 0;
        let mut from = 0;
        if self.code == FILL {
            if M::LISTENS {
                marks.operand(ADDR_OP);
            }
            // SAFETY: a fill's first operand is a byte.
            let source = unsafe { first.one };
            // SAFETY: `view` made it.
            byte = unsafe { view.load(source) };
        } else {
            // SAFETY: a copy's first operand has eight bytes.
            from = unsafe { first.number(view, ADDR_OP, marks) };
        }
        // SAFETY: so have the others of both.
        let length = unsafe { second.number(view, ADDR_SIZE, marks) };
        // SAFETY: as above.
        let to = unsafe { third.number(view, ADDR_RES, marks) };
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
    unsafe fn make<M: Marks>(view: &mut V, kind: Kind, addr: u64, marks: &mut M) -> Self {
        // No truncation: it is at most the length of a slice.
        let addr = addr as usize;
        let name = NAMES[(kind >> 4) as usize];
        macro_rules! make {
            ($field:ident) => {{
                // SAFETY: the address has been checked at the width.
                OfWidth { $field: unsafe { view.operand(name, addr, marks) } }
            }};
        }
        match kind & 15 {
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
    unsafe fn number<M: Marks>(self, view: &mut V, name: &'static Name, marks: &mut M) -> u64 {
        if M::LISTENS {
            marks.operand(name);
        }
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
