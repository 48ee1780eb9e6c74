//! Numbers between the target's order and little-endian.

/// What `from_le` and `to_le` give, without the call, which takes an interpreter as long as ten
/// additions.
#[cfg(target_endian = "little")]
macro_rules! le {
    ($number:expr) => {
        $number
    };
}

/// As above.
#[cfg(target_endian = "big")]
macro_rules! le {
    ($number:expr) => {
        $number.swap_bytes()
    };
}

/// The same of each number in an array.
#[cfg(target_endian = "little")]
macro_rules! le_each {
    ($numbers:expr) => {
        $numbers
    };
}

/// As above.
#[cfg(target_endian = "big")]
macro_rules! le_each {
    ($numbers:expr) => {
        $numbers.map(|number| number.swap_bytes())
    };
}

pub(crate) use {le, le_each};
