/// Makes the allocator of a test binary one that counts: the system's, or another one that is named.
///
/// ```
/// heapsoak_testing::allocator!(std::alloc::System);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! allocator {
    () => {
        $crate::allocator!(::std::alloc::System);
    };
    ($inner:path) => {
        #[global_allocator]
        static HEAPSOAK_ALLOCATOR: $crate::hidden::Probe<$inner> = $crate::hidden::Probe::new($inner);
    };
}
