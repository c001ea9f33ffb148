//! What is wrong with certain versions of an agent, whatever a launch does.

/// A problem of an agent's own that was seen by running it.
#[derive(Clone, Copy, Debug)]
pub struct KnownProblem {
    /// The oldest version that it was seen in.
    pub since: &'static str,
    /// The oldest version that was run and does not have it; none while no such version is known.
    pub gone: Option<&'static str>,
    /// The problem, and what a launch or the user does about it.
    pub text: &'static str,
}

impl KnownProblem {
    /// In which versions it was seen, in words.
    pub fn versions(&self) -> String {
        match self.gone {
            Some(gone) => format!("seen in {}, gone in {gone}", self.since),
            None => format!("seen in {}", self.since),
        }
    }
}
