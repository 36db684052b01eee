//! The choice of instruction set at run time: one binary, the widest vectors the processor has.
//!
//! A [`Task`] is compiled once for each set; everything it calls that is `#[inline(always)]` is compiled
//! along with it, and the compiler vectorizes plain loops for that set.

use super::real::Real;

/// An instruction set that a [`Task`] is compiled for.
pub trait Isa: Copy {
    /// Whether loops are to become vector code. If not, the system library's functions answer sooner.
    const VECTOR: bool = true;
    /// How many bytes a register holds.
    const REGISTER: usize = 16;
    /// Whether there are 32 registers of 64 bytes.
    const WIDE: bool = Self::REGISTER == 64;
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

/// Runs `task` with the widest instruction set of this processor.
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
        Level::Portable => task.run::<Portable>(),
    }
}

/// Runs `task`; every 64-bit ARM processor has NEON with a fused multiply-add, so there is no choice to make.
#[cfg(target_arch = "aarch64")]
#[inline]
pub fn run<K: Task>(task: K) -> K::Output {
    task.run::<Fused>()
}

/// Runs `task` with what the target is compiled for.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline]
pub fn run<K: Task>(task: K) -> K::Output {
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

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Portable,
    Avx2,
    Avx512,
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn level() -> Level {
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
