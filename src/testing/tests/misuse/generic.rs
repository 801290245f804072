#[heapsoak_testing::test]
fn generic<T>() {}

fn main() {}
