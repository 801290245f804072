//! A frame record on x86-64: `rbp` points at the caller's `rbp`, above which is the return address.
#![allow(unsafe_code)] // reads two registers

/// Frame pointer and stack pointer of the calling function, or of the one it was inlined into.
#[inline(always)]
pub(crate) fn registers() -> (usize, usize) {
    let (frame, stack): (usize, usize);
    // SAFETY: copies two registers and changes nothing.
    unsafe {
        std::arch::asm!(
            "mov {frame}, rbp",
            "mov {stack}, rsp",
            frame = out(reg) frame,
            stack = out(reg) stack,
            options(nomem, nostack, preserves_flags)
        );
    }
    (frame, stack)
}

/// The address in the code that a return address of a frame record stands for.
#[inline(always)]
pub(crate) fn code_address(recorded: usize) -> usize {
    recorded
}
