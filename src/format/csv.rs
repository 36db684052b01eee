//! Tables as comma-separated values (RFC 4180, and what people make of it).
//!
//! The text is read as it streams in, a row at a time. Numbers are kept as numbers, and every distinct word once: memory is
//! proportional to those, not to the text. A column is of numbers where every cell that is not missing is one. Whether it
//! is shows at its last row: columns that are of words after all are read in a second pass.
//!
//! Rows without quotes, which are most, end where their lines end: threads share them.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::thread;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr, memchr_iter, memrchr};
use serde_json::Value;

use crate::nn::error::{Code, Error, Result};
use crate::nn::host;
use crate::nn::network::options::Fields;
use crate::nn::wording::Shown;

/// The code of a cell that is missing.
pub const MISSING: u32 = u32::MAX;
/// The most columns of a table.
const MOST_COLUMNS: usize = 16_384;
/// The most bytes of a row: a larger one is most likely a quote that is never closed.
const MOST_BYTES: usize = 16 << 20;
/// How many bytes are read at a time.
const CHUNK: usize = 1 << 21;
/// How many rows are read column by column.
const GROUP: usize = 256;
/// With more bytes for each of them, threads share a chunk.
const LEAST_SHARE: usize = 1 << 17;
/// What separates cells, where the user does not say: that of these which is most frequent in the header.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name, from the header.
    pub name: String,
    /// Its cells.
    pub values: Values,
}

/// The cells of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Finite numbers, and NaN where one is missing.
    Numbers(Vec<f64>),
    /// The place of each cell's word among the words, or [`MISSING`].
    Words {
        /// `[rows]`
        codes: Vec<u32>,
        /// Each once, in the order of their first cells.
        words: Vec<String>,
    },
}

/// How a text is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// What separates cells; found in the header where it is not said
    pub separator: Option<u8>,
    /// What is written where a cell is missing, beside nothing.
    pub missing: Vec<String>,
    /// Columns whose cells have to be numbers.
    pub numbers: Vec<String>,
    /// Columns whose cells are words, whatever they look like.
    pub words: Vec<String>,
}

impl Options {
    /// Reads options such as `{ "separator": ";", "missing": ["?"], "numbers": ["age"], "words": ["zip"] }`.
    ///
    /// # Errors
    /// `InvalidType`, `OutOfRange` or `UnknownOption`, for the first value that is wrong.
    pub fn from_json(json: &Value) -> Result<Self> {
        let fields = Fields::of("options", json, &["separator", "missing", "numbers", "words"])?;
        let texts = |key: &str| match fields.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(texts)) if texts.iter().all(Value::is_string) => {
                Ok(texts.iter().filter_map(Value::as_str).map(String::from).collect())
            }
            Some(other) => {
                let error = Error::new(
                    Code::InvalidType,
                    "an array of texts",
                    fields.path(key),
                    Shown(other),
                );
                Err(error)
            }
        };
        let separator = match fields.get("separator") {
            None => None,
            Some(Value::String(text)) if text.len() == 1 && !"\"\r\n".contains(text.as_str()) => {
                Some(text.as_bytes()[0])
            }
            Some(other) => {
                let rule = "one character, such as ';' or '\\t',";
                let path = fields.path("separator");
                return Err(Error::new(Code::OutOfRange, rule, path, Shown(other)));
            }
        };
        Ok(Options {
            separator,
            missing: texts("missing")?,
            numbers: texts("numbers")?,
            words: texts("words")?,
        })
    }
}

/// Reads a table. `open` gives its text from the beginning, up to twice; `name` is what it is called in errors.
///
/// # Errors
/// `CorruptFile` with the line for what is no such text; `File` with the system's reason; `OutOfMemory`.
pub fn read<R: Read>(open: impl Fn() -> Result<R>, name: &str, options: &Options) -> Result<Vec<Column>> {
    let mut first = Pass::new(open()?, name, options)?;
    let cells = first.rules.header.iter().map(|column| {
        if options.words.contains(column) {
            Cells::words()
        } else {
            Cells::Numbers(Vec::new())
        }
    });
    let mut columns: Vec<Cells> = cells.collect();
    first.run(&mut columns)?;
    if columns.iter().any(|cells| matches!(cells, Cells::Mixed)) {
        let mut again: Vec<Cells> = columns
            .iter()
            .map(|cells| match cells {
                Cells::Mixed => Cells::words(),
                _ => Cells::Skipped,
            })
            .collect();
        Pass::new(open()?, name, options)?.run(&mut again)?;
        for (cells, words) in columns.iter_mut().zip(again) {
            if !matches!(words, Cells::Skipped) {
                *cells = words;
            }
        }
    }
    let named = first.rules.header.into_iter().zip(columns);
    Ok(named
        .map(|(name, cells)| Column {
            name,
            values: cells.finish(),
        })
        .collect())
}

/// The cells of a column while they are read.
enum Cells {
    Numbers(Vec<f64>),
    Words(Words),
    /// Numbers up to a cell that is none.
    Mixed,
    Skipped,
}

#[derive(Default)]
struct Words {
    codes: Vec<u32>,
    places: HashMap<Box<[u8]>, u32>,
    words: Vec<String>,
}

impl Cells {
    fn words() -> Self {
        Cells::Words(Words::default())
    }

    /// None yet, of the same kind.
    fn empty(&self) -> Self {
        match self {
            Cells::Numbers(_) => Cells::Numbers(Vec::new()),
            Cells::Words(_) => Cells::words(),
            Cells::Mixed => Cells::Mixed,
            Cells::Skipped => Cells::Skipped,
        }
    }

    /// Takes those of the rows that follow.
    fn append(&mut self, next: Cells) -> Result<()> {
        match (&mut *self, next) {
            (Cells::Numbers(numbers), Cells::Numbers(next)) => extend(numbers, &next),
            (Cells::Words(all), Cells::Words(next)) => {
                let Words { codes, words, .. } = next;
                let places: Vec<u32> = words.into_iter().map(|word| all.place(word)).collect();
                let of = |code: &u32| places.get(*code as usize).copied().unwrap_or(MISSING);
                extend(&mut all.codes, &codes.iter().map(of).collect::<Vec<_>>())
            }
            (Cells::Numbers(_), Cells::Mixed) => {
                *self = Cells::Mixed;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(self) -> Values {
        match self {
            Cells::Numbers(numbers) => Values::Numbers(numbers),
            Cells::Words(Words { codes, words, .. }) => Values::Words { codes, words },
            Cells::Mixed | Cells::Skipped => Values::Numbers(Vec::new()),
        }
    }
}

impl Words {
    /// The place of a word, which is the last one if it is new.
    fn place(&mut self, word: String) -> u32 {
        if let Some(&place) = self.places.get(word.as_bytes()) {
            return place;
        }
        let place = self.words.len() as u32;
        self.places.insert(word.as_bytes().into(), place);
        self.words.push(word);
        place
    }
}

/// How the cells of a row are read, once the header is.
struct Rules<'o> {
    name: &'o str,
    options: &'o Options,
    header: Vec<String>,
    separator: u8,
    decimal_comma: bool,
}

impl Rules<'_> {
    fn corrupt(&self, expected: impl Into<String>, received: impl Into<String>) -> Error {
        Error::new(Code::CorruptFile, expected.into(), self.name, received.into())
    }

    fn check_count(&self, count: usize, line: u64) -> Result<()> {
        if count == self.header.len() {
            return Ok(());
        }
        let cells = |count| {
            if count == 1 {
                "1 cell".into()
            } else {
                format!("{count} cells")
            }
        };
        let expected = format!("{} as in the header in line {line}", cells(self.header.len()));
        Err(self.corrupt(expected, cells(count)))
    }

    fn text<'c>(&self, cell: &'c [u8], k: usize, line: u64) -> Result<&'c str> {
        std::str::from_utf8(cell).map_err(|_| {
            let column = match self.header.get(k) {
                Some(name) => format!("'{name}'"),
                None => (k + 1).to_string(),
            };
            let expected = format!("UTF-8 in line {line}, column {column}");
            self.corrupt(expected, "other bytes").cure("save it as UTF-8")
        })
    }

    /// Reads lines, each of which ends, up to one that is no row without quotes: how many bytes and lines.
    fn lines(&self, text: &[u8], first: u64, columns: &mut [Cells]) -> Result<(usize, u64)> {
        let width = columns.len();
        let (mut at, mut line) = (0, first);
        let mut group = Group::default();
        let mut ends = vec![0; width + 1];
        let mut is_over = false;
        while !is_over {
            group.clear();
            is_over = true;
            while let Some(length) = memchr(b'\n', &text[at..]) {
                let end = at + length;
                let row = &text[at..end];
                let row = row.strip_suffix(b"\r").unwrap_or(row);
                if !row.is_empty() {
                    if group.rows.len() == GROUP {
                        is_over = false;
                        break;
                    }
                    let Some(count) = separators(row, self.separator, &mut ends) else {
                        break;
                    };
                    self.check_count(count, line)?;
                    group.rows.push((at, line));
                    group.ends.extend_from_slice(&ends[..width]);
                }
                at = end + 1;
                line += 1;
            }
            for (k, cells) in columns.iter_mut().enumerate() {
                let rows = group.rows.iter().zip(group.ends.chunks_exact(width));
                let of = rows.map(|(&(start, line), ends)| {
                    let before = if k == 0 { 0 } else { ends[k - 1] + 1 };
                    (&text[start + before..start + ends[k]], line)
                });
                self.take_all(k, of, cells)?;
            }
        }
        Ok((at, line - first))
    }

    /// Reads the cells of a column, each with its line: the loop knows what they are.
    fn take_all<'c>(
        &self,
        k: usize,
        mut column: impl ExactSizeIterator<Item = (&'c [u8], u64)>,
        cells: &mut Cells,
    ) -> Result<()> {
        while let Cells::Numbers(numbers) = cells {
            numbers
                .try_reserve(column.len())
                .map_err(|_| out_of_memory(numbers.len()))?;
            let other = column.by_ref().find_map(|(cell, line)| match short(cell) {
                Some(x) => {
                    numbers.push(x);
                    None
                }
                None => Some((cell, line)),
            });
            match other {
                Some((cell, line)) => self.take(k, line, cell, cells)?,
                None => return Ok(()),
            }
        }
        column.try_for_each(|(cell, line)| self.take(k, line, cell, cells))
    }

    /// The same, with a part of the lines on each of several threads.
    fn shared_lines(
        &self,
        text: &[u8],
        first: u64,
        threads: usize,
        columns: &mut [Cells],
    ) -> Result<(usize, u64)> {
        let mut parts = Vec::new();
        let (mut rest, mut line) = (text, first);
        for left in (1..=threads).rev() {
            let (part, others) = rest.split_at(line_end(rest, rest.len() / left));
            let cells: Vec<Cells> = columns.iter().map(Cells::empty).collect();
            parts.push((part, line, cells));
            line += memchr_iter(b'\n', part).count() as u64;
            rest = others;
        }
        let read = thread::scope(|scope| {
            let workers: Vec<_> = parts
                .into_iter()
                .map(|(part, line, mut cells)| {
                    let read = move || {
                        let read = self.lines(part, line, &mut cells);
                        (part.len(), read, cells)
                    };
                    scope.spawn(read)
                })
                .collect();
            // In their order: the first error is the one that is told.
            workers
                .into_iter()
                .map(|worker| worker.join())
                .collect::<Vec<_>>()
        });
        let (mut bytes, mut lines) = (0, 0);
        for part in read {
            let part = part.map_err(|_| Error::internal("no panic", "the table", "one"))?;
            let (length, read, cells) = part;
            let (read, count) = read?;
            for (all, next) in columns.iter_mut().zip(cells) {
                all.append(next)?;
            }
            bytes += read;
            lines += count;
            // Where one had to stop, those that follow began too late.
            if read < length {
                break;
            }
        }
        Ok((bytes, lines))
    }

    fn take(&self, k: usize, line: u64, cell: &[u8], cells: &mut Cells) -> Result<()> {
        let cell = cell.trim_ascii();
        match cells {
            Cells::Numbers(numbers) => {
                let number = match number(cell, self.decimal_comma) {
                    None if self.is_missing(cell) => Some(f64::NAN),
                    number => number,
                };
                match number {
                    Some(x) => push(numbers, x)?,
                    None if self.options.numbers.contains(&self.header[k]) => {
                        let shown = Value::String(self.text(cell, k, line)?.into());
                        let name = &self.header[k];
                        let expected = format!("a number in line {line}, column '{name}'");
                        return Err(self.corrupt(expected, Shown(&shown).to_string()));
                    }
                    None => *cells = Cells::Mixed,
                }
            }
            Cells::Words(words) => {
                let code = match words.places.get(cell) {
                    Some(&code) => code,
                    None if self.is_missing(cell) => MISSING,
                    None => words.place(self.text(cell, k, line)?.to_string()),
                };
                push(&mut words.codes, code)?;
            }
            Cells::Mixed | Cells::Skipped => {}
        }
        Ok(())
    }

    fn is_missing(&self, cell: &[u8]) -> bool {
        cell.is_empty() || self.options.missing.iter().any(|text| text.as_bytes() == cell)
    }
}

/// Rows without quotes that are read column by column: where each begins and its line, and where its cells end.
#[derive(Default)]
struct Group {
    rows: Vec<(usize, u64)>,
    /// `[rows][columns]`, from the beginning of the row
    ends: Vec<usize>,
}

impl Group {
    fn clear(&mut self) {
        self.rows.clear();
        self.ends.clear();
    }
}

/// Behind the first line end from `at` on; the whole length where there is none.
fn line_end(text: &[u8], at: usize) -> usize {
    memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end + 1)
}

/// One pass over the text.
struct Pass<'o, R> {
    rules: Rules<'o>,
    text: R,
    reader: Reader,
    chunk: Vec<u8>,
    /// What of the chunk is not read yet: it begins with a row.
    left: std::ops::Range<usize>,
    is_at_end: bool,
    /// The last row has its line end.
    is_closed: bool,
    /// The line in which the next row begins, from 1.
    line: u64,
    /// The cells of a row, one after the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl<'o, R: Read> Pass<'o, R> {
    fn new(text: R, name: &'o str, options: &'o Options) -> Result<Self> {
        let rules = Rules {
            name,
            options,
            header: Vec::new(),
            separator: b',',
            decimal_comma: false,
        };
        let mut pass = Pass {
            rules,
            text,
            reader: Reader::new(),
            chunk: vec![0; CHUNK],
            left: 0..0,
            is_at_end: false,
            is_closed: false,
            line: 1,
            cells: vec![0; 1 << 12],
            ends: vec![0; 1 << 8],
        };
        pass.fill()?;
        let start = &pass.chunk[pass.left.clone()];
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            let error = pass.rules.corrupt("a text in UTF-8", "one in UTF-16");
            return Err(error.cure("save it as UTF-8"));
        }
        if start.starts_with(&[0xef, 0xbb, 0xbf]) {
            pass.left.start += 3;
        }
        let separator = options.separator.unwrap_or_else(|| pass.likely_separator());
        pass.rules.separator = separator;
        pass.rules.decimal_comma = separator != b',';
        pass.reader = ReaderBuilder::new().delimiter(separator).build();
        let Some(count) = pass.row()? else {
            return Err(pass.rules.corrupt("a header of column names", "an empty text"));
        };
        let mut known = HashSet::new();
        let mut header = Vec::with_capacity(count);
        for k in 0..count {
            let name = pass.rules.text(pass.cell(k), k, 1)?.trim().to_string();
            if name.is_empty() {
                let expected = format!("a name for column {} in line 1", k + 1);
                return Err(pass.rules.corrupt(expected, "none"));
            }
            if !known.insert(name.clone()) {
                let received = format!("'{name}' twice");
                return Err(pass.rules.corrupt("each column name once in line 1", received));
            }
            header.push(name);
        }
        pass.rules.header = header;
        Ok(pass)
    }

    /// Reads the next chunk, once the last one is used up.
    fn fill(&mut self) -> Result<()> {
        let mut length = 0;
        while length < CHUNK {
            match self.text.read(&mut self.chunk[length..]) {
                Ok(0) => {
                    self.is_at_end = true;
                    break;
                }
                Ok(count) => length += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let name = self.rules.name;
                    return Err(Error::new(Code::File, "a file that can be read", name, error));
                }
            }
        }
        self.left = 0..length;
        Ok(())
    }

    fn likely_separator(&self) -> u8 {
        let start = &self.chunk[self.left.clone()];
        let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let count = |separator: &u8| {
            let mut is_quoted = false;
            line.iter()
                .filter(|&byte| {
                    is_quoted ^= *byte == b'"';
                    !is_quoted && byte == separator
                })
                .count()
        };
        // The first of those that are equally frequent.
        let best = SEPARATORS.iter().rev().max_by_key(|separator| count(separator));
        *best.expect("there are some")
    }

    /// Reads all rows.
    fn run(&mut self, columns: &mut [Cells]) -> Result<()> {
        loop {
            self.plain_rows(columns)?;
            let line = self.line;
            let Some(count) = self.row()? else {
                return Ok(());
            };
            self.rules.check_count(count, line)?;
            for (k, cells) in columns.iter_mut().enumerate() {
                self.rules.take(k, line, self.cell(k), cells)?;
            }
        }
    }

    /// Reads the rows before the next quote whose ends are in the chunk.
    fn plain_rows(&mut self, columns: &mut [Cells]) -> Result<()> {
        let left = &self.chunk[self.left.clone()];
        let quote = memchr(b'"', left).unwrap_or(left.len());
        let length = memrchr(b'\n', &left[..quote]).map_or(0, |end| end + 1);
        let (text, threads) = (&left[..length], host::threads().min(length / LEAST_SHARE));
        let (bytes, lines) = if threads > 1 {
            self.rules.shared_lines(text, self.line, threads, columns)?
        } else {
            self.rules.lines(text, self.line, columns)?
        };
        self.left.start += bytes;
        self.line += lines;
        Ok(())
    }

    /// The next row, whatever it looks like, into `cells` and `ends`: how many cells it has; nothing at the end.
    fn row(&mut self) -> Result<Option<usize>> {
        let before = self.reader.line();
        let line = self.line;
        let count = self.any_row(line)?;
        self.line += self.reader.line() - before;
        if let Some(count) = count
            && memchr(0, &self.cells[..self.ends[count - 1]]).is_some()
        {
            return Err(self.rules.corrupt(format!("text in line {line}"), "a NUL byte"));
        }
        Ok(count)
    }

    fn any_row(&mut self, line: u64) -> Result<Option<usize>> {
        let (mut length, mut count) = (0, 0);
        loop {
            if self.left.is_empty() && !self.is_at_end {
                self.fill()?;
            }
            // A line end closes the last row, unless that is within quotes.
            let is_closing = self.left.is_empty() && !self.is_closed;
            let input = if is_closing {
                b"\n"
            } else {
                &self.chunk[self.left.clone()]
            };
            let (cells, ends) = (&mut self.cells[length..], &mut self.ends[count..]);
            let (result, read, written, ended) = self.reader.read_record(input, cells, ends);
            length += written;
            count += ended;
            if is_closing {
                self.is_closed = read > 0;
            } else {
                self.left.start += read;
            }
            match result {
                ReadRecordResult::InputEmpty if is_closing && length > 0 => {
                    let error = self
                        .rules
                        .corrupt(format!("a row that ends in line {line}"), "none");
                    return Err(error.cure("is there a quote that is never closed?"));
                }
                ReadRecordResult::Record if count <= MOST_COLUMNS => return Ok(Some(count)),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.cells.len() < MOST_BYTES => {
                    self.cells.resize(2 * self.cells.len(), 0);
                }
                ReadRecordResult::OutputFull => {
                    let expected = format!("a row of at most {MOST_BYTES} bytes in line {line}");
                    let error = self.rules.corrupt(expected, "a longer one");
                    return Err(error.cure("is there a quote that is never closed?"));
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() <= MOST_COLUMNS => {
                    self.ends.resize(2 * self.ends.len(), 0);
                }
                ReadRecordResult::OutputEndsFull | ReadRecordResult::Record => {
                    let expected = format!("at most {MOST_COLUMNS} columns in line {line}");
                    return Err(self.rules.corrupt(expected, "more"));
                }
            }
        }
    }

    fn cell(&self, k: usize) -> &[u8] {
        let start = if k == 0 { 0 } else { self.ends[k - 1] };
        &self.cells[start..self.ends[k]]
    }
}

fn push<T>(values: &mut Vec<T>, value: T) -> Result<()> {
    if values.len() == values.capacity() {
        let more = values.len().max(1024);
        values
            .try_reserve(more)
            .map_err(|_| out_of_memory(values.len()))?;
    }
    values.push(value);
    Ok(())
}

fn extend<T: Copy>(values: &mut Vec<T>, more: &[T]) -> Result<()> {
    values
        .try_reserve(more.len())
        .map_err(|_| out_of_memory(values.len()))?;
    values.extend_from_slice(more);
    Ok(())
}

fn out_of_memory(rows: usize) -> Error {
    let received = format!("a need of more than {rows} rows");
    Error::new(Code::OutOfMemory, "enough free memory", "the table", received)
}

/// Puts the ends of the cells of a line into `ends`: how many there are; nothing where the line has quotes, or more cells than
/// there is room for. Eight bytes at a time: cells are too short for a search each.
fn separators(line: &[u8], separator: u8, ends: &mut [usize]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    /// The upper bit of each byte that is 0.
    fn zeros(word: u64) -> u64 {
        let lower = 0x7f * ONES;
        !(((word & lower) + lower) | word | lower)
    }
    let all = |byte: u8| ONES * u64::from(byte);
    let (wanted, others) = (all(separator), [all(b'"'), all(b'\r'), 0]);
    let mut count = 0;
    let mut take = |start: usize, word: u64| {
        if others.iter().fold(0, |found, other| found | zeros(word ^ other)) != 0 {
            return None;
        }
        let mut found = zeros(word ^ wanted);
        while found != 0 {
            *ends.get_mut(count)? = start + found.trailing_zeros() as usize / 8;
            count += 1;
            found &= found - 1;
        }
        Some(())
    };
    let (words, rest) = line.as_chunks::<8>();
    for (k, bytes) in words.iter().enumerate() {
        take(8 * k, u64::from_le_bytes(*bytes))?;
    }
    // Filled up with what is nothing of all these.
    let mut last = [b'x'; 8];
    last[..rest.len()].copy_from_slice(rest);
    if separator == b'x' {
        last[rest.len()..].fill(b'y');
    }
    take(8 * words.len(), u64::from_le_bytes(last))?;
    *ends.get_mut(count)? = line.len();
    Some(count + 1)
}

/// A finite number in decimal notation.
fn number(cell: &[u8], decimal_comma: bool) -> Option<f64> {
    // Not `inf`, `nan` and the like, which Rust would take.
    if !matches!(cell.last()?, b'0'..=b'9' | b'.') {
        return None;
    }
    if let Some(number) = short(cell) {
        return Some(number);
    }
    if decimal_comma && cell.contains(&b',') && !cell.contains(&b'.') {
        let with_point: Vec<u8> = cell
            .iter()
            .map(|&byte| if byte == b',' { b'.' } else { byte })
            .collect();
        return parse(&with_point);
    }
    parse(cell)
}

/// A number of up to 15 digits without an exponent. Digits and power of ten are exact, and so the quotient is rounded once
/// (Clinger 1990, "How to Read Floating Point Numbers Accurately").
fn short(cell: &[u8]) -> Option<f64> {
    let (is_negative, text) = match cell.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, cell),
    };
    let (mut digits, mut count, mut point) = (0u64, 0, None);
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + u64::from(byte - b'0');
                count += 1;
                if count > 15 {
                    return None;
                }
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if count == 0 {
        return None;
    }
    const POWERS: [f64; 16] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    let number = digits as f64 / POWERS[count - point.unwrap_or(count)];
    Some(if is_negative { -number } else { number })
}

fn parse(cell: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(cell).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests;
