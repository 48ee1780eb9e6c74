//! Siblings of what stands in `sound.rs`, each of which breaks one rule.

use core::arch::asm;
use core::ptr;
use std::sync::atomic::AtomicU64;
#[cfg(miri)]
use std::sync::atomic::Ordering;

/// Rule 3, output: the story does not count the highest bit.
pub fn popcount(x: u64) -> u64 {
    let count: u64;
    #[cfg(miri)]
    {
        count = u64::from((x << 1).count_ones());
    }
    #[cfg(not(miri))]
    unsafe {
        asm!("popcnt {}, {}", out(reg) count, in(reg) x, options(pure, nomem, nostack));
    }
    count
}

/// Rule 3, in-operand: the block changes `b`, which it only takes in.
#[cfg(not(miri))]
pub fn average(a: u32, b: u32) -> u32 {
    let sum: u32;
    unsafe {
        asm!(
            "add {b}, {a}",
            "shr {b}, 1",
            "mov {sum:e}, {b:e}",
            a = in(reg) a as u64,
            b = in(reg) b as u64,
            sum = out(reg) sum,
            options(pure, nomem, nostack),
        );
    }
    sum
}

#[cfg(miri)]
pub fn average(first: u32, second: u32) -> u32 {
    ((u64::from(first) + u64::from(second)) / 2) as u32
}

/// Rule 2, nomem: it writes.
pub fn store(place: &mut u64, value: u64) {
    if cfg!(miri) {
        *place = value;
    } else {
        unsafe {
            asm!("mov [{0}], {1}", in(reg) ptr::from_mut(place), in(reg) value, options(nomem))
        }
    }
}

/// Rule 1: the story reads `salt`, which the block is not given.
pub fn swap_bytes(x: u64) -> u64 {
    let salt = x & 1;
    #[cfg(miri)]
    {
        x.swap_bytes() ^ salt ^ salt
    }
    #[cfg(not(miri))]
    {
        let y: u64;
        unsafe { asm!("bswap {0}", inlateout(reg) x => y, options(pure, nomem, nostack)) };
        y
    }
}

/// Rule 3, output: the story gives the two in the other order.
pub fn divide(dividend: u32, divisor: u32) -> (u32, u32) {
    if cfg!(miri) {
        return (dividend % divisor, dividend / divisor);
    }
    let quotient: u32;
    let rest: u32;
    unsafe {
        asm!(
            "div {divisor:e}",
            divisor = in(reg) divisor,
            inlateout("eax") dividend => quotient,
            inlateout("edx") 0u32 => rest,
            options(pure, nomem, nostack),
        );
    }
    (quotient, rest)
}

/// Rule 3, register: it does not say that it overwrites rcx.
pub fn low_bits(x: u64) -> u64 {
    #[cfg(not(miri))]
    let low: u64 = unsafe {
        let bits;
        asm!(
            "mov {mask}, 255",
            "and {mask}, {x}",
            "mov {bits}, {mask}",
            "mov ecx, 7",
            mask = out(reg) _,
            x = in(reg) x,
            bits = out(reg) bits,
            options(pure, nomem, nostack),
        );
        bits
    };
    #[cfg(miri)]
    let low: u64 = x & 255;
    low
}

/// Rule 3, memory: the story forgets to add.
pub fn fetch_add(counter: &AtomicU64, amount: u64) -> u64 {
    let place: *mut u64 = counter.as_ptr();
    let before: u64;
    #[cfg(miri)]
    {
        let _ = amount;
        before = unsafe { AtomicU64::from_ptr(place).load(Ordering::SeqCst) };
    }
    #[cfg(not(miri))]
    unsafe {
        asm!("lock xadd [{}], {}", in(reg) place, inlateout(reg) amount => before)
    }
    before
}

/// Rule 3, flags: comparing changes them, in spite of preserves_flags.
pub fn choose(pair: &[u64; 2], second: bool) -> u64 {
    let chosen: u64;
    #[cfg(not(miri))]
    unsafe {
        asm!(
            "cmp {second}, 1",
            "mov {chosen}, [{pair} + 8 * {second}]",
            chosen = out(reg) chosen,
            pair = in(reg) pair.as_ptr(),
            second = in(reg) second as u64,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    #[cfg(miri)]
    {
        chosen = pair[usize::from(second)];
    }
    chosen
}

/// Rule 3, memory: the story leaves the last byte out.
///
/// # Safety
/// `start` points to `len` bytes that may be written.
pub unsafe fn fill(start: *mut u8, byte: u8, len: usize) {
    #[cfg(not(miri))]
    asm!(
        "rep stosb",
        inout("rdi") start => _,
        inout("rcx") len => _,
        in("al") byte,
        options(nostack, preserves_flags),
    );
    #[cfg(miri)]
    start.write_bytes(byte, len.saturating_sub(1));
}

/// Rule 3, output: the story gives the other root.
pub fn root(x: f64) -> f64 {
    #[cfg(miri)]
    {
        -x.sqrt()
    }
    #[cfg(not(miri))]
    {
        let root;
        unsafe {
            asm!(
                "sqrtsd {0}, {1}",
                out(xmm_reg) root,
                in(xmm_reg) x,
                options(pure, nomem, nostack),
            )
        };
        root
    }
}

/// Rule 3, memory: the story reads one number again and again.
///
/// # Safety
/// Both point to `count` numbers, `to` to some that may be written, and not to the same.
pub unsafe fn copy(mut to: *mut u32, from: *const u32, count: usize) {
    if cfg!(miri) {
        for _ in 0..count {
            *to = *from;
            to = to.add(1);
        }
        return;
    }
    asm!(
        "rep movsd",
        inout("rdi") to => _,
        inout("rsi") from => _,
        inout("rcx") count => _,
        options(nostack, preserves_flags),
    );
}
