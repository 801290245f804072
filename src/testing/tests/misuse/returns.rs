#[heapsoak_testing::test]
fn returns() -> Result<(), String> {
    Ok(())
}

fn main() {}
