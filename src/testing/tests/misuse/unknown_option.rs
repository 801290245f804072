#[heapsoak_testing::test(iteration = 100)]
fn a_misspelt_option() {}

fn main() {}
