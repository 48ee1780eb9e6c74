//! What a processor holds beside memory, before a block and after it.

/// Registers and flags. The generated entry of a block reads and writes it by these offsets.
#[repr(C, align(64))]
pub struct Machine {
    /// In the order of their numbers: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, …
    pub general: [u64; 16],
    /// At 128.
    pub flags: u64,
    unused: [u64; 7],
    /// At 192: an area of `xsave` with x87, SSE and AVX.
    area: [u8; 1088],
}

/// Where the harness's own state is kept while a block runs: its stack pointer, and at 64 its area.
#[repr(C, align(64))]
pub struct Own {
    stack: u64,
    unused: [u64; 7],
    area: [u8; 1088],
}

pub static mut BEFORE: Machine = Machine::EMPTY;
pub static mut AFTER: Machine = Machine::EMPTY;
pub static mut OWN: Own = Own { stack: 0, unused: [0; 7], area: [0; 1088] };

pub const STACK_POINTER: usize = 4;

/// CF, PF, AF, ZF, SF and OF.
pub const STATUS: u64 = 0x8d5;
pub const DIRECTION: u64 = 0x400;

const CONTROL_WORD: usize = 0;
const STATUS_WORD: usize = 2;
const TAGS: usize = 4;
const MXCSR: usize = 24;
const LOW: usize = 160;
const PRESENT: usize = 512;
const HIGH: usize = 576;

/// The bits of MXCSR that say which exceptions there were.
pub const EXCEPTIONS: u32 = 0x3f;
/// The bits of the x87 status word that say where the top of its stack is.
const TOP: u16 = 0x3800;

impl Machine {
    const EMPTY: Machine = Machine { general: [0; 16], flags: 0, unused: [0; 7], area: [0; 1088] };

    /// Both halves of a vector register.
    pub fn vector(&self, number: usize) -> [u64; 4] {
        let (low, high) = (LOW + 16 * number, HIGH + 16 * number);
        // In their initial state the high halves are not written.
        let has_high = self.area[PRESENT] & 4 != 0;
        let high = |at| if has_high { self.word(high + at) } else { 0 };
        [self.word(low), self.word(low + 8), high(0), high(8)]
    }

    pub fn set_vector(&mut self, number: usize, bits: [u64; 4]) {
        for (half, at) in [LOW + 16 * number, HIGH + 16 * number].into_iter().enumerate() {
            self.area[at..at + 8].copy_from_slice(&bits[2 * half].to_le_bytes());
            self.area[at + 8..at + 16].copy_from_slice(&bits[2 * half + 1].to_le_bytes());
        }
    }

    /// The state that every block may rely on: nothing masked, nothing on the x87 stack.
    pub fn reset(&mut self, exceptions: u32) {
        self.area.fill(0);
        self.area[PRESENT] = 7;
        self.area[CONTROL_WORD..2].copy_from_slice(&0x37f_u16.to_le_bytes());
        let mxcsr = 0x1f80 | (exceptions & EXCEPTIONS);
        self.area[MXCSR..MXCSR + 4].copy_from_slice(&mxcsr.to_le_bytes());
    }

    pub fn mxcsr(&self) -> u32 {
        self.word(MXCSR) as u32
    }

    pub fn x87_control(&self) -> u16 {
        self.x87(CONTROL_WORD, 0x37f)
    }

    pub fn x87_status(&self) -> u16 {
        self.x87(STATUS_WORD, 0)
    }

    /// Which of the x87 registers are in use, and where the top is.
    pub fn x87_stack(&self) -> (u8, u16) {
        (self.x87(TAGS, 0) as u8, self.x87_status() & TOP)
    }

    fn x87(&self, at: usize, initial: u16) -> u16 {
        let is_present = self.area[PRESENT] & 1 != 0;
        if is_present { self.word(at) as u16 } else { initial }
    }

    fn word(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.area[at..at + 8].try_into().expect("eight bytes"))
    }
}

pub const NAMES: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];
