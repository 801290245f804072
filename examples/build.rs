//! Makes Rust of `seats.proto`. protox reads it, so that no protoc has to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(["seats.proto"], ["."])?;
    tonic_prost_build::configure().build_client(false).compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=seats.proto");
    Ok(())
}
