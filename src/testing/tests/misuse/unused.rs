#![deny(unused_must_use)]

fn main() {
    heapsoak_testing::Soak::new("never run");
    heapsoak_testing::Soak::new("never checked").run(|_| ());
}
