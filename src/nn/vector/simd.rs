//! The choice of instruction set at run time: one binary, the widest vectors the processor has.
//!
//! A [`Task`] is compiled once for each set; everything it calls that is `#[inline(always)]` is compiled
//! along with it, and the compiler vectorizes plain loops for that set.

use std::sync::LazyLock;

use crate::nn::error::{Code, Error, Result};
use crate::nn::vector::real::Real;

/// An instruction set that a [`Task`] is compiled for.
pub trait Isa: Copy {
    /// Whether loops are to become vector code. If not, the system library's functions answer sooner.
    const VECTOR: bool = true;
    /// How many bytes a register holds.
    const REGISTER: usize = 16;
    /// Whether there are 32 registers of 64 bytes.
    const WIDE: bool = Self::REGISTER == 64;
    /// Whether the smallest networks have code of their own: processors without AVX2 are not worth it.
    const HAS_TINY: bool = Self::REGISTER > 16 || cfg!(target_family = "wasm");
    /// `a * b + c`, rounded once where the processor does that at no cost, else twice.
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T;
}

/// Instruction sets with a fused multiply-add.
#[derive(Clone, Copy)]
pub struct Fused;

/// The same, with 32 registers of 64 bytes.
#[derive(Clone, Copy)]
pub struct Wide;

/// What every processor of the architecture has.
#[derive(Clone, Copy)]
pub struct Portable;

/// The same instructions, a number at a time.
#[derive(Clone, Copy)]
pub struct Scalar<I>(pub I);

impl<I: Isa> Isa for Scalar<I> {
    const VECTOR: bool = false;
    const REGISTER: usize = I::REGISTER;

    #[inline(always)]
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
        I::mul_add(a, b, c)
    }
}

impl Isa for Fused {
    // NEON's are half as long, but there are twice as many.
    const REGISTER: usize = 32;

    #[inline(always)]
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
        a.mul_add(b, c)
    }
}

impl Isa for Wide {
    const REGISTER: usize = 64;

    #[inline(always)]
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
        a.mul_add(b, c)
    }
}

impl Isa for Portable {
    #[inline(always)]
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
        a * b + c
    }
}

/// Work to be compiled for every instruction set. `run` must be `#[inline(always)]`.
pub trait Task {
    /// What the work returns.
    type Output;
    /// Whether registers of 64 bytes help it. Else it is not compiled for them too.
    const WIDENS: bool = true;
    /// Does the work with the instructions of `I`.
    fn run<I: Isa>(self) -> Self::Output;
}

/// Runs `task` with the instructions of the [`level`].
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn run<K: Task>(task: K) -> K::Output {
    // Not inlined: a caller compiled for the same set would otherwise load the constants of all its tasks first.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2")]
    fn avx512<K: Task>(task: K) -> K::Output {
        task.run::<Wide>()
    }
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi2")]
    fn avx2<K: Task>(task: K) -> K::Output {
        task.run::<Fused>()
    }

    match level() {
        // SAFETY: `level` names only instruction sets that this processor has.
        Level::Avx512 if K::WIDENS => unsafe { avx512(task) },
        // SAFETY: as above; where there is AVX-512, there is AVX2.
        Level::Avx512 | Level::Avx2 => unsafe { avx2(task) },
        Level::Portable => portable(task),
    }
}

/// Runs `task` with the instructions of the [`level`].
#[cfg(target_arch = "aarch64")]
#[inline]
pub fn run<K: Task>(task: K) -> K::Output {
    match level() {
        Level::Neon => task.run::<Fused>(),
        Level::Portable => portable(task),
    }
}

/// Runs `task` with what the target is compiled for.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline]
pub fn run<K: Task>(task: K) -> K::Output {
    portable(task)
}

/// Not inlined: where a task is run from several places, they would all have its code.
#[inline(never)]
fn portable<K: Task>(task: K) -> K::Output {
    task.run::<Portable>()
}

/// Asks the processor to bring what is at `place` into its caches, where there is an instruction for that. It may be any
/// place: none is read.
#[inline(always)]
pub fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of the architecture has the instruction, which never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// The instruction sets that there are code for on this architecture, each with all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every processor of the architecture has, and no fused multiply-add.
    Portable,
    /// NEON with a fused multiply-add, which every 64-bit ARM processor has.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// AVX2, FMA and BMI2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The environment variable that names the highest level to be used. It is there for tests.
pub const VARIABLE: &str = "MIKIR_SIMD";

impl Level {
    /// All, in increasing order.
    pub const ALL: &[Level] = &[
        Level::Portable,
        #[cfg(target_arch = "aarch64")]
        Level::Neon,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512,
    ];

    /// The name as the [`VARIABLE`] has it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            #[cfg(target_arch = "aarch64")]
            Level::Neon => "neon",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        }
    }

    /// The highest that this processor has.
    #[cfg(target_arch = "x86_64")]
    pub fn of_processor() -> Level {
        let has_avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi2");
        if has_avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            Level::Avx512
        } else if has_avx2 {
            Level::Avx2
        } else {
            Level::Portable
        }
    }

    /// The highest that this processor has.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn of_processor() -> Level {
        Level::ALL[Level::ALL.len() - 1]
    }

    /// The one that the [`VARIABLE`] names; none where it is not set or empty.
    ///
    /// # Errors
    /// `OutOfRange` where there is none of this name.
    pub fn asked() -> Result<Option<Level>> {
        match std::env::var_os(VARIABLE) {
            Some(name) if !name.is_empty() => Level::named(&name.to_string_lossy()).map(Some),
            _ => Ok(None),
        }
    }

    fn named(name: &str) -> Result<Level> {
        let found = Level::ALL.iter().copied().find(|level| level.name() == name);
        found.ok_or_else(|| {
            let names: Vec<_> = Level::ALL.iter().map(|level| level.name()).collect();
            let rule = match names.as_slice() {
                [only] => format!("'{only}'"),
                _ => format!("one of '{}'", names.join("', '")),
            };
            Error::new(Code::OutOfRange, rule, VARIABLE, format!("'{name}'"))
        })
    }
}

/// The instruction set that this process uses: the highest that the processor has, and none above the one
/// [asked](Level::asked) for.
#[inline(always)]
pub fn level() -> Level {
    static LEVEL: LazyLock<Level> = LazyLock::new(|| {
        let highest = Level::of_processor();
        // A name that does not exist has been refused by whoever loaded the library.
        let asked = Level::asked().ok().flatten();
        asked.map_or(highest, |asked| asked.min(highest))
    });
    *LEVEL
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which instructions a task is run with.
    struct Which;

    impl Task for Which {
        type Output = (bool, usize);

        #[inline(always)]
        fn run<I: Isa>(self) -> Self::Output {
            // 2^-60 is lost where the product is rounded before the sum.
            let x = 1.0 + (0.5f64).powi(30);
            (I::mul_add(x, x, -(x * x)) != 0.0, I::REGISTER)
        }
    }

    #[test]
    fn tasks_run_with_the_level_that_is_asked_for() {
        let asked = Level::asked().unwrap().unwrap_or(Level::of_processor());
        assert_eq!(level(), asked.min(Level::of_processor()));
        let expected = match level().name() {
            "portable" => (false, 16),
            "avx512" => (true, 64),
            _ => (true, 32),
        };
        assert_eq!(run(Which), expected);
    }

    #[test]
    fn levels_have_names_in_increasing_order() {
        assert!(Level::ALL.is_sorted());
        for &level in Level::ALL {
            assert_eq!(Level::named(level.name()), Ok(level));
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn another_name_is_refused() {
        assert_eq!(
            Level::named("sse9").unwrap_err().to_string(),
            "Expected one of 'portable', 'avx2', 'avx512' for MIKIR_SIMD but received 'sse9'"
        );
    }
}
