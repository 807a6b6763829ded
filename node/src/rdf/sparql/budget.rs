//! What one query may use: time, memory, and whether anybody still waits.
//!
//! The evaluator looks at its cancellation token only where it reads quads; a
//! product of two lists reads none, and no limit on memory exists. What every
//! step of it does is copy, compare and read terms. So each term carries the
//! budget, and its copy, comparison or reading is where a query ends. Those
//! operations cannot return an error; the query's thread is unwound instead,
//! without a message, up to the one place that started it.

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::{Costly, MEMORY_BYTES_MAX, TERM_TEXT_BYTES_MAX, TEXT_BYTES_MAX};
use crate::store::ReadStoreError;

/// Steps between two looks at the clock.
const LOOK_EVERY: u32 = 256;
/// Bytes that a term takes where solutions are kept, with its share of the list around it.
const TERM_BYTES: usize = 32;
/// Bytes per variable of the query that a term is charged for places left empty beside it.
const EMPTY_BYTES: usize = 6;

/// The payload of the unwinding; no other panic has it.
pub(super) struct Halt;

/// Why a query ended before its answer.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was too costly.
    Costly(Costly),
    /// Nobody waits for it any more.
    Abandoned,
    /// The graph could not be read.
    Store(ReadStoreError),
}

/// The budget of one query. Its strong count is the number of terms that are alive.
pub(super) struct Budget {
    deadline: Instant,
    abandoned: Arc<AtomicBool>,
    terms_max: usize,
    /// Bytes of text that may be read, where the query collects what it reads.
    collected_left: Cell<Option<usize>>,
    made_bytes: Cell<usize>,
    steps: Cell<u32>,
    ended: RefCell<Option<Ended>>,
}

impl Budget {
    pub(super) fn new(
        deadline: Instant,
        abandoned: Arc<AtomicBool>,
        variables: usize,
        collects: bool,
    ) -> Rc<Self> {
        Rc::new(Self {
            deadline,
            abandoned,
            terms_max: MEMORY_BYTES_MAX / (TERM_BYTES + EMPTY_BYTES * variables),
            collected_left: Cell::new(collects.then_some(TEXT_BYTES_MAX)),
            made_bytes: Cell::new(0),
            steps: Cell::new(0),
            ended: RefCell::new(None),
        })
    }

    /// Why the query ended; `None` if it did not.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended.borrow_mut().take()
    }

    /// One step of the evaluation.
    pub(super) fn step(self: &Rc<Self>) {
        let steps = self.steps.get().wrapping_add(1);
        self.steps.set(steps);
        if steps.is_multiple_of(LOOK_EVERY) {
            self.look();
        }
    }

    fn look(self: &Rc<Self>) {
        if Rc::strong_count(self) > self.terms_max {
            self.end(Ended::Costly(Costly::Memory));
        } else if self.abandoned.load(Ordering::Relaxed) {
            self.end(Ended::Abandoned);
        } else if Instant::now() >= self.deadline {
            self.end(Ended::Costly(Costly::Time));
        }
    }

    /// Text was read out of a term.
    pub(super) fn read(&self, bytes: usize) {
        if let Some(left) = self.collected_left.get() {
            match left.checked_sub(bytes) {
                Some(left) => self.collected_left.set(Some(left)),
                None => self.end(Ended::Costly(Costly::Text)),
            }
        }
    }

    /// A term of so many bytes was made, which the graph does not know.
    pub(super) fn made(&self, bytes: usize) {
        self.made_bytes.set(self.made_bytes.get() + bytes);
        if bytes > TERM_TEXT_BYTES_MAX || self.made_bytes.get() > TEXT_BYTES_MAX {
            self.end(Ended::Costly(Costly::Text));
        }
    }

    /// Such a term is gone.
    pub(super) fn dropped(&self, bytes: usize) {
        self.made_bytes.set(self.made_bytes.get().saturating_sub(bytes));
    }

    /// What was read, unless the graph could not be read: then the query ends.
    pub(super) fn stored<T>(&self, read: Result<T, ReadStoreError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.end(Ended::Store(error));
                None
            }
        }
    }

    /// Ends the query, once: while its values are dropped nothing ends again.
    fn end(&self, why: Ended) {
        let first = self.ended.borrow().is_none();
        if first && !std::thread::panicking() {
            *self.ended.borrow_mut() = Some(why);
            resume_unwind(Box::new(Halt));
        }
    }
}
