//! placeholder replaced by the claude branch
use anyhow::Result;
use std::path::Path;
pub fn merge(_path: &Path, _merge: &shims::Merge, _key: Option<&str>) -> Result<()> {
    Ok(())
}
