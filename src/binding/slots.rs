//! Things that JavaScript knows by number.

/// Things by number; the numbers of those that are gone are used again.
pub struct Slots<V> {
    slots: Vec<Option<V>>,
    free: Vec<u32>,
}

impl<V> Default for Slots<V> {
    fn default() -> Self {
        Slots {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<V> Slots<V> {
    /// Keeps `value` and returns its number.
    pub fn insert(&mut self, value: V) -> u32 {
        match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = Some(value);
                number
            }
            None => {
                self.slots.push(Some(value));
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Gives back what has this number.
    pub fn remove(&mut self, number: u32) -> Option<V> {
        let value = self.slots.get_mut(number as usize).and_then(Option::take)?;
        self.free.push(number);
        Some(value)
    }

    /// What has this number.
    #[inline]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut V> {
        self.slots.get_mut(number as usize).and_then(Option::as_mut)
    }

    /// Keeps only what `is_kept` says.
    pub fn retain(&mut self, is_kept: impl Fn(&V) -> bool) {
        for number in 0..self.slots.len() as u32 {
            if self.get_mut(number).is_some_and(|value| !is_kept(value)) {
                self.remove(number);
            }
        }
    }

    /// Everything that is kept.
    pub fn drain(&mut self) -> impl Iterator<Item = V> {
        self.free.clear();
        std::mem::take(&mut self.slots).into_iter().flatten()
    }
}
