//! The host: functions outside of the VM, which are lent the memory for a call.

/// The byte at an address.
pub fn read(memory: &[u8], addr: usize) -> u8 {
    memory[addr]
}

/// Changes the byte at an address.
pub fn write(memory: &mut [u8], addr: usize, byte: u8) {
    memory[addr] = byte;
}
