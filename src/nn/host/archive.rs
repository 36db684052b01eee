//! JSON and tensors in one file, for checkpoints.
//!
//! The file is one of the safetensors format, little-endian:
//!
//! ```text
//! 8 bytes    the length of the header
//! header     JSON: the name, type and place of every tensor; the user's JSON, as text, a line
//!            break and the CRC-32 of that text in decimals are its `__metadata__.mikir`
//! tensors    in the order in which they were written
//! 4 bytes    the last tensor, `crc32`: the CRC-32 of all bytes before it
//! ```
//!
//! A file is hostile until proven: nothing is allocated that its size does not cover.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use crc32fast::Hasher;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::Value;

use crate::nn::error::{Code, Error, Result};
use crate::nn::host;
use crate::nn::wording::Shown;

/// The most bytes a file may have: 64 GiB, the largest network in double precision 32 times.
pub const MAX_BYTES: u64 = 1 << 36;
/// The most bytes that safetensors allows for the header.
const MAX_HEADER: u64 = 100_000_000;
/// The name of the JSON among the metadata. Its own checksum is there because what follows from it is decided before the
/// tensors are read.
const JSON: &str = "mikir";
/// The name of the last tensor.
const CHECKSUM: &str = "crc32";
const CHECKSUM_BYTES: usize = size_of::<u32>();
/// How many bytes are converted at a time.
const CHUNK: usize = 1 << 14;

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    /// In single precision.
    F32(Vec<f32>),
    /// In double precision.
    F64(Vec<f64>),
}

/// The numbers of a tensor that somebody else owns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TensorRef<'a> {
    /// In single precision.
    F32(&'a [f32]),
    /// In double precision.
    F64(&'a [f64]),
}

impl TensorRef<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            TensorRef::F32(_) => Dtype::F32,
            TensorRef::F64(_) => Dtype::F64,
        }
    }

    fn count(&self) -> usize {
        match self {
            TensorRef::F32(values) => values.len(),
            TensorRef::F64(values) => values.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            TensorRef::F32(values) => size_of_val(*values),
            TensorRef::F64(values) => size_of_val(*values),
        }
    }
}

/// A number that tensors are made of.
pub trait Element: Copy {
    /// Its type in a file.
    const DTYPE: Dtype;
    /// The slice as a tensor.
    fn lend(values: &[Self]) -> TensorRef<'_>;
    /// The numbers of a tensor, if they have this precision.
    fn take(tensor: Tensor) -> Option<Vec<Self>>;
    /// Writes the number.
    fn put(self, bytes: &mut [u8]);
    /// Reads a number.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! element {
    ($number:ident, $precision:ident) => {
        impl Element for $number {
            const DTYPE: Dtype = Dtype::$precision;
            fn lend(values: &[Self]) -> TensorRef<'_> {
                TensorRef::$precision(values)
            }
            fn take(tensor: Tensor) -> Option<Vec<Self>> {
                match tensor {
                    Tensor::$precision(values) => Some(values),
                    _ => None,
                }
            }
            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                $number::from_le_bytes(bytes.try_into().expect("as many bytes as a number has"))
            }
        }
    };
}

element!(f32, F32);
element!(f64, F64);

/// Writes a file, whole or not at all (see [`host::files::replace`]).
///
/// # Errors
/// `File` with the system's reason; `Internal` for a name that is taken.
pub fn write(path: &Path, json: &Value, tensors: &[(String, TensorRef)]) -> Result<()> {
    let header = header(json, tensors)?;
    let tensor_bytes: usize = tensors.iter().map(|(_, tensor)| tensor.bytes()).sum();
    let bytes = (8 + header.len() + tensor_bytes + CHECKSUM_BYTES) as u64;
    for (what, bytes, most) in [
        ("", bytes, MAX_BYTES),
        ("a header of ", header.len() as u64, MAX_HEADER),
    ] {
        if bytes > most {
            let rule = format!("{what}at most {most} bytes");
            return Err(Error::new(Code::File, rule, quoted(path), bytes));
        }
    }
    replace(path, |file| emit(file, &header, tensors))
}

/// Writes a file that takes the place of an old one in one step.
///
/// # Errors
/// `File` with the system's reason.
pub fn replace(path: &Path, write: impl FnOnce(&mut host::files::Output) -> io::Result<()>) -> Result<()> {
    host::files::replace(path, write).map_err(|error| unwritable(path, error))
}

/// Writes a file of these bytes, whole or not at all.
///
/// # Errors
/// As [`replace`].
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |file| file.write_all(bytes))
}

/// Refuses a file that cannot be written, before there is something to write.
///
/// # Errors
/// `File` with the system's reason.
pub fn probe(path: &Path) -> Result<()> {
    host::files::probe(path).map_err(|error| unwritable(path, error))
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(Code::File, "a file that can be written", quoted(path), error)
}

/// The type of each tensor of a file, and how many numbers it has.
#[derive(Debug, Default)]
pub struct Sizes(BTreeMap<String, (Dtype, usize)>);

impl Sizes {
    /// How many numbers a tensor has, if it is there and they are of this type.
    pub fn of<E: Element>(&self, name: &str) -> Option<usize> {
        self.0
            .get(name)
            .filter(|(dtype, _)| *dtype == E::DTYPE)
            .map(|(_, count)| *count)
    }

    /// The names of the tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Reads what [`write()`] wrote, if `check` has nothing against the JSON and the sizes of the tensors: before that, nothing
/// is read or allocated for them.
///
/// # Errors
/// `File` with the system's reason; `CorruptFile` with what is wrong; `OutOfMemory`; those of `check`.
pub fn read(
    path: &Path,
    check: impl FnOnce(&Value, &Sizes) -> Result<()>,
) -> Result<(Value, BTreeMap<String, Tensor>)> {
    let mut refusal = None;
    let check = |json: &Value, sizes: &Sizes| {
        check(json, sizes).map_err(|error| {
            refusal = Some(error);
            io::Error::other("refused")
        })
    };
    let result = host::files::open(path).and_then(|(file, size)| parse(file, size, check));
    if let Some(error) = refusal {
        return Err(error);
    }
    result.map_err(|error| {
        let (code, rule) = match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                (Code::CorruptFile, "a complete mikir checkpoint")
            }
            ErrorKind::OutOfMemory => (Code::OutOfMemory, "enough free memory"),
            _ => (Code::File, "a file that can be read"),
        };
        Error::new(code, rule, quoted(path), error)
    })
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

fn header(json: &Value, tensors: &[(String, TensorRef)]) -> Result<Vec<u8>> {
    let mut infos = Vec::with_capacity(tensors.len() + 1);
    let mut end = 0;
    let mut place = |name: &str, dtype, count, bytes| {
        end += bytes;
        let info = TensorInfo {
            dtype,
            shape: vec![count],
            data_offsets: (end - bytes, end),
        };
        infos.push((name.to_string(), info));
    };
    for (name, tensor) in tensors {
        place(name, tensor.dtype(), tensor.count(), tensor.bytes());
    }
    place(CHECKSUM, Dtype::U32, 1, CHECKSUM_BYTES);

    let mut names: Vec<&str> = infos.iter().map(|(name, _)| name.as_str()).collect();
    names.push("__metadata__");
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let name = format!("tensor '{}'", pair[0]);
        return Err(Error::new(Code::Internal, "a name of its own", name, "it twice"));
    }

    let json = json.to_string();
    let text = format!("{json}\n{}", crc32fast::hash(json.as_bytes()));
    let metadata = [(JSON.to_string(), text)].into_iter().collect();
    let header = Metadata::new(Some(metadata), infos)
        .map_err(|error| Error::new(Code::Internal, "a header", "the checkpoint", error))?;
    let mut header = serde_json::to_vec(&header).expect("a header is plain JSON");
    // Tensors begin at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

fn emit(file: impl Write, header: &[u8], tensors: &[(String, TensorRef)]) -> io::Result<()> {
    let mut file = Checked::new(file);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header)?;
    for (_, tensor) in tensors {
        match tensor {
            TensorRef::F32(values) => put(&mut file, values)?,
            TensorRef::F64(values) => put(&mut file, values)?,
        }
    }
    let checksum = file.checksum();
    file.write_all(&checksum.to_le_bytes())
}

fn parse(
    file: impl Read,
    size: u64,
    check: impl FnOnce(&Value, &Sizes) -> io::Result<()>,
) -> io::Result<(Value, BTreeMap<String, Tensor>)> {
    if size == 0 {
        return Err(damaged("an empty file"));
    }
    if size < 8 {
        return Err(damaged(format!("{size} bytes, too few")));
    }
    if size > MAX_BYTES {
        return Err(damaged(format!("{size} bytes, more than {MAX_BYTES}")));
    }
    let mut file = Checked::new(file);
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER || length > size - 8 {
        return Err(damaged(format!("a header of {length} bytes in {size}")));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)?;
    let header: Metadata =
        serde_json::from_slice(&header).map_err(|_| damaged("a header that is not one of safetensors"))?;
    let whole = 8 + u128::from(length) + header.data_len() as u128;
    if whole != u128::from(size) {
        return Err(damaged(format!("{size} bytes where its header names {whole}")));
    }

    let mut names = header.offset_keys();
    let content = |name: &str| {
        let info = header.info(name)?;
        Some((info.dtype, info.data_offsets.1 - info.data_offsets.0))
    };
    let checksum = Some((Dtype::U32, CHECKSUM_BYTES));
    if names.pop().as_deref() != Some(CHECKSUM) || content(CHECKSUM) != checksum {
        return Err(damaged("no checksum"));
    }
    let mut sizes = Sizes::default();
    for name in &names {
        let numbers = match content(name) {
            Some((dtype @ Dtype::F32, bytes)) => (dtype, bytes / size_of::<f32>()),
            Some((dtype @ Dtype::F64, bytes)) => (dtype, bytes / size_of::<f64>()),
            _ => {
                let name = Value::String(name.clone());
                let reason = format!("tensor {} of another type than F32 and F64", Shown(&name));
                return Err(damaged(reason));
            }
        };
        sizes.0.insert(name.clone(), numbers);
    }
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(JSON));
    let json = text.and_then(|text| text.rsplit_once('\n'));
    let (json, checksum) = json.ok_or_else(|| damaged("no JSON of mikir"))?;
    if checksum != crc32fast::hash(json.as_bytes()).to_string() {
        return Err(damaged("JSON that does not match its checksum"));
    }
    let json: Value = serde_json::from_str(json).map_err(|_| damaged("no JSON of mikir"))?;
    check(&json, &sizes)?;

    let mut tensors = BTreeMap::new();
    for name in names {
        let tensor = match content(&name) {
            Some((Dtype::F32, bytes)) => Tensor::F32(get(&mut file, bytes)?),
            Some((_, bytes)) => Tensor::F64(get(&mut file, bytes)?),
            None => return Err(damaged("a header that is not one of safetensors")),
        };
        tensors.insert(name, tensor);
    }

    let computed = file.checksum();
    let mut checksum = [0; CHECKSUM_BYTES];
    file.read_exact(&mut checksum)?;
    if u32::from_le_bytes(checksum) != computed {
        return Err(damaged("bytes that do not match their checksum"));
    }
    Ok((json, tensors))
}

fn damaged(reason: impl fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_string())
}

fn put<N: Element>(file: &mut impl Write, values: &[N]) -> io::Result<()> {
    let mut buffer = [0; CHUNK];
    for values in values.chunks(CHUNK / size_of::<N>()) {
        let bytes = &mut buffer[..size_of_val(values)];
        for (bytes, value) in bytes.chunks_exact_mut(size_of::<N>()).zip(values) {
            value.put(bytes);
        }
        file.write_all(bytes)?;
    }
    Ok(())
}

fn get<N: Element>(file: &mut impl Read, bytes: usize) -> io::Result<Vec<N>> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(bytes / size_of::<N>())
        .map_err(|_| io::Error::new(ErrorKind::OutOfMemory, format!("a need of {bytes} bytes")))?;
    let mut buffer = [0; CHUNK];
    let mut left = bytes;
    while left > 0 {
        let bytes = &mut buffer[..left.min(CHUNK)];
        file.read_exact(bytes)?;
        values.extend(bytes.chunks_exact(size_of::<N>()).map(N::get));
        left -= bytes.len();
    }
    Ok(values)
}

/// A file, and the checksum of what has been read from it or written to it.
struct Checked<F> {
    file: F,
    hasher: Hasher,
}

impl<F> Checked<F> {
    fn new(file: F) -> Self {
        Checked {
            file,
            hasher: Hasher::new(),
        }
    }

    fn checksum(&self) -> u32 {
        self.hasher.clone().finalize()
    }
}

impl<F: Write> Write for Checked<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: Read> Read for Checked<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
