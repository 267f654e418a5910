//! Names of one worker as addresses: each name that it looks up stands for an address of a range that is nobody's, and
//! a connection to that address is one to the name.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names that are known at a time; the one that was looked up longest ago makes room.
const MOST: usize = 4_096;
/// The range for measurements between networks (RFC 2544), which leads nowhere.
const BASE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// Addresses of the range, without its first.
const ADDRESSES: u32 = (1 << 17) - 2;

/// The names.
#[derive(Debug)]
pub(super) struct Names {
    base: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_name: HashMap<String, Known>,
    by_address: HashMap<Ipv4Addr, String>,
    /// How many were given out: addresses come again as late as they can.
    given: u32,
    /// Counts look-ups.
    time: u64,
}

#[derive(Debug)]
struct Known {
    address: Ipv4Addr,
    asked: u64,
}

impl Default for Names {
    fn default() -> Self {
        Self::within(BASE)
    }
}

impl Names {
    /// With addresses from another range of the same size.
    pub(super) fn within(base: Ipv4Addr) -> Self {
        Self { base: base.into(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address that stands for a name, which is in lower case.
    pub(super) fn address(&self, name: &str) -> Ipv4Addr {
        let mut state = self.state();
        state.time += 1;
        let now = state.time;
        if let Some(known) = state.by_name.get_mut(name) {
            known.asked = now;
            return known.address;
        }
        if state.by_name.len() >= MOST {
            let oldest = state.by_name.iter().min_by_key(|(_, known)| known.asked);
            if let Some((oldest, address)) = oldest.map(|(name, known)| (name.clone(), known.address)) {
                state.by_name.remove(&oldest);
                state.by_address.remove(&address);
            }
        }
        let address = loop {
            let address = Ipv4Addr::from(self.base + 1 + state.given % ADDRESSES);
            state.given = state.given.wrapping_add(1);
            if !state.by_address.contains_key(&address) {
                break address;
            }
        };
        state.by_name.insert(name.to_owned(), Known { address, asked: now });
        state.by_address.insert(address, name.to_owned());
        address
    }

    /// The name that an address stands for.
    pub(super) fn name(&self, address: Ipv4Addr) -> Option<String> {
        self.state().by_address.get(&address).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_address_until_many_others_were_asked_for() {
        let names = Names::default();
        let (first, second) = (names.address("a.example"), names.address("b.example"));
        assert_eq!((first, second), (Ipv4Addr::new(198, 18, 0, 1), Ipv4Addr::new(198, 18, 0, 2)));
        for n in 0..MOST - 1 {
            names.address(&format!("n{n}.example"));
            assert_eq!(names.address("b.example"), second);
        }
        assert_eq!((names.name(first), names.name(second)), (None, Some("b.example".to_owned())));
        assert_eq!(names.state().by_name.len(), MOST);
        // Its address is not another name's for long.
        let again = names.address("a.example");
        assert_ne!(again, first);
        // The range comes to its end and begins again, without what is taken.
        names.state().given = ADDRESSES - 10;
        for n in 0..20 {
            let address = names.address(&format!("m{n}.example"));
            let [a, b, ..] = address.octets();
            assert!(a == 198 && (b == 18 || b == 19), "{address}");
        }
        let counts = [names.state().by_name.len(), MOST];
        assert_eq!(counts, [MOST, names.state().by_address.len()]);
        assert_eq!(names.name(Ipv4Addr::new(198, 18, 0, 0)), None);
    }
}
