//! The variants: a file for each, and a line for each in [`VARIANTS`].

mod addresses;
mod atomic;
mod cached_base;
mod cell;
mod cell_slice;
mod deref_mut;
mod exposed;
mod index;
mod kept_borrow;
mod lent_borrow;
mod non_null;
mod non_null_as_integer;
mod owner;
mod raw;
mod reborrow;
mod shared_base;
mod slice_ptr;
mod transmuted;
mod unexposed;
mod unsafe_cell;
mod vm_ptr;
mod with_addr;
mod wrapped;

pub use addresses::{Addresses, Scheme};
pub use atomic::Atomic;
pub use cached_base::CachedBase;
pub use cell::CellBytes;
pub use cell_slice::CellSlice;
pub use deref_mut::DerefMut;
pub use exposed::{Exposed, VmPtr};
pub use index::Index;
pub use kept_borrow::KeptBorrow;
pub use lent_borrow::LentBorrow;
pub use non_null::NonNullBase;
pub use non_null_as_integer::NonNullAsInteger;
pub use owner::Owner;
pub use raw::Raw;
pub use reborrow::Reborrow;
pub use shared_base::SharedBase;
pub use slice_ptr::SlicePtr;
pub use transmuted::Transmuted;
pub use unexposed::Unexposed;
pub use unsafe_cell::UnsafeCellSlice;
pub use vm_ptr::{VmPtrs, VmSafe};
pub use with_addr::WithAddr;
pub use wrapped::Wrapped;

use crate::memory::Memory;
use crate::outcome::Outcome;
use crate::program::Program;

/// A variant in a table.
pub struct Entry {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// The [`id`] of the name.
    pub id: u64,
    /// [`execute`](crate::machine::execute) for the variant, under the same conditions.
    pub execute: unsafe fn(&mut Memory, &Program<'_>, bool) -> Outcome,
}

/// The [`Entry`] of a variant: `entry!("name", Type)`.
///
/// A macro, since a type with a lifetime yet to be chosen cannot be a generic argument.
#[macro_export]
macro_rules! entry {
    ($name:literal, $variant:ty) => {
        $crate::Entry {
            name: $name,
            id: const { $crate::variants::id($name) },
            // No closure: to call one through a pointer is two calls.
            execute: {
                unsafe fn execute(
                    memory: &mut $crate::memory::Memory,
                    program: &$crate::program::Program<'_>,
                    marked: bool,
                ) -> $crate::Outcome {
                    // SAFETY: it asks for what the caller of this function promises.
                    unsafe { $crate::machine::execute::<$variant>(memory, program, marked) }
                }
                execute
            },
        }
    };
}

/// Every variant of this crate.
pub const VARIANTS: &[Entry] = &[
    entry!("reborrow", Reborrow),
    entry!("owner", Owner),
    entry!("deref-mut", DerefMut),
    entry!("raw", Raw),
    entry!("slice-ptr", SlicePtr),
    entry!("wrapped", Wrapped),
    entry!("cell", CellBytes),
    entry!("cell-slice", CellSlice),
    entry!("exposed", Exposed),
    entry!("index", Index),
    entry!("non-null", NonNullBase),
    entry!("with-addr", WithAddr),
    entry!("atomic", Atomic),
    entry!("unsafe-cell", UnsafeCellSlice),
    entry!("vm-ptr", VmPtrs),
    entry!("unexposed", Unexposed),
    entry!("transmuted", Transmuted),
    entry!("shared-base", SharedBase),
    entry!("cached-base", CachedBase),
    entry!("kept-borrow", KeptBorrow),
    entry!("lent-borrow", LentBorrow),
    entry!("non-null-as-integer", NonNullAsInteger),
];

/// The variant called `name` in `table`.
pub fn find<'t>(table: &'t [Entry], name: &[u8]) -> Option<&'t Entry> {
    let count = table.len();
    let mut at = 0;
    while at < count {
        if table[at].name.as_bytes() == name {
            return Some(&table[at]);
        }
        at += 1;
    }
    None
}

/// The variant with this [`id`] in `table`; quicker to interpret than [`find`].
pub fn find_by_id(table: &[Entry], id: u64) -> Option<&Entry> {
    let count = table.len();
    let mut at = 0;
    while at < count {
        if table[at].id == id {
            return Some(&table[at]);
        }
        at += 1;
    }
    None
}

/// A name as a number of 63 bits: half of FNV-1a, as `harness/engines/miri_vm_batch.py` has it.
pub const fn id(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash >> 1
}
