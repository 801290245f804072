//! A frame record on aarch64: `x29` points at the caller's `x29`, above which is the link register as it was saved.
#![allow(unsafe_code)] // reads two registers

/// Frame pointer and stack pointer of the calling function, or of the one it was inlined into.
#[inline(always)]
pub(crate) fn registers() -> (usize, usize) {
    let (frame, stack): (usize, usize);
    // SAFETY: copies two registers and changes nothing.
    unsafe {
        std::arch::asm!(
            "mov {frame}, x29",
            "mov {stack}, sp",
            frame = out(reg) frame,
            stack = out(reg) stack,
            options(nomem, nostack, preserves_flags)
        );
    }
    (frame, stack)
}

/// The address in the code that a return address of a frame record stands for: code compiled with pointer
/// authentication signs it in the upper bits, which addresses of programs do not use.
#[inline(always)]
pub(crate) fn code_address(recorded: usize) -> usize {
    recorded & ((1 << 48) - 1)
}
