//! Buffers of numbers, and what happens where the system has no memory for one.

use std::ops::{Deref, DerefMut};

use crate::nn::error::{Code, Error, Result};
use crate::nn::vector::real::Real;

/// `count` zeros, or the error that the system has no memory for them.
pub fn zeros<T: Real>(count: usize, name: &str) -> Result<Vec<T>> {
    // Only asks whether there is so much.
    Vec::<T>::new().try_reserve_exact(count).map_err(|_| {
        let bytes = count as u128 * size_of::<T>() as u128;
        Error::new(
            Code::OutOfMemory,
            "enough free memory",
            name,
            format!("a need of {bytes} bytes"),
        )
    })?;
    // The system gives memory that is zero already, and page by page as it is used.
    Ok(vec![T::ZERO; count])
}

/// How many bytes a line has.
const LINE: usize = 64;

/// How many numbers fill the lines that `count` numbers begin.
pub fn whole_lines<T: Real>(count: usize) -> usize {
    let most = LINE / size_of::<T>();
    count.div_ceil(most).saturating_mul(most)
}

/// Numbers of which the first begins a line, so that threads that write different lines of them do not take these from
/// each other.
#[derive(Debug, Default)]
pub struct Aligned<T> {
    numbers: Vec<T>,
    start: usize,
}

impl<T: Real> Aligned<T> {
    /// So many zeros.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none, for what is named.
    pub fn zeros(count: usize, name: &str) -> Result<Self> {
        let most = LINE / size_of::<T>();
        let mut numbers: Vec<T> = zeros(count.saturating_add(most), name)?;
        let start = numbers.as_ptr().align_offset(LINE).min(most);
        numbers.truncate(start + count);
        Ok(Aligned { numbers, start })
    }

    /// A copy of these numbers.
    ///
    /// # Errors
    /// As [`zeros`](Self::zeros).
    pub fn copy(numbers: &[T], name: &str) -> Result<Self> {
        let mut lines = Self::zeros(numbers.len(), name)?;
        lines.copy_from_slice(numbers);
        Ok(lines)
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.numbers[self.start..]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.numbers[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_begins_a_line() {
        for count in [0, 1, 7, 1000] {
            let lines = Aligned::<f32>::zeros(count, "the test").unwrap();
            assert_eq!(lines.len(), count);
            assert_eq!(lines.as_ptr() as usize % LINE, 0);
        }
        assert_eq!(*Aligned::copy(&[1.0, 2.0], "the test").unwrap(), [1.0, 2.0]);
    }
}
