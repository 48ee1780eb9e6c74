//! One file, as anybody would run it under Miri.

fn main() {
    let path = std::env::args_os().nth(1).expect("a file");
    replay_subject::run(&std::fs::read(path).expect("a file that can be read"));
}
