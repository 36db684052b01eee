//! The one seeded generator behind every random choice.
//!
//! The bits come from xoshiro256++ (Blackman and Vigna, 2019), seeded by SplitMix64; the distributions are
//! our own, so that a seed gives the same numbers on every platform and with every version of `rand`.

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// The largest seed and one more: seeds are the integers that JavaScript counts exactly, [0, 2^53).
pub const SEED_LIMIT: u64 = 1 << 53;

/// A stream of random numbers that its seed determines.
#[derive(Clone, Debug)]
pub struct Generator(Xoshiro256PlusPlus);

impl Generator {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Generator(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// The stream of `seed` for one use among many, told apart by `numbers`: each use has a stream of its own,
    /// whatever was drawn for others. The numbers are mixed in by the finalizer of SplitMix64 (Steele et al., 2014).
    pub fn stream(seed: u64, numbers: [u64; 3]) -> Self {
        let mix = |state: u64, number: u64| {
            let z = (state ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Generator::new(numbers.into_iter().fold(seed, mix))
    }

    /// A number from U[0, 1): the upper 53 bits of a draw, times 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / SEED_LIMIT as f64)
    }

    /// A number from N(0, 1), by the Box-Muller transform (1958); `libm` gives equal bits on every platform.
    pub fn normal(&mut self) -> f64 {
        // 1 - uniform is never 0.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Puts rows in a random order, by the method of Fisher and Yates; false if stopped on the way.
    pub fn shuffle(&mut self, rows: &mut [u32], is_stopped: &dyn Fn() -> bool) -> bool {
        for i in (1..rows.len()).rev() {
            // Millions of rows take their time.
            if i % (1 << 16) == 0 && is_stopped() {
                return false;
            }
            rows.swap(i, self.below(i as u64 + 1) as usize);
        }
        true
    }

    /// An integer from [0, bound), each equally likely (Lemire, 2019).
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            if product as u64 >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        // From the reference C code of SplitMix64 and xoshiro256++, seed 42.
        let mut generator = Generator::new(42);
        let draws: Vec<f64> = (0..3).map(|_| generator.uniform()).collect();
        assert_eq!(draws, reference(42, 3));
    }

    #[test]
    fn streams_of_different_uses_differ() {
        let mut first: Vec<u64> = (0..20u64)
            .flat_map(|i| (0..20).map(move |j| Generator::stream(1, [i, j, i ^ j]).uniform().to_bits()))
            .collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 400);
        let mut again = Generator::stream(1, [3, 4, 7]);
        assert_eq!(again.uniform(), Generator::stream(1, [3, 4, 7]).uniform());
    }

    /// xoshiro256++ and SplitMix64 written out from their papers.
    fn reference(seed: u64, count: usize) -> Vec<f64> {
        let mut x = seed;
        let mut s = [0u64; 4];
        for word in &mut s {
            x = x.wrapping_add(0x9e3779b97f4a7c15);
            let mut z = x;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
            *word = z ^ (z >> 31);
        }
        let mut next = || {
            let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
            let t = s[1] << 17;
            s[2] ^= s[0];
            s[3] ^= s[1];
            s[1] ^= s[2];
            s[0] ^= s[3];
            s[2] ^= t;
            s[3] = s[3].rotate_left(45);
            result
        };
        (0..count)
            .map(|_| (next() >> 11) as f64 / 9007199254740992.0)
            .collect()
    }

    #[test]
    fn normal_has_the_moments_of_its_distribution() {
        let mut generator = Generator::new(3);
        let draws: Vec<f64> = (0..100_000).map(|_| generator.normal()).collect();
        let moment = |power: i32| draws.iter().map(|x| x.powi(power)).sum::<f64>() / 1e5;
        assert!(
            moment(1).abs() < 0.013 && (moment(2) - 1.0).abs() < 0.02,
            "{} {}",
            moment(1),
            moment(2)
        );
        assert!(
            moment(3).abs() < 0.05 && (moment(4) - 3.0).abs() < 0.15,
            "{} {}",
            moment(3),
            moment(4)
        );
    }

    #[test]
    fn below_gives_each_integer_equally_often() {
        let mut generator = Generator::new(5);
        let mut counts = [0; 7];
        for _ in 0..70_000 {
            counts[generator.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|&n| (9_600..10_400).contains(&n)), "{counts:?}");
        assert_eq!(generator.below(1), 0);
    }

    #[test]
    fn uniform_has_the_mean_variance_and_range_of_its_distribution() {
        let mut generator = Generator::new(7);
        let draws: Vec<f64> = (0..100_000).map(|_| generator.uniform()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        assert!((mean - 0.5).abs() < 0.005, "mean {mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.002, "variance {variance}");
    }
}
