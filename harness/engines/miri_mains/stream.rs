//! Items from standard input, and what becomes of them.
//!
//! An [`Item`] begins with a line that goes to standard error, where Miri's own messages
//! go, so that they are in order there. Results are records on standard output: a
//! [`RecordHead`], then bytes. All numbers are little-endian.
//!
//! An interpreter takes microseconds for a call, a millisecond and more for a `Vec` or a stream
//! of the standard library: hence plain `read` and `write`, and a line that comes ready.

unsafe extern "C" {
    fn read(descriptor: i32, buffer: *mut u8, size: usize) -> isize;
    fn write(descriptor: i32, buffer: *const u8, size: usize) -> isize;
}

/// A number between the target's order and little-endian: `from_le` or `to_le`, without the call.
#[cfg(target_endian = "little")]
macro_rules! le {
    ($number:expr) => {
        $number
    };
}
#[cfg(target_endian = "big")]
macro_rules! le {
    ($number:expr) => {
        $number.swap_bytes()
    };
}
pub(crate) use le;

/// What every record begins with.
#[repr(C)]
struct RecordHead {
    item: u64,
    kind: u64,
    /// The steps, the checksum, or the instruction that trapped.
    value: u64,
    /// The number of bytes of the memory, which follow.
    memory: u64,
    /// Bytes of the trap's kind, which follow then.
    trap: u64,
    /// Bytes of the operand's name, which follow at last.
    operand: u64,
}

const MEMORY: u64 = u64::from_ne_bytes(*b"memory  ");
/// The item came to its end.
pub const RAN: u64 = u64::from_ne_bytes(*b"ran     ");
const TRAPPED: u64 = u64::from_ne_bytes(*b"trapped ");

/// An item, as it comes from standard input; `length` bytes follow.
#[repr(C)]
pub struct Item {
    /// Says that it begins.
    line: [u8; 32],
    /// What results call it; this and the other numbers are little-endian.
    number: u64,
    /// What it is to do.
    pub choice: u64,
    /// Where to look for it first.
    #[allow(dead_code, reason = "a pointer program is named by its number alone")]
    pub place: u64,
    /// How many things it is made of.
    #[allow(dead_code, reason = "as above")]
    pub count: u64,
    /// The number of bytes that follow.
    #[allow(dead_code, reason = "as above")]
    pub length: u64,
}

impl Item {
    /// No item yet.
    pub const NONE: Item =
        Item { line: [0; 32], number: 0, choice: 0, place: 0, count: 0, length: 0 };

    /// Takes the next item, and says that it begins; false if the input ends.
    pub fn take(&mut self) -> bool {
        let to = &raw mut *self as *mut u8;
        // SAFETY: any bytes are an item.
        if !unsafe { fill(to, const { size_of::<Item>() }) } {
            return false;
        }
        // SAFETY: it begins with the line.
        unsafe { emit(2, to, 32) };
        true
    }

    /// Says what its memory is; to be called before the end.
    #[allow(dead_code, reason = "bytecode's memory comes with its end")]
    pub fn memory(&self, memory: &[u8]) {
        // SAFETY: pointer and length are those of one slice.
        unsafe { self.record(MEMORY, 0, memory.as_ptr(), memory.len(), 0, 0) };
    }

    /// Says that it came to its end. value: the steps, or the checksum.
    #[allow(dead_code, reason = "bytecode's end comes with its memory")]
    pub fn ran(&self, value: u64, memory: &[u8]) {
        // SAFETY: as above.
        unsafe { self.record(RAN, value, memory.as_ptr(), memory.len(), 0, 0) };
    }

    /// Says that it stopped at an operand.
    pub fn trapped(&self, kind: &str, instruction: u64, operand: &str, memory: &[u8]) {
        let (kinds, operands) = (kind.len(), operand.len());
        let (base, length) = (memory.as_ptr(), memory.len());
        // SAFETY: pointer and length are those of one slice.
        unsafe { self.record(TRAPPED, instruction, base, length, kinds, operands) };
        // SAFETY: pointer and length are those of one string.
        unsafe { emit(1, kind.as_ptr(), kinds) };
        // SAFETY: as above.
        unsafe { emit(1, operand.as_ptr(), operands) };
    }

    /// A record of this kind, with the memory as it lies: to take a slice apart is three calls.
    ///
    /// # Safety
    ///
    /// `base` is valid for reads of `length` bytes.
    pub unsafe fn record(
        &self,
        kind: u64,
        value: u64,
        base: *const u8,
        length: usize,
        trap: usize,
        operand: usize,
    ) {
        let head = RecordHead {
            // As it came, little-endian.
            item: self.number,
            kind,
            value: le!(value),
            memory: le!(length as u64),
            trap: le!(trap as u64),
            operand: le!(operand as u64),
        };
        // SAFETY: these are the bytes of the head.
        unsafe { emit(1, &raw const head as *const u8, const { size_of::<RecordHead>() }) };
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { emit(1, base, length) };
    }
}

/// Fills `left` bytes from standard input; false if it ends before.
///
/// # Safety
///
/// `to` is valid for writes of so many bytes.
pub unsafe fn fill(mut to: *mut u8, mut left: usize) -> bool {
    loop {
        // SAFETY: the caller's promise is the one that is asked for.
        let count = unsafe { read(0, to, left) };
        if count == left as isize {
            return true;
        }
        // Miri reads ahead, so that one call may come back with less than there is.
        if count <= 0 {
            return false;
        }
        left -= count as usize;
        to = to.wrapping_add(count as usize);
    }
}

/// # Safety
///
/// `from` is valid for reads of `left` bytes.
unsafe fn emit(descriptor: i32, mut from: *const u8, mut left: usize) {
    loop {
        // SAFETY: the caller's promise is the one that is asked for.
        let count = unsafe { write(descriptor, from, left) };
        if count == left as isize || count <= 0 {
            return;
        }
        left -= count as usize;
        from = from.wrapping_add(count as usize);
    }
}
