#[heapsoak_testing::test(iterations = 0)]
fn nothing_to_soak() {}

fn main() {}
