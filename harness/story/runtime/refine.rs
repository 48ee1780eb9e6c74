//! Refinement: a block on many drawn states beside its story. Whatever a program could see of
//! the block, the story has to have done as well, and the block has to leave everything else.
//!
//! The last line on standard output is `holds ADVICE` or `broken KIND TEXT`.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::arena::{Arena, PAGE, Stack};
use crate::draws::{Bits, Draws, Value};
use crate::machine::{AFTER, BEFORE, DIRECTION, EXCEPTIONS, Machine, NAMES, STACK_POINTER, STATUS};

const STATES: u64 = 10_000;

/// How often a story that leaves something open is told, to find out if it allows what was seen.
pub const TRIALS: usize = 1000;

pub struct Operand {
    pub name: &'static str,
    pub read: bool,
    pub written: bool,
    /// Whether what is written is a value that goes anywhere.
    pub given: bool,
    pub vector: bool,
    pub float: bool,
    pub bytes: usize,
    pub ranges: &'static [(i128, i128)],
    /// Size, alignment, and whether its bytes are drawn, where it points to memory.
    pub memory: Option<(usize, usize)>,
}

/// One choice of registers. `registers`: for each operand, by its number.
pub struct Way {
    pub entry: unsafe extern "C" fn(),
    pub registers: &'static [usize],
}

pub struct Static {
    pub name: &'static str,
    pub at: fn() -> *mut u8,
    pub size: usize,
}

pub struct Block {
    pub name: &'static str,
    pub operands: &'static [Operand],
    pub ways: &'static [Way],
    /// A bit for each register that it may overwrite: general ones, then from 16 vectors.
    pub clobbered: u32,
    pub returns: bool,
    pub nostack: bool,
    pub preserves_flags: bool,
    pub statics: &'static [Static],
    /// Tells the story: takes the operands' bits, and puts those that it writes in their place.
    pub story: fn(&mut [Bits]),
}

/// Why a block does not refine its story.
pub struct Broken {
    pub kind: &'static str,
    pub text: String,
}

pub fn broken(kind: &'static str, text: String) -> Result<(), Broken> {
    Err(Broken { kind, text })
}

/// What a block could have promised as well.
pub struct Unused {
    flags: bool,
    stack: bool,
}

thread_local! {
    static CHOICES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static ALLOWED: Cell<bool> = const { Cell::new(true) };
}

/// A value that the story leaves open.
pub fn any<T: Value>() -> T {
    let number = ASKED.get();
    ASKED.set(number + 1);
    crate::leaving::asked(number + 1);
    T::from_bits(CHOICES.with_borrow(|choices| choices.get(number).copied().unwrap_or(0)))
}

/// A value that the story leaves open, out of those that it allows.
pub fn any_where<T: Value>(allowed: impl Fn(&T) -> bool) -> T {
    let value = any();
    if !allowed(&value) {
        ALLOWED.set(false);
        crate::leaving::refused();
    }
    value
}

/// Begin to tell a story, with what it leaves open chosen so.
pub fn choose(choices: Vec<u64>) {
    CHOICES.set(choices);
    ASKED.set(0);
    ALLOWED.set(true);
}

/// Everything that a program could see of the memory that a block reaches.
#[derive(PartialEq, Clone)]
pub struct Memory(Vec<Vec<u8>>);

/// The block and all that it works on.
pub struct Bench {
    pub block: &'static Block,
    arenas: Vec<Option<Arena>>,
    pub stack: Stack,
}

impl Bench {
    pub fn new(block: &'static Block) -> Bench {
        let arenas = block.operands.iter().map(|each| each.memory.map(|_| Arena::new()));
        Bench { block, arenas: arenas.collect(), stack: Stack::new() }
    }

    /// The pages and the statics, each as a whole.
    fn memory(&self) -> impl Iterator<Item = (&'static str, &'static mut [u8])> {
        let names = self.block.operands.iter().map(|each| each.name);
        let pages = names.zip(&self.arenas).filter_map(|(name, each)| Some((name, each.as_ref()?)));
        let statics = self.block.statics.iter().map(|each| {
            // SAFETY: the static lives for good and is this thread's alone.
            (each.name, unsafe { std::slice::from_raw_parts_mut((each.at)(), each.size) })
        });
        pages.map(|(name, each)| (name, each.bytes())).chain(statics)
    }

    pub fn save(&self) -> Memory {
        Memory(self.memory().map(|(_, bytes)| bytes.to_vec()).collect())
    }

    pub fn restore(&self, kept: &Memory) {
        for ((_, bytes), before) in self.memory().zip(&kept.0) {
            bytes.copy_from_slice(before);
        }
    }

    /// The operands of one state, with the memory that they point to.
    pub fn draw(&self, state: u64, draws: &mut Draws) -> Vec<Bits> {
        let operands = self.block.operands.iter().zip(&self.arenas);
        operands
            .map(|(operand, arena)| {
                let (Some(arena), Some((size, align))) = (arena, operand.memory) else {
                    let is_any = operand.ranges.is_empty();
                    return if operand.float && is_any {
                        draws.float(operand.bytes)
                    } else {
                        draws.operand(operand.ranges)
                    };
                };
                let page = arena.bytes();
                page.fill(0xa5 ^ state as u8);
                // In one state against the page before it, in the next against the page behind it.
                let at = if state % 2 == 1 { (PAGE - size) / align * align } else { 0 };
                draws.fill(&mut page[at..at + size]);
                [page.as_ptr() as u64 + at as u64, 0, 0, 0]
            })
            .collect()
    }

    /// Where in its page the operand's memory begins, and its size.
    fn inside(&self, index: usize, drawn: &[Bits]) -> Option<(usize, usize)> {
        let page = self.arenas[index].as_ref()?.bytes();
        let (size, _) = self.block.operands[index].memory?;
        Some((drawn[index][0] as usize - page.as_ptr() as usize, size))
    }

    /// Whether the byte is one that the block was given, and not one around it.
    fn is_given(&self, name: &str, drawn: &[Bits], at: usize) -> bool {
        let operand = self.block.operands.iter().position(|each| each.name == name);
        let inside = operand.and_then(|index| self.inside(index, drawn));
        inside.is_none_or(|(first, size)| (first..first + size).contains(&at))
    }
}

/// What states are drawn from: by the number behind the story on the command line, 0 where there is none.
pub fn draws() -> Draws {
    let seed = std::env::args().nth(2).map_or(0, |seed| seed.parse::<u64>().expect("a number"));
    Draws::new(0x5eed ^ (seed << 32))
}

/// Run the block on every state. Also says what it never did.
pub fn refine(block: &'static Block) -> Result<Unused, Broken> {
    if !block.returns {
        // Nobody is left to see flags or a stack.
        return crate::leaving::leave(block).map(|()| Unused { flags: false, stack: false });
    }
    let bench = Bench::new(block);
    let mut draws = draws();
    let mut unused = Unused { flags: true, stack: true };
    for state in 0..STATES {
        let way = &block.ways[state as usize % block.ways.len()];
        crate::signals::at(block.name, state);
        run_state(&bench, way, state, &mut draws, &mut unused).map_err(|found| Broken {
            kind: found.kind,
            text: format!("{} in drawn state {state}: {}", block.name, found.text),
        })?;
    }
    Ok(unused)
}

fn run_state(
    bench: &Bench,
    way: &Way,
    state: u64,
    draws: &mut Draws,
    unused: &mut Unused,
) -> Result<(), Broken> {
    let block = bench.block;
    let drawn = bench.draw(state, draws);
    let memory = bench.save();
    bench.stack.red_zone().fill(0x5a ^ state as u8);
    bench.stack.frame().fill(0x3c ^ state as u8);
    let (zone, frame) = (bench.stack.red_zone().to_vec(), bench.stack.frame().to_vec());
    // SAFETY: one thread, and no block is running: nothing else looks at the two.
    let (before, after) = unsafe { (&mut *&raw mut BEFORE, &mut *&raw mut AFTER) };
    prepare(before, bench, way, &drawn, draws);
    // SAFETY: the entry saves and restores all that it changes beside `AFTER`; what the block does
    // is what is being found out, and the process is there for nothing else.
    unsafe { (way.entry)() };
    let (before, after): (&Machine, &Machine) = (before, after);
    if bench.stack.frame() != frame {
        return broken("stack", "it wrote over its caller's part of the stack".into());
    }
    let zone_kept = bench.stack.red_zone() == zone;
    unused.stack &= zone_kept;
    if block.nostack && !zone_kept {
        return broken("red-zone", "it wrote below the stack pointer, in spite of nostack".into());
    }
    compare_machines(block, way, before, after, unused)?;
    let mut seen = drawn.clone();
    for (bits, (operand, register)) in seen.iter_mut().zip(block.operands.iter().zip(way.registers))
    {
        if operand.written {
            *bits = read(operand, *register, after);
        }
    }
    let seen_memory = bench.save();
    compare_with_story(bench, &drawn, &memory, &seen, &seen_memory)
}

pub fn prepare(before: &mut Machine, bench: &Bench, way: &Way, drawn: &[Bits], draws: &mut Draws) {
    before.reset(draws.bits() as u32);
    before.flags = 2 | (draws.bits() & STATUS);
    for number in 0..16 {
        before.general[number] = draws.number();
        before.set_vector(number, [draws.bits(), draws.bits(), draws.bits(), draws.bits()]);
    }
    before.general[STACK_POINTER] = bench.stack.pointer();
    for ((operand, register), bits) in bench.block.operands.iter().zip(way.registers).zip(drawn) {
        if !operand.read {
            continue;
        }
        // What lies above a value in its register is anything.
        let mut value = if operand.vector {
            before.vector(*register)
        } else {
            [before.general[*register], 0, 0, 0]
        };
        for byte in 0..operand.bytes {
            let shift = byte % 8 * 8;
            value[byte / 8] &= !(0xff << shift);
            value[byte / 8] |= bits[byte / 8] & (0xff << shift);
        }
        if operand.vector {
            before.set_vector(*register, value);
        } else {
            before.general[*register] = value[0];
        }
    }
}

fn read(operand: &Operand, register: usize, after: &Machine) -> Bits {
    let whole =
        if operand.vector { after.vector(register) } else { [after.general[register], 0, 0, 0] };
    masked(operand, whole)
}

fn masked(operand: &Operand, mut bits: Bits) -> Bits {
    for (number, word) in bits.iter_mut().enumerate() {
        let kept = operand.bytes.saturating_sub(8 * number).min(8);
        if kept < 8 {
            *word &= (1 << (8 * kept)) - 1;
        }
    }
    bits
}

/// What a block must leave as it was, whatever its story.
fn compare_machines(
    block: &Block,
    way: &Way,
    before: &Machine,
    after: &Machine,
    unused: &mut Unused,
) -> Result<(), Broken> {
    let moved = after.general[STACK_POINTER].wrapping_sub(before.general[STACK_POINTER]);
    if moved != 0 {
        return broken("stack-pointer", format!("it moved the stack pointer by {}", moved as i64));
    }
    if after.flags & DIRECTION != 0 {
        return broken("direction-flag", "it left the direction flag set".into());
    }
    if (before.mxcsr() ^ after.mxcsr()) & !EXCEPTIONS != 0 {
        let (was, is) = (before.mxcsr(), after.mxcsr());
        return broken("mxcsr", format!("the control bits of MXCSR were {was:#x}, are {is:#x}"));
    }
    if before.x87_control() != after.x87_control() {
        let (was, is) = (before.x87_control(), after.x87_control());
        return broken("x87-control", format!("the x87 control word was {was:#x}, is {is:#x}"));
    }
    if before.x87_stack() != after.x87_stack() {
        return broken("x87-stack", "it left something on the x87 stack".into());
    }
    let changed = (before.flags ^ after.flags) & STATUS;
    let exceptions = (before.mxcsr() ^ after.mxcsr()) & EXCEPTIONS;
    let flags_kept = changed == 0 && exceptions == 0 && before.x87_status() == after.x87_status();
    unused.flags &= flags_kept;
    if block.preserves_flags && !flags_kept {
        let text = "it changed flags, in spite of preserves_flags";
        return broken("flags", format!("{text}: {changed:#x}, exceptions {exceptions:#x}"));
    }
    for number in 0..32 {
        let (vector, index) = (number >= 16, number % 16);
        let operand = block
            .operands
            .iter()
            .zip(way.registers)
            .find(|(each, register)| each.vector == vector && **register == index);
        let written =
            block.operands.iter().zip(way.registers).any(|(each, register)| {
                each.written && each.vector == vector && *register == index
            });
        if written || block.clobbered & (1 << number) != 0 || number == STACK_POINTER {
            continue;
        }
        let (was, is) = if vector {
            (before.vector(index), after.vector(index))
        } else {
            ([before.general[index], 0, 0, 0], [after.general[index], 0, 0, 0])
        };
        if was != is {
            let name = if vector { format!("ymm{index}") } else { NAMES[index].into() };
            let (was, is) = (show(&was), show(&is));
            return match operand {
                Some((each, _)) => broken(
                    "in-operand",
                    format!("the in operand {} ({name}) was {was}, is {is}", each.name),
                ),
                None => broken("register", format!("{name}, not declared, was {was}, is {is}")),
            };
        }
    }
    Ok(())
}

/// Whether the story can do what was seen: for one choice of what it leaves open.
fn compare_with_story(
    bench: &Bench,
    drawn: &[Bits],
    memory: &Memory,
    seen: &[Bits],
    seen_memory: &Memory,
) -> Result<(), Broken> {
    let candidates = candidates(bench, drawn, seen, seen_memory);
    let mut picks: Vec<usize> = (0..candidates.len()).collect();
    let mut first = None;
    for trial in 0..TRIALS {
        let choices = picks.iter().map(|pick| candidates[pick % candidates.len()]).collect();
        choose(choices);
        bench.restore(memory);
        let mut told = drawn.to_vec();
        if catch_unwind(AssertUnwindSafe(|| (bench.block.story)(&mut told))).is_err() {
            return broken("panic", "the story panics where the block comes to its end".into());
        }
        let found = difference(bench, drawn, seen, &told, seen_memory);
        if ALLOWED.get() && found.is_ok() {
            return Ok(());
        }
        let asked = ASKED.get();
        let refused = "the block came to what the story does not allow".to_string();
        let found = if ALLOWED.get() { found } else { broken("output", refused) };
        first.get_or_insert(found);
        if asked == 0 || candidates.is_empty() {
            break;
        }
        picks = numeral(trial, candidates.len(), asked);
    }
    bench.restore(seen_memory);
    first.expect("there was a trial")
}

/// The digits of a number: each choice is made before any is made again.
pub fn numeral(mut number: usize, base: usize, digits: usize) -> Vec<usize> {
    (0..digits)
        .map(|_| {
            let digit = number % base;
            number /= base;
            digit
        })
        .collect()
}

/// What an open choice may have been: what came out.
pub fn candidates(bench: &Bench, drawn: &[Bits], seen: &[Bits], seen_memory: &Memory) -> Vec<u64> {
    let mut found = Vec::new();
    for (operand, bits) in bench.block.operands.iter().zip(seen) {
        if operand.given {
            found.extend(&bits[..operand.bytes.div_ceil(8)]);
        }
    }
    let mut pages = seen_memory.0.iter();
    for index in 0..bench.arenas.len() {
        let Some((first, size)) = bench.inside(index, drawn) else { continue };
        let page = pages.next().expect("each arena's page comes in the order of the operands");
        for chunk in page[first..first + size.min(32)].chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            found.push(u64::from_le_bytes(word));
        }
    }
    found
}

/// In what the story's end differs from the block's, the page of each operand included.
pub fn difference(
    bench: &Bench,
    drawn: &[Bits],
    seen: &[Bits],
    told: &[Bits],
    seen_memory: &Memory,
) -> Result<(), Broken> {
    for ((name, bytes), seen) in bench.memory().zip(&seen_memory.0) {
        let Some(at) = (0..bytes.len()).find(|at| bytes[*at] != seen[*at]) else { continue };
        let (seen, told) = (seen[at], bytes[at]);
        let (kind, place) = if bench.is_given(name, drawn, at) {
            ("memory", "of")
        } else {
            ("out-of-bounds", "outside of")
        };
        let text = format!("a byte {place} {name} is {seen:#x}, and in the story {told:#x}");
        return broken(kind, text);
    }
    for ((operand, seen), told) in bench.block.operands.iter().zip(seen).zip(told) {
        let (seen, told) = (masked(operand, *seen), masked(operand, *told));
        if operand.given && seen != told && !(is_nan(operand, seen) && is_nan(operand, told)) {
            let (name, seen, told) = (operand.name, show(&seen), show(&told));
            let given = given(bench.block, drawn);
            let text = format!("{name} is {seen}, and in the story {told}{given}");
            return broken("output", text);
        }
    }
    Ok(())
}

/// Which pattern a NaN has is nobody's promise.
fn is_nan(operand: &Operand, bits: Bits) -> bool {
    match operand.bytes {
        4 => operand.float && f32::from_bits(bits[0] as u32).is_nan(),
        _ => operand.float && f64::from_bits(bits[0]).is_nan(),
    }
}

pub fn given(block: &Block, drawn: &[Bits]) -> String {
    let mut text = String::new();
    for (operand, bits) in block.operands.iter().zip(drawn) {
        if operand.read {
            let separator = if text.is_empty() { ", for " } else { ", " };
            let shown = show(&masked(operand, *bits));
            write!(text, "{separator}{} = {shown}", operand.name).expect("a string takes all");
        }
    }
    text
}

fn show(bits: &Bits) -> String {
    let words: Vec<_> = bits.iter().rev().skip_while(|word| **word == 0).collect();
    match words.split_first() {
        None => "0x0".into(),
        Some((first, rest)) => {
            rest.iter().fold(format!("{first:#x}"), |text, word| format!("{text}{word:016x}"))
        }
    }
}

/// What the block could promise and does not.
pub fn advice(block: &Block, unused: &Unused) -> Vec<&'static str> {
    let mut found = Vec::new();
    if unused.flags && !block.preserves_flags {
        found.push("preserves_flags");
    }
    if unused.stack && !block.nostack {
        found.push("nostack");
    }
    found
}

/// Refine the block, or end with the reason why it does not.
pub fn run_block(block: &'static Block, found: &mut Vec<String>) {
    match refine(block) {
        Ok(unused) => found
            .extend(advice(block, &unused).iter().map(|each| format!("{}: {each}", block.name))),
        Err(Broken { kind, text }) => end("broken", &format!("{kind} {text}")),
    }
}

/// Run the case's own program, with the blocks themselves in it.
pub fn run_program(program: fn(), rounds: u64) {
    std::panic::set_hook(Box::new(|_| {}));
    for round in 0..rounds {
        crate::signals::at("the program", round);
        if let Err(panic) = catch_unwind(program) {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("it panics");
            end("broken", &format!("program in round {round}: {said}"));
        }
    }
}

/// Say that everything held, and what could have been promised as well.
pub fn holds(found: &[String]) -> ! {
    end("holds", &found.join(", "))
}

/// The last line, and the end of the process.
pub fn end(word: &str, text: &str) -> ! {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::signals::say(format!("{word} {line}\n").as_bytes());
    std::process::exit(0)
}
