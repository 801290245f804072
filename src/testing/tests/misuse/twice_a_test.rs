#[heapsoak_testing::test]
#[test]
fn twice() {}

fn main() {}
