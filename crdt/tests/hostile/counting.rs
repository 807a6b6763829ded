//! An allocator that counts what the current thread holds, so that a test can
//! say how much memory one call took at its peak.

#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    // Constants without destructor: reading them allocates nothing.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    HELD.with(|held| {
        held.set(held.get() + bytes);
        PEAK.with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: all work is the system allocator's; the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs `work` and says how many bytes it held at its peak, above what was
/// held before.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    let outcome = work();
    let peak = PEAK.with(Cell::get);
    (outcome, usize::try_from(peak - before).unwrap_or(0))
}

#[test]
fn the_counter_sees_what_is_held_for_a_moment() {
    let ((), peak) = peak_of(|| drop(vec![1u8; 5_000_000]));
    assert!((5_000_000..5_100_000).contains(&peak), "{peak}");
    let (kept, peak) = peak_of(|| vec![1u8; 1_000]);
    assert!((1_000..2_000).contains(&peak), "{peak} for {}", kept.len());
}
