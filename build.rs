//! Sets the linker flags of a Node.js addon where the addon is what is built.

fn main() {
    if std::env::var_os("CARGO_FEATURE_NODE").is_some() {
        napi_build::setup();
    }
}
