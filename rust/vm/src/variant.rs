//! The trait behind which a variant stands: one way of touching a program's memory.

use crate::blocks;
use crate::marks::{ADDR_OP, ADDR_OP1, ADDR_OP2, ADDR_RES, Marks, Name};
use crate::operator::{Binary, Unary, Undivided};
use crate::program::{Op, Value};

/// A value that need not be aligned.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct AtAnyAddress<T>(pub T);

/// One way in which the VM touches its memory, for memory that is borrowed for `'m`.
///
/// A run goes through the methods in this order:
///
/// 1. [`over`](Variant::over), once;
/// 2. [`compile`](Variant::compile), once for each opcode, in the program's order; of an opcode
///    whose operands differ in width, once for each operand;
/// 3. [`compiled`](Variant::compiled), once, unless an opcode trapped;
/// 4. [`store`](Variant::store) for each `WriteConst`, [`load`](Variant::load) for each `Branch`
///    and `Assert`, [`unary`](Variant::unary) and [`binary`](Variant::binary) for the other
///    [`Op`]s, in the order in which they run; and for those whose addresses are values in the
///    memory, [`operand`](Variant::operand) once the address is known, or
///    [`copy`](Variant::copy) and [`fill`](Variant::fill), which move blocks of bytes through a
///    [`pointer`](Variant::pointer) if there is one;
/// 5. when the memory grows, [`grown`](Variant::grown) and 2 once more; when a host is called that
///    touches the memory, [`host_read`](Variant::host_read),
///    [`host_write`](Variant::host_write) and [`kept_by_host`](Variant::kept_by_host).
///
/// The value is then dropped, and the owner reads the memory through its own borrow again. The
/// VM itself keeps nothing of the memory but what the variant makes, and has checked every
/// address before the variant sees it, so an implementation needs no bounds check of its own.
///
/// A variant over raw pointers reads:
///
/// ```
/// use harness_vm::{Marks, Op, Value, Variant};
///
/// struct Mine {
///     base: *mut u8,
/// }
///
/// impl<'m> Variant<'m> for Mine {
///     type Operand<T: Value> = *mut T;
///
///     fn over(memory: &'m mut [u8]) -> Self {
///         Mine { base: memory.as_mut_ptr() }
///     }
///
///     unsafe fn compile<T: Value>(
///         &mut self,
///         op: Op<T, usize>,
///         marks: &mut impl Marks,
///     ) -> Op<T, *mut T> {
///         // SAFETY: the address is in bounds.
///         op.map(marks, |addr| unsafe { self.base.add(addr) }.cast())
///     }
///
///     unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
///         // SAFETY: made by `compile`, hence valid and aligned.
///         unsafe { *from }
///     }
///
///     unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
///         // SAFETY: as in `load`.
///         unsafe { *to = value }
///     }
/// }
///
/// // Memory 20 22 00, one step, and AddU8 { addr_op1: 0, addr_op2: 1, addr_res: 2 }.
/// let mut wire = vec![3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 22, 0, 0x11];
/// for addr in [0_u64, 1, 2] {
///     wire.extend(addr.to_le_bytes());
/// }
/// // SAFETY: `Mine` is sound.
/// let finished = unsafe { harness_vm::run(&harness_vm::entry!("mine", Mine), &wire, false) };
/// assert_eq!(finished.unwrap().memory, [20, 22, 42]);
/// ```
///
/// In a crate of its own, [`main!`](crate::main) makes `main` of a table of such
/// entries, and the crate's command line is that of `harness-vm`.
pub trait Variant<'m>: Sized {
    /// What an address of a value of type `T` becomes when it is compiled: a pointer, a
    /// reference of lifetime `'m`, references to the single bytes ([`Value::Bytes`]), a number.
    type Operand<T: Value>: Copy;

    /// Takes over the owner's borrow of the memory for one run.
    ///
    /// The value moves when it is returned, and a move reborrows every reference in it. A
    /// variant that keeps a `&mut` and also pointers derived from it has to derive those later.
    fn over(memory: &'m mut [u8]) -> Self;

    /// Makes the operands of one opcode, usually with [`Op::map`], which does so in their order.
    ///
    /// # Safety
    ///
    /// For every address `a` in `op`, the bytes `a..a + T::SIZE` lie in the memory, and both `a`
    /// and the memory's base are multiples of `T::SIZE`.
    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, Self::Operand<T>>;

    /// Makes one operand, in compiling or in running; by default by [`compile`](Variant::compile).
    ///
    /// # Safety
    ///
    /// As for `compile`.
    unsafe fn operand<T: Value>(
        &mut self,
        name: &'static Name,
        addr: usize,
        marks: &mut impl Marks,
    ) -> Self::Operand<T> {
        // SAFETY: the caller's promise is the one that is asked for.
        match unsafe { self.compile(Op::Operand { name, addr }, marks) } {
            Op::Operand { addr, .. } => addr,
            _ => unreachable!("what is compiled stays what it is"),
        }
    }

    /// Is told that the memory has grown, and lies elsewhere now; by default begins anew.
    ///
    /// Every opcode is then compiled once more, in the program's order.
    fn grown(&mut self, memory: &'m mut [u8]) {
        *self = Self::over(memory);
    }

    /// Stands between the compile phase and the run phase; `initial` is what the memory holds.
    fn compiled(&mut self, initial: &[u8]) {
        let _ = initial;
    }

    /// Reads the value at an operand.
    ///
    /// # Safety
    ///
    /// `from` was made by `compile` of this very value. A variant whose documentation says that
    /// it breaks a rule on purpose must run only where undefined behaviour may happen.
    unsafe fn load<T: Value>(&mut self, from: Self::Operand<T>) -> T;

    /// Writes a value at an operand.
    ///
    /// # Safety
    ///
    /// As for `load`.
    unsafe fn store<T: Value>(&mut self, to: Self::Operand<T>, value: T);

    /// Stores what `operator` makes of the value at `op` at `res`.
    ///
    /// To be overridden by a variant whose operands are in use together, rather than one after
    /// the other; `marks` is told each operand right before it is touched.
    ///
    /// # Safety
    ///
    /// As for `load`.
    unsafe fn unary<T: Value, M: Marks>(
        &mut self,
        operator: Unary,
        op: Self::Operand<T>,
        res: Self::Operand<T>,
        marks: &mut M,
    ) {
        if M::LISTENS {
            marks.operand(ADDR_OP);
        }
        // SAFETY: the caller's promise is the one that is asked for.
        let value = unsafe { self.load(op) };
        if M::LISTENS {
            marks.operand(ADDR_RES);
        }
        // SAFETY: as above.
        unsafe { self.store(res, value.unary(operator)) };
    }

    /// Stores what `operator` makes of the values at `op1` and `op2` at `res`; where they cannot
    /// be divided, nothing is stored.
    ///
    /// To be overridden as [`unary`](Variant::unary).
    ///
    /// # Safety
    ///
    /// As for `load`.
    unsafe fn binary<T: Value, M: Marks>(
        &mut self,
        operator: Binary,
        op1: Self::Operand<T>,
        op2: Self::Operand<T>,
        res: Self::Operand<T>,
        marks: &mut M,
    ) -> Result<(), Undivided> {
        if M::LISTENS {
            marks.operand(ADDR_OP1);
        }
        // SAFETY: the caller's promise is the one that is asked for.
        let left = unsafe { self.load(op1) };
        if M::LISTENS {
            marks.operand(ADDR_OP2);
        }
        // SAFETY: as above.
        let right = unsafe { self.load(op2) };
        if M::LISTENS {
            marks.operand(ADDR_RES);
        }
        // Not by `?`, which is a call.
        match left.binary(operator, right) {
            Ok(result) => {
                // SAFETY: as above.
                unsafe { self.store(res, result) };
                Ok(())
            }
            Err(undivided) => Err(undivided),
        }
    }

    /// A pointer to the byte at an address, to all of the memory around it; by default none.
    ///
    /// With it, blocks of bytes are copied and filled at once, and the host is lent the whole
    /// memory. Without, all of that is done byte by byte, as the guest reads and writes one.
    ///
    /// # Safety
    ///
    /// The address lies in the memory.
    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        let _ = addr;
        None
    }

    /// Copies `size` bytes from one address to another; only where `overlapping` may the two
    /// ranges have bytes in common. By default through [`pointer`](Variant::pointer)s.
    ///
    /// `marks` is told `at_op` before the source is touched, and then `at_res`.
    ///
    /// # Safety
    ///
    /// There is a byte at least, and both ranges lie in the memory.
    unsafe fn copy(
        &mut self,
        from: usize,
        to: usize,
        size: usize,
        overlapping: bool,
        marks: &mut impl Marks,
    ) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { blocks::copy(self, from, to, size, overlapping, marks) }
    }

    /// Lets the host read a byte of the memory, of `size` bytes; by default through a reference to
    /// all of it that is made of a [`pointer`](Variant::pointer).
    ///
    /// `marks` is told `at_op` before anything is touched.
    ///
    /// # Safety
    ///
    /// The address lies in the memory.
    unsafe fn host_read(&mut self, addr: usize, size: usize, marks: &mut impl Marks) -> u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { blocks::host_read(self, addr, size, marks) }
    }

    /// Lets the host write one; likewise, and `marks` is told `at_res`.
    ///
    /// # Safety
    ///
    /// As for `host_read`.
    unsafe fn host_write(&mut self, addr: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { blocks::host_write(self, addr, size, byte, marks) }
    }

    /// Whether a program may have pointers of its own. What it does with them nobody checks, so
    /// that a variant which is to be sound for *every* program says no, and such a program is
    /// refused when it is compiled.
    const POINTERS: bool = true;

    /// Reads a pointer that lies where `at` points to, at any alignment.
    ///
    /// # Safety
    ///
    /// It was stored there by `write_pointer`.
    unsafe fn read_pointer(&mut self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { (*at.cast::<AtAnyAddress<*mut u8>>()).0 }
    }

    /// Stores a pointer there.
    ///
    /// # Safety
    ///
    /// There is room for it.
    unsafe fn write_pointer(&mut self, at: *mut u8, pointer: *mut u8) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { (*at.cast::<AtAnyAddress<*mut u8>>()).0 = pointer }
    }

    /// What the host keeps of the memory, of `size` bytes, while it enters the VM again, to read
    /// from afterwards. By default nothing: it then asks by `host_read`.
    fn kept_by_host(&mut self, size: usize) -> Option<&'m mut [u8]> {
        let _ = size;
        None
    }

    /// Stores the same byte `size` times from an address on. By default through a
    /// [`pointer`](Variant::pointer).
    ///
    /// `marks` is told `at_res` before anything is touched.
    ///
    /// # Safety
    ///
    /// There is a byte at least to be stored, and all of them lie in the memory.
    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { blocks::fill(self, to, size, byte, marks) }
    }
}
