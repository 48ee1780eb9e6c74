//! A story in its block's place, under Miri, which is made to object to what was promised.

use std::alloc::{Layout, alloc, dealloc};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use crate::draws::{Bits, Draws, Value};
use crate::saying::{end, say};
use crate::threads;

/// What is promised of a story while it is told.
#[derive(Clone, Copy, Debug)]
pub enum Phase {
    Plain,
    Pure,
    Readonly,
    Nomem,
}

/// Memory that others can see, and its size.
pub type Place = (*mut u8, usize);

static OPEN: AtomicU64 = AtomicU64::new(1);

/// A value that the story leaves open: another one each time.
pub fn any<T: Value>() -> T {
    T::from_bits(Draws::new(OPEN.fetch_add(1, Relaxed)).number())
}

/// A value that the story leaves open, out of those that it allows.
pub fn any_where<T: Value>(allowed: impl Fn(&T) -> bool) -> T {
    (0..1_000_000).map(|_| any()).find(|value| allowed(value)).expect("the story allows nothing")
}

/// Memory that a pointer operand points to.
pub struct Memory {
    pub start: *mut u8,
    layout: Layout,
}

impl Memory {
    pub fn new(size: usize, align: usize, drawn: bool, draws: &mut Draws) -> Memory {
        let layout = Layout::from_size_align(size, align).expect("the case's reader checks both");
        // SAFETY: the size is at least one byte.
        let start = unsafe { alloc(layout) };
        let mut bytes = vec![0; size];
        draws.fill(&mut bytes);
        if drawn {
            // SAFETY: both have `size` bytes.
            unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), size) };
        }
        Memory { start, layout }
    }

    pub fn free(&self) {
        // SAFETY: each driver does so once, with what it was allocated with.
        unsafe { dealloc(self.start, self.layout) };
    }
}

/// The operand's value out of its bits.
pub fn take<T: Copy>(bits: &Bits) -> T {
    // SAFETY: operands are numbers or vectors of at most 32 bytes, for which all bits will do.
    unsafe { std::mem::transmute_copy(bits) }
}

/// Whether two outputs are the same value, bit by bit.
pub fn same<T: Copy>(first: &T, second: &T) -> bool {
    fn bytes<T>(value: &T) -> &[u8] {
        // SAFETY: outputs are numbers or vectors, which have no padding.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
    }
    bytes(first) == bytes(second)
}

/// Use the reference that the operand was made from: it has to be good for that still.
pub fn look(bytes: &[MaybeUninit<u8>]) {
    black_box(bytes.to_vec());
}

/// Tell the story while another thread reads whatever it can see, without any order between the
/// two: a write is a data race.
pub unsafe fn beside_reads(seen: &[Place], tell: impl FnOnce()) {
    beside(seen, false, tell);
}

/// Tell the story while another thread writes whatever it can see: any access is a data race.
pub unsafe fn beside_writes(seen: &[Place], tell: impl FnOnce()) {
    beside(seen, true, tell);
}

/// What the other thread does, and with which memory.
struct Visit<'a> {
    seen: &'a [Place],
    writes: bool,
}

static DONE: AtomicBool = AtomicBool::new(false);

extern "C" fn visit(argument: *mut u8) -> *mut u8 {
    // SAFETY: `beside` starts the thread with a `Visit`, and waits for it.
    let visit = unsafe { &*argument.cast::<Visit>() };
    for (at, size) in visit.seen {
        let mut copy = Vec::<u8>::with_capacity(*size);
        // SAFETY: the places are memory that the block was given; that an access of the story
        // races with these is what they are for.
        unsafe {
            at.copy_to_nonoverlapping(copy.as_mut_ptr(), *size);
            if visit.writes {
                at.copy_from_nonoverlapping(copy.as_ptr(), *size);
            }
        }
    }
    DONE.store(true, Relaxed);
    null_mut()
}

fn beside(seen: &[Place], writes: bool, tell: impl FnOnce()) {
    DONE.store(false, Relaxed);
    let mut visited = Visit { seen, writes };
    // SAFETY: nobody else waits for it, and what it visits lasts longer than the guard.
    let _other = unsafe { threads::Joined::start(visit, (&raw mut visited).cast()) };
    // Relaxed, so that what the other has done does not happen before what the story does.
    while !DONE.load(Relaxed) {
        thread::yield_now();
    }
    tell();
}

/// Drive a block through several drawn states.
pub unsafe fn repeat(
    states: u64,
    phase: Phase,
    drive: unsafe fn(Phase, &mut Draws) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut draws = Draws::new(0x7a1e);
    (0..states).try_for_each(|_| unsafe { drive(phase, &mut draws) })
}

pub fn phase(name: &str) {
    say(&["phase ", name, "\n"]);
}

pub fn broken(phase: Phase, text: &str) -> ! {
    say(&["broken ", &format!("{phase:?}").to_lowercase(), " ", text, "\n"]);
    end()
}

pub fn held() {
    say(&["holds\n"]);
}

pub fn advise(text: &str) {
    say(&["advise ", text, "\n"]);
}
