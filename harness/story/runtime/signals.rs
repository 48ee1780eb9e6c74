//! What a block does that ends the process: told before the end.

use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::Relaxed};

const SIGNALS: [(i32, &str); 8] = [
    (11, "crash SIGSEGV"),
    (7, "crash SIGBUS"),
    (4, "crash SIGILL"),
    (8, "crash SIGFPE"),
    (5, "crash SIGTRAP"),
    (6, "crash SIGABRT"),
    (14, "hang still running after 20 s"),
    (27, "hang still running after 2 s of work"),
];

/// Microseconds, for all states together.
const PATIENCE: i64 = 20_000_000;
/// Microseconds of the processor, for one state, which takes some in sound cases.
const WORK: i64 = 2_000_000;

static NAME: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static LENGTH: AtomicUsize = AtomicUsize::new(0);
static STATE: AtomicU64 = AtomicU64::new(0);

#[repr(C)]
struct Action {
    handler: extern "C" fn(i32),
    mask: [u64; 16],
    flags: i32,
    restorer: usize,
}

#[repr(C)]
struct AlternateStack {
    at: *mut u8,
    flags: i32,
    size: usize,
}

#[repr(C)]
struct Time {
    seconds: i64,
    microseconds: i64,
}

#[repr(C)]
struct Timer {
    interval: Time,
    value: Time,
}

unsafe extern "C" {
    fn sigaction(signal: i32, action: *const Action, old: *mut Action) -> i32;
    fn sigaltstack(stack: *const AlternateStack, old: *mut AlternateStack) -> i32;
    fn signal(signal: i32, action: usize) -> usize;
    fn setitimer(which: i32, new: *const Timer, old: *mut Timer) -> i32;
    fn write(file: i32, from: *const u8, size: usize) -> isize;
    fn _exit(code: i32) -> !;
}

/// What runs from now on.
pub fn at(name: &'static str, state: u64) {
    NAME.store(name.as_ptr().cast_mut(), Relaxed);
    LENGTH.store(name.len(), Relaxed);
    STATE.store(state, Relaxed);
    set(WORKING, WORK);
}

/// Have patience from now on: what runs is many processes, one after the other.
pub fn again() {
    set(WAITING, PATIENCE);
}

/// Have signals end this process: after so many microseconds of the processor, and of the clock.
pub fn limit(working: i64, waiting: i64) {
    forget();
    set(WORKING, working);
    set(WAITING, waiting);
}

const WAITING: i32 = 0;
const WORKING: i32 = 2;

/// Set a clock that ends with its signal.
fn set(clock: i32, microseconds: i64) {
    let none = Time { seconds: 0, microseconds: 0 };
    let value = Time { seconds: microseconds / 1_000_000, microseconds: microseconds % 1_000_000 };
    // SAFETY: the timer is read.
    unsafe { setitimer(clock, &Timer { interval: none, value }, std::ptr::null_mut()) };
}

/// Tell of every signal that a block may end with, on a stack that no block can spoil.
pub fn watch() {
    const ON_STACK: i32 = 0x0800_0000;
    const SIZE: usize = 1 << 16;
    let at = Box::leak(vec![0_u8; SIZE].into_boxed_slice()).as_mut_ptr();
    let stack = AlternateStack { at, flags: 0, size: SIZE };
    // SAFETY: the stack is never freed, and the handler calls only what a handler may.
    unsafe {
        sigaltstack(&stack, std::ptr::null_mut());
        for (signal, _) in SIGNALS {
            let action = Action { handler: tell, mask: [0; 16], flags: ON_STACK, restorer: 0 };
            sigaction(signal, &action, std::ptr::null_mut());
        }
    }
    again();
}

/// Let signals end this process, which is there for one run.
fn forget() {
    // SAFETY: no handler of the system's is anybody's.
    unsafe {
        for (number, _) in SIGNALS {
            signal(number, 0);
        }
    }
}

extern "C" fn tell(signal: i32) {
    // SAFETY: a block may have left the flag set, and nothing here is compiled for that.
    unsafe { std::arch::asm!("cld") };
    let name = SIGNALS.iter().find(|each| each.0 == signal).map_or("crash", |each| each.1);
    // SAFETY: the pointer and length are those of one string, or nothing.
    let running = unsafe {
        let at = NAME.load(Relaxed);
        if at.is_null() { &[] } else { std::slice::from_raw_parts(at, LENGTH.load(Relaxed)) }
    };
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    let mut rest = STATE.load(Relaxed);
    while first == digits.len() || rest > 0 {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    for text in [b"broken ", name.as_bytes(), b" ", running, b" in drawn state ", &digits[first..]]
    {
        say(text);
    }
    say(b"\n");
    // SAFETY: ends the process, as nothing is left that could be relied on.
    unsafe { _exit(0) }
}

/// Put the bytes on standard output, without a buffer in between.
pub fn say(text: &[u8]) {
    // SAFETY: the pointer and the length are those of `text`.
    unsafe { write(1, text.as_ptr(), text.len()) };
}
