fn main() {
    heapsoak_testing::Soak::new("what does it return?").run(|number| number).assert_no_leak();
}
