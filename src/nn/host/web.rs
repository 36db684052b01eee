//! What JavaScript provides where there is no operating system: the module of WebAssembly imports it under these names.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::time::Duration;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Milliseconds of a clock that never goes back.
    #[link_name = "now"]
    safe fn host_now() -> f64;
    /// Puts the content of a file into what [`inbox`] gives and returns 0; or a sentence why not, and 1.
    #[link_name = "readFile"]
    safe fn host_read_file(path: *const u8, length: usize) -> u32;
    /// Makes a file of these bytes, or replaces the one there is, all at once, and returns 0; where it `is_probe` it only
    /// finds out whether that can be expected to succeed. Or it puts a sentence why not into what [`inbox`] gives, and
    /// returns 1.
    #[link_name = "writeFile"]
    safe fn host_write_file(
        path: *const u8,
        path_length: usize,
        bytes: *const u8,
        length: usize,
        is_probe: bool,
    ) -> u32;
}

thread_local! {
    static INBOX: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room for so many bytes that JavaScript writes.
pub fn inbox(length: usize) -> *mut u8 {
    INBOX.with_borrow_mut(|inbox| {
        *inbox = vec![0; length];
        inbox.as_mut_ptr()
    })
}

/// What a file is written to.
pub type Output = Vec<u8>;

/// A moment.
#[derive(Clone, Copy, Debug)]
pub struct Instant(f64);

impl Instant {
    /// This one.
    pub fn now() -> Self {
        Instant(host_now())
    }

    /// How long ago it was.
    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(((host_now() - self.0) / 1e3).max(0.0))
    }
}

/// See [`crate::nn::host::files::open`].
pub fn open(path: &Path) -> io::Result<(io::Cursor<Vec<u8>>, u64)> {
    let name = path.to_string_lossy();
    let status = host_read_file(name.as_ptr(), name.len());
    let content = answer(status)?;
    let size = content.len() as u64;
    Ok((io::Cursor::new(content), size))
}

/// See [`crate::nn::host::files::replace`].
pub fn replace(path: &Path, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    write_file(path, &bytes, false)
}

/// See [`crate::nn::host::files::probe`].
pub fn probe(path: &Path) -> io::Result<()> {
    write_file(path, &[], true)
}

fn write_file(path: &Path, bytes: &[u8], is_probe: bool) -> io::Result<()> {
    let name = path.to_string_lossy();
    let status = host_write_file(name.as_ptr(), name.len(), bytes.as_ptr(), bytes.len(), is_probe);
    answer(status).map(drop)
}

/// What JavaScript has written.
fn answer(status: u32) -> io::Result<Vec<u8>> {
    let written = INBOX.take();
    match status {
        0 => Ok(written),
        _ => Err(io::Error::other(String::from_utf8_lossy(&written).into_owned())),
    }
}
