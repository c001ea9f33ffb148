//! Short hashes, for names of folders and ids that follow from what they stand for.

use sha2::{Digest, Sha256};

/// The first 64 bits of the SHA-256 of `bytes`. Shorter names take the upper ones.
pub fn short_hash(bytes: impl AsRef<[u8]>) -> u64 {
    upper_bits(Sha256::new_with_prefix(bytes))
}

/// The same of several texts. Their lengths keep apart what would read alike once joined.
pub fn short_hash_of_all<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> u64 {
    upper_bits(texts.into_iter().fold(Sha256::new(), |hash, text| {
        let text = text.as_ref();
        hash.chain_update((text.len() as u64).to_le_bytes()).chain_update(text)
    }))
}

fn upper_bits(hash: Sha256) -> u64 {
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
