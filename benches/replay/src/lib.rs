//! eBPF programs in `rbpf`, whose interpreter reaches memory by addresses.

/// Runs `input`, eight bytes an instruction, over 64 bytes of memory of its own.
pub fn run(input: &[u8]) {
    let mut memory = [0; 64];
    // What the verifier refuses is no program.
    if let Ok(vm) = rbpf::EbpfVmRaw::new(Some(input)) {
        // A program that goes astray is stopped with an error.
        let _ = vm.execute_program(&mut memory);
    }
}
