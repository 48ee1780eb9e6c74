//! Threads by the system's own functions, which take an interpreter a tenth of the library's time.

use std::ptr::{null, null_mut};

/// What a thread runs.
pub type Routine = extern "C" fn(*mut u8) -> *mut u8;

unsafe extern "C" {
    fn pthread_create(
        thread: *mut usize,
        attributes: *const u8,
        routine: Routine,
        argument: *mut u8,
    ) -> i32;
    fn pthread_join(thread: usize, result: *mut *mut u8) -> i32;
}

/// Start a thread that nobody waits for.
pub fn start(routine: Routine, argument: *mut u8) -> usize {
    let mut thread = 0;
    // SAFETY: it writes the thread, and passes the argument on.
    let failed = unsafe { pthread_create(&mut thread, null(), routine, argument) };
    assert!(failed == 0, "no thread can be started");
    thread
}

/// A thread that is waited for where this is dropped, be it by a panic.
pub struct Joined(usize);

impl Joined {
    /// # Safety
    ///
    /// `argument` is good for the routine until this is dropped.
    pub unsafe fn start(routine: Routine, argument: *mut u8) -> Joined {
        Joined(start(routine, argument))
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        // SAFETY: it comes from `start`, and only this waits for it; its result is not asked for.
        unsafe { pthread_join(self.0, null_mut()) };
    }
}
