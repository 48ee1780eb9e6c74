//! One pointer program of the library `harness_cases`. An item is its number.
#![no_main]

mod stream;

/// Where Miri starts, without the runtime's own start.
#[unsafe(no_mangle)]
fn miri_start(_: isize, _: *const *const u8) -> isize {
    let Some(number) = stream::take_number() else {
        return 3;
    };
    stream::begin(number);
    let mut line = Vec::new();
    harness_cases::run(number as usize, &mut line);
    stream::finish(&line);
    0
}
