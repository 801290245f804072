#[heapsoak_testing::test]
fn two_arguments(iteration: u64, other: u64) {}

fn main() {}
