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
const RAN: u64 = u64::from_ne_bytes(*b"ran     ");
const TRAPPED: u64 = u64::from_ne_bytes(*b"trapped ");

/// An item, as it comes from standard input; `length` bytes follow.
#[repr(C)]
pub struct Item {
    /// Says that it begins.
    line: [u8; 32],
    /// What results call it.
    number: u64,
    choice: u64,
    place: u64,
    count: u64,
    length: u64,
}

impl Item {
    /// No item yet.
    pub const NONE: Item = Item { line: [0; 32], number: 0, choice: 0, place: 0, count: 0, length: 0 };

    /// Takes the next item, and says that it begins; false if the input ends.
    pub fn take(&mut self) -> bool {
        let to = &raw mut *self as *mut u8;
        // SAFETY: any bytes are an item.
        if !unsafe { fill(to, size_of::<Item>()) } {
            return false;
        }
        // SAFETY: it begins with the line.
        unsafe { emit(2, to, 32) };
        true
    }

    /// What it is to do.
    pub fn choice(&self) -> u64 {
        u64::from_le(self.choice)
    }

    /// Where to look for it first.
    #[allow(dead_code, reason = "a pointer program is named by its number alone")]
    pub fn place(&self) -> usize {
        u64::from_le(self.place) as usize
    }

    /// How many things it is made of.
    #[allow(dead_code, reason = "as above")]
    pub fn count(&self) -> usize {
        u64::from_le(self.count) as usize
    }

    /// The number of bytes that follow.
    #[allow(dead_code, reason = "a pointer program is named by its number alone")]
    pub fn length(&self) -> usize {
        u64::from_le(self.length) as usize
    }

    /// Says what its memory is; to be called before the end.
    #[allow(dead_code, reason = "bytecode's memory comes with its end")]
    pub fn memory(&self, memory: &[u8]) {
        self.record(MEMORY, 0, memory, 0, 0);
    }

    /// Says that it came to its end. value: the steps, or the checksum.
    pub fn ran(&self, value: u64, memory: &[u8]) {
        self.record(RAN, value, memory, 0, 0);
    }

    /// Says that it stopped at an operand.
    pub fn trapped(&self, kind: &str, instruction: u64, operand: &str, memory: &[u8]) {
        let lengths = (kind.len(), operand.len());
        self.record(TRAPPED, instruction, memory, lengths.0, lengths.1);
        // SAFETY: pointer and length are those of one string.
        unsafe { emit(1, kind.as_ptr(), lengths.0) };
        // SAFETY: as above.
        unsafe { emit(1, operand.as_ptr(), lengths.1) };
    }

    fn record(&self, kind: u64, value: u64, memory: &[u8], trap: usize, operand: usize) {
        let length = memory.len();
        let head = RecordHead {
            // As it came, little-endian.
            item: self.number,
            kind,
            value: value.to_le(),
            memory: (length as u64).to_le(),
            trap: (trap as u64).to_le(),
            operand: (operand as u64).to_le(),
        };
        // SAFETY: these are the bytes of the head.
        unsafe { emit(1, &raw const head as *const u8, size_of::<RecordHead>()) };
        // SAFETY: pointer and length are those of one slice.
        unsafe { emit(1, memory.as_ptr(), length) };
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
