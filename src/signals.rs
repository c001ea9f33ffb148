//! Signals that end this program, held back where it must not end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use std::os::unix::thread::JoinHandleExt;

use anyhow::{Context, Result};
use nix::sys::pthread::pthread_kill;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use shims::Message;

/// What a person or a closing terminal ends a program with.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Runs what must be done whole or not at all: Ctrl-C and the like take effect behind it.
pub fn uninterrupted<T>(change: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = ending().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let done = change();
    before.thread_set_mask()?;
    done
}

/// Starts a program within [`uninterrupted`] that Ctrl-C ends: a program begins with the mask of the thread that starts
/// it, as of Rust 1.67. What came meanwhile takes effect here, so that nothing may have been changed yet.
pub fn interruptible<T>(start: impl FnOnce() -> T) -> Result<T> {
    let before = ending().thread_swap_mask(SigmaskHow::SIG_UNBLOCK)?;
    let started = start();
    before.thread_set_mask()?;
    Ok(started)
}

/// Until it is dropped, a signal that ends this program lets it clean up first.
pub struct CleansUp {
    before: SigSet,
    is_over: Arc<AtomicBool>,
    waiting: Option<JoinHandle<()>>,
}

impl CleansUp {
    /// Begins. No other thread may run that a signal could end this program in.
    pub fn with(clean_up: impl Fn() + Send + 'static) -> Result<Self> {
        let ignored = ignored();
        let is_heeded = |signal: &Signal| ignored & (1 << (*signal as i32 - 1)) == 0;
        // One is ours to end the thread with, ignored or not.
        let signals: SigSet = ENDING.into_iter().filter(is_heeded).chain([WAKING]).collect();
        let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let wait = move || {
            while let Ok(signal) = signals.wait() {
                if signal != WAKING {
                    clean_up();
                    // Whoever waits for this program learns how it ended.
                    _ = SigSet::from(signal).thread_unblock();
                    _ = raise(signal);
                } else if over.load(Ordering::SeqCst) {
                    return;
                }
            }
        };
        let mut cleans = Self { before, is_over, waiting: None };
        let thread = std::thread::Builder::new().spawn(wait);
        cleans.waiting = Some(thread.context(Message::new("could not start a thread", "see `ulimit -u`"))?);
        Ok(cleans)
    }
}

/// A signal that nobody sends, for the thread that waits.
const WAKING: Signal = Signal::SIGURG;

impl Drop for CleansUp {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(waiting) = self.waiting.take() {
            _ = pthread_kill(waiting.as_pthread_t(), WAKING);
            _ = waiting.join();
        }
        _ = self.before.thread_set_mask();
    }
}

/// The signals that this process was started to ignore, as bits from that of signal 1 on; none where the system has no
/// file that says so.
pub fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

fn ending() -> SigSet {
    ENDING.into_iter().collect()
}
