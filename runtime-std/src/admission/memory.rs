//! What is remembered of addresses, within a bound: whoever comes from ever new ones makes no more of it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// A value for each of at most so many addresses; beyond it the one that was touched longest ago is forgotten.
#[derive(Debug)]
pub(super) struct Remembered<T> {
    addresses_max: usize,
    by_address: HashMap<IpAddr, (u64, T)>,
    by_age: BTreeMap<u64, IpAddr>,
    touches: u64,
}

impl<T: Default> Remembered<T> {
    /// Nothing yet, and never more than this.
    pub(super) fn new(addresses_max: usize) -> Self {
        Self { addresses_max, by_address: HashMap::new(), by_age: BTreeMap::new(), touches: 0 }
    }

    /// What is remembered of this address; that does not make it younger.
    pub(super) fn get(&self, address: IpAddr) -> Option<&T> {
        self.by_address.get(&address).map(|(_, value)| value)
    }

    /// The same to be changed; it is the youngest then.
    pub(super) fn touch(&mut self, address: IpAddr) -> &mut T {
        self.touches += 1;
        let touched = self.touches;
        if let Some((before, _)) = self.by_address.get(&address) {
            self.by_age.remove(before);
        } else if self.by_address.len() >= self.addresses_max
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_address.remove(&oldest);
        }
        self.by_age.insert(touched, address);
        let (age, value) = self.by_address.entry(address).or_default();
        *age = touched;
        value
    }

    /// Forgets an address.
    pub(super) fn forget(&mut self, address: IpAddr) -> Option<T> {
        let (age, value) = self.by_address.remove(&address)?;
        self.by_age.remove(&age);
        Some(value)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.by_address.len(), self.by_age.len());
        self.by_address.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn beyond_the_bound_the_one_touched_longest_ago_is_forgotten() {
        let mut remembered: Remembered<u32> = Remembered::new(3);
        for number in [1, 2, 3, 1, 4] {
            *remembered.touch(address(number)) += 1;
        }
        let values: Vec<_> = (1..=4).map(|number| remembered.get(address(number)).copied()).collect();
        assert_eq!(values, [Some(2), None, Some(1), Some(1)]);
        assert_eq!(remembered.forget(address(1)), Some(2));
        for number in 0..100_000 {
            remembered.touch(address(number));
        }
        assert_eq!(remembered.len(), 3);
    }
}
