//! What is left of root's rights.

use super::error::ConfineError;
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};

/// What a server needs of root's rights: those over files, where it stays root; and to bind low ports.
pub(super) fn needed(stays_root: bool, keep_ports: bool) -> CapabilitySet {
    let files = CapabilitySet::CHOWN
        | CapabilitySet::DAC_OVERRIDE
        | CapabilitySet::DAC_READ_SEARCH
        | CapabilitySet::FOWNER
        | CapabilitySet::FSETID;
    let mut needed = CapabilitySet::empty();
    needed.set(files, stays_root);
    needed.set(CapabilitySet::NET_BIND_SERVICE, keep_ports);
    needed
}

/// Gives up all but these, for good. `limit` comes before, while the right to do so is there.
pub(super) fn narrow(keep: CapabilitySet) -> Result<(), ConfineError> {
    let failed = ConfineError::during("giving up capabilities");
    limit(keep)?;
    let left = rustix::thread::capabilities(None).map_err(&failed)?.permitted & keep;
    let sets = CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).map_err(failed)
}

/// Lets no program that might ever be run here have more than these.
pub(super) fn limit(keep: CapabilitySet) -> Result<(), ConfineError> {
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        if keep.contains(one) {
            continue;
        }
        match rustix::thread::remove_capability_from_bounding_set(one) {
            // The kernel knows no more of them.
            Err(Errno::INVAL) => break,
            // Without the right to do this there is little to be limited; and nothing is run here.
            Ok(()) | Err(Errno::PERM) => {}
            Err(errno) => return Err(ConfineError::during("limiting capabilities")(errno)),
        }
    }
    Ok(())
}

/// The names of those that are left, for the report.
pub(super) fn shown() -> String {
    let held = rustix::thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let names: Vec<String> = held.iter_names().map(|(name, _)| name.to_lowercase()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(",") }
}
