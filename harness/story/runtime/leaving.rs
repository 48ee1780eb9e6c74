//! Blocks that do not return: in each state the block and its story have a process each, and how
//! the two end is compared. Of memory that is what lies behind the operands' pointers; statics
//! are each process's own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering::Relaxed};

use crate::draws::{Bits, Draws};
use crate::machine::BEFORE;
use crate::refine::{
    Bench, Block, Broken, Memory, TRIALS, Way, broken, candidates, choose, difference, draws,
    given, numeral, prepare,
};

/// What goes on takes its time in every state, so that so many are enough.
const ENDLESS: u32 = 10;

/// Fewer than of a block that returns: each takes two processes.
const STATES: u64 = 1_000;

/// Microseconds of the processor, after which a process counts as one that goes on.
const WORKING: i64 = 50_000;
/// Microseconds, after which it does though it does nothing.
const WAITING: i64 = 1_000_000;

#[derive(Clone, Copy, PartialEq)]
enum Ending {
    /// Its status: the lowest eight bits of what was said.
    Exited(i32),
    /// By one of the signals that Rust's own `abort` ends with, on one target or another.
    Aborted,
    /// By another signal.
    Crashed(i32),
    GoesOn,
    Returned,
    Panicked,
}

impl Ending {
    fn describe(self) -> String {
        match self {
            Ending::Exited(status) => format!("exits with {status}"),
            Ending::Aborted => "aborts".into(),
            Ending::Crashed(signal) => format!("ends by signal {signal}"),
            Ending::GoesOn => "goes on".into(),
            Ending::Returned => "returns".into(),
            Ending::Panicked => "panics".into(),
        }
    }
}

const NOTHING: u32 = 0;
const RETURNED: u32 = 1;
const PANICKED: u32 = 2;

/// What the other process says of itself, in memory that both see.
struct Word {
    said: AtomicU32,
    asked: AtomicUsize,
    refused: AtomicBool,
}

static WORD: AtomicPtr<Word> = AtomicPtr::new(null_mut());

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn prctl(option: i32, argument: u64) -> i32;
    fn _exit(code: i32) -> !;
}

/// The story has left open so much.
pub fn asked(count: usize) {
    // SAFETY: null, or a page that is mapped for good.
    if let Some(word) = unsafe { WORD.load(Relaxed).as_ref() } {
        word.asked.store(count, Relaxed);
    }
}

/// The story does not allow what was chosen.
pub fn refused() {
    // SAFETY: as in `asked`.
    if let Some(word) = unsafe { WORD.load(Relaxed).as_ref() } {
        word.refused.store(true, Relaxed);
    }
}

/// Run the block on every state, or on as many as there is time for.
pub fn leave(block: &'static Block) -> Result<(), Broken> {
    std::panic::set_hook(Box::new(|_| {}));
    let page = crate::arena::Arena::new().bytes().as_mut_ptr().cast::<Word>();
    WORD.store(page, Relaxed);
    // SAFETY: a page is larger than a `Word`, aligned, mapped for good, and begins as zeros.
    let word = unsafe { &*page };
    let bench = Bench::new(block);
    let mut draws = draws();
    let mut endless = 0;
    for state in 0..STATES {
        let way = &block.ways[state as usize % block.ways.len()];
        crate::signals::at(block.name, state);
        crate::signals::again();
        let ending =
            leave_in_state(&bench, word, way, state, &mut draws).map_err(|found| Broken {
                kind: found.kind,
                text: format!("{} in drawn state {state}: {}", block.name, found.text),
            })?;
        endless += u32::from(ending == Ending::GoesOn);
        if endless == ENDLESS {
            break;
        }
    }
    Ok(())
}

fn leave_in_state(
    bench: &Bench,
    word: &Word,
    way: &Way,
    state: u64,
    draws: &mut Draws,
) -> Result<Ending, Broken> {
    let drawn = bench.draw(state, draws);
    let memory = bench.save();
    // SAFETY: one thread, and no block is running: nothing else looks at it.
    prepare(unsafe { &mut *&raw mut BEFORE }, bench, way, &drawn, draws);
    // SAFETY: what the block does is what is being found out, and the process is there for
    // nothing else.
    let ending = in_a_process(word, || unsafe { (way.entry)() });
    let given = given(bench.block, &drawn);
    match ending {
        Ending::Returned => broken("noreturn", format!("it returns{given}"))?,
        Ending::Crashed(_) => broken("crash", format!("it {}{given}", ending.describe()))?,
        _ => {}
    }
    let seen_memory = bench.save();
    compare(bench, word, &drawn, &memory, ending, &seen_memory).map(|()| ending)
}

/// Whether the story can end so: for one choice of what it leaves open.
fn compare(
    bench: &Bench,
    word: &Word,
    drawn: &[Bits],
    memory: &Memory,
    ending: Ending,
    seen_memory: &Memory,
) -> Result<(), Broken> {
    let mut open = candidates(bench, drawn, drawn, seen_memory);
    if let Ending::Exited(status) = ending {
        open.insert(0, status as u64);
    }
    let mut picks: Vec<usize> = (0..open.len()).collect();
    let mut first = None;
    for trial in 0..TRIALS {
        bench.restore(memory);
        let choices = picks.iter().map(|pick| open[pick % open.len()]).collect();
        let told = in_a_process(word, || {
            choose(choices);
            let mut told = drawn.to_vec();
            if catch_unwind(AssertUnwindSafe(|| (bench.block.story)(&mut told))).is_err() {
                word.said.store(PANICKED, Relaxed);
                // SAFETY: it ends this process, which has nothing more to do.
                unsafe { _exit(0) };
            }
        });
        let allowed = !word.refused.load(Relaxed);
        let found = compare_endings(bench, drawn, ending, told, seen_memory);
        if allowed && found.is_ok() {
            return Ok(());
        }
        let refusal = format!("it {}, which the story does not allow", ending.describe());
        first.get_or_insert(if allowed { found } else { broken("ending", refusal) });
        let asked = word.asked.load(Relaxed);
        if asked == 0 || open.is_empty() {
            break;
        }
        picks = numeral(trial, open.len(), asked);
    }
    first.expect("there was a trial")
}

fn compare_endings(
    bench: &Bench,
    drawn: &[Bits],
    ending: Ending,
    told: Ending,
    seen_memory: &Memory,
) -> Result<(), Broken> {
    if ending == told {
        // What goes on was stopped anywhere.
        let is_done = ending != Ending::GoesOn;
        return if is_done { difference(bench, drawn, drawn, drawn, seen_memory) } else { Ok(()) };
    }
    let kind = match (ending, told) {
        (_, Ending::Panicked) => "panic",
        (Ending::GoesOn, _) => "hang",
        _ => "ending",
    };
    let (seen, told) = (ending.describe(), told.describe());
    broken(kind, format!("it {seen}, and the story {told}{}", given(bench.block, drawn)))
}

/// Do the work in a process of its own, and see how that ends.
fn in_a_process(word: &Word, work: impl FnOnce()) -> Ending {
    word.said.store(NOTHING, Relaxed);
    word.asked.store(0, Relaxed);
    word.refused.store(false, Relaxed);
    // SAFETY: this process has one thread, whose copy is whole.
    let child = unsafe { fork() };
    assert!(child >= 0, "no process can be started");
    if child == 0 {
        limit();
        work();
        word.said.store(RETURNED, Relaxed);
        // SAFETY: it ends this process, which has nothing more to do.
        unsafe { _exit(0) };
    }
    let mut status = 0;
    // SAFETY: the status is written to what is there for it.
    assert!(unsafe { waitpid(child, &mut status, 0) } == child, "a process is lost");
    const ABORTS: [i32; 3] = [4, 5, 6];
    const CLOCKS: [i32; 2] = [14, 27];
    match (word.said.load(Relaxed), status & 0x7f) {
        (RETURNED, _) => Ending::Returned,
        (PANICKED, _) => Ending::Panicked,
        (_, 0) => Ending::Exited(status >> 8 & 0xff),
        (_, signal) if ABORTS.contains(&signal) => Ending::Aborted,
        (_, signal) if CLOCKS.contains(&signal) => Ending::GoesOn,
        (_, signal) => Ending::Crashed(signal),
    }
}

/// Have this process end at last, with its parent at the latest, and leave nothing behind.
fn limit() {
    const DIE_WITH_PARENT: i32 = 1;
    const DUMPABLE: i32 = 4;
    const KILL: u64 = 9;
    // SAFETY: the calls read what they are given.
    unsafe {
        prctl(DIE_WITH_PARENT, KILL);
        prctl(DUMPABLE, 0);
    }
    crate::signals::limit(WORKING, WAITING);
}
