//! Files: opened without waiting, replaced whole.

pub mod atomic;
pub mod nonblocking;
