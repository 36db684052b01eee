//! Tables as comma-separated values (RFC 4180, and what people make of it).
//!
//! The text is read as it streams in, a row at a time. Numbers are kept as numbers, and every distinct word once: memory is
//! proportional to those, not to the text. A column is of numbers where every cell that is not missing is one. Whether it
//! is shows at its last row: columns that are of words after all are read in a second pass.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::memchr;
use serde_json::Value;

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::options::Fields;
use crate::nn::wording::Shown;

/// The code of a cell that is missing.
pub const MISSING: u32 = u32::MAX;
/// The most columns of a table.
const MOST_COLUMNS: usize = 16_384;
/// The most bytes of a row: a larger one is most likely a quote that is never closed.
const MOST_BYTES: usize = 16 << 20;
/// How many bytes are read at a time.
const CHUNK: usize = 1 << 17;
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
    let cells = first.header.iter().map(|column| {
        if options.words.contains(column) {
            Cells::words()
        } else {
            Cells::Numbers(Vec::new())
        }
    });
    let mut columns: Vec<Cells> = cells.collect();
    first.run(&mut columns)?;
    let header = std::mem::take(&mut first.header);
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
    let named = header.into_iter().zip(columns);
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
    Words {
        codes: Vec<u32>,
        places: HashMap<Box<[u8]>, u32>,
        words: Vec<String>,
    },
    /// Numbers up to a cell that is none.
    Mixed,
    Skipped,
}

impl Cells {
    fn words() -> Self {
        Cells::Words {
            codes: Vec::new(),
            places: HashMap::new(),
            words: Vec::new(),
        }
    }

    fn finish(self) -> Values {
        match self {
            Cells::Numbers(numbers) => Values::Numbers(numbers),
            Cells::Words { codes, words, .. } => Values::Words { codes, words },
            Cells::Mixed | Cells::Skipped => Values::Numbers(Vec::new()),
        }
    }
}

/// One pass over the text.
struct Pass<'o, R> {
    text: R,
    name: &'o str,
    options: &'o Options,
    reader: Reader,
    decimal_comma: bool,
    header: Vec<String>,
    chunk: Vec<u8>,
    /// What of the chunk is not read yet.
    left: std::ops::Range<usize>,
    is_at_end: bool,
    /// The last row has its line end.
    is_closed: bool,
    separator: u8,
    /// The line in which the next row begins, from 1.
    line: u64,
    /// The cells of a row with quotes, one after the other.
    cells: Vec<u8>,
    /// Where each cell of a row ends.
    ends: Vec<usize>,
    /// Where a row without quotes begins in the chunk, its cells with separators between them; none for one in `cells`.
    plain: Option<usize>,
}

impl<'o, R: Read> Pass<'o, R> {
    fn new(text: R, name: &'o str, options: &'o Options) -> Result<Self> {
        let mut pass = Pass {
            text,
            name,
            options,
            reader: Reader::new(),
            decimal_comma: false,
            header: Vec::new(),
            chunk: vec![0; CHUNK],
            left: 0..0,
            is_at_end: false,
            is_closed: false,
            separator: b',',
            line: 1,
            cells: vec![0; 1 << 12],
            ends: vec![0; 1 << 8],
            plain: None,
        };
        pass.fill()?;
        let start = &pass.chunk[pass.left.clone()];
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err(pass
                .corrupt("a text in UTF-8", "one in UTF-16")
                .cure("save it as UTF-8"));
        }
        if start.starts_with(&[0xef, 0xbb, 0xbf]) {
            pass.left.start += 3;
        }
        let separator = options.separator.unwrap_or_else(|| pass.likely_separator());
        pass.separator = separator;
        pass.decimal_comma = separator != b',';
        pass.reader = ReaderBuilder::new().delimiter(separator).build();
        let Some(count) = pass.row()? else {
            return Err(pass.corrupt("a header of column names", "an empty text"));
        };
        pass.check_text(count, 1)?;
        let mut known = HashSet::new();
        for k in 0..count {
            let name = pass.text_of(k, 1)?.trim().to_string();
            if name.is_empty() {
                return Err(pass.corrupt(format!("a name for column {} in line 1", k + 1), "none"));
            }
            if !known.insert(name.clone()) {
                return Err(pass.corrupt("each column name once in line 1", format!("'{name}' twice")));
            }
            pass.header.push(name);
        }
        Ok(pass)
    }

    fn corrupt(&self, expected: impl Into<String>, received: impl Into<String>) -> Error {
        Error::new(Code::CorruptFile, expected.into(), self.name, received.into())
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
                    return Err(Error::new(
                        Code::File,
                        "a file that can be read",
                        self.name,
                        error,
                    ));
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

    /// The next row: how many cells it has; nothing at the end.
    fn row(&mut self) -> Result<Option<usize>> {
        if let Some(count) = self.plain_row() {
            return Ok(Some(count));
        }
        self.plain = None;
        let before = self.reader.line();
        let row = self.any_row(self.line);
        self.line += self.reader.line() - before;
        row
    }

    /// The next row, if the chunk has the whole of it and there are no quotes: three times as fast as any other.
    fn plain_row(&mut self) -> Option<usize> {
        loop {
            let left = &self.chunk[self.left.clone()];
            let length = memchr(b'\n', left)?;
            let line = &left[..length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let start = self.left.start;
            if line.is_empty() {
                self.left.start += length + 1;
                self.line += 1;
                continue;
            }
            let count = separators(line, self.separator, &mut self.ends)?;
            self.left.start += length + 1;
            self.line += 1;
            self.plain = Some(start);
            return Some(count);
        }
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
                    let error = self.corrupt(format!("a row that ends in line {line}"), "none");
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
                    let error = self.corrupt(expected, "a longer one");
                    return Err(error.cure("is there a quote that is never closed?"));
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() <= MOST_COLUMNS => {
                    self.ends.resize(2 * self.ends.len(), 0);
                }
                ReadRecordResult::OutputEndsFull | ReadRecordResult::Record => {
                    let expected = format!("at most {MOST_COLUMNS} columns in line {line}");
                    return Err(self.corrupt(expected, "more"));
                }
            }
        }
    }

    fn check_text(&self, count: usize, line: u64) -> Result<()> {
        // Those without quotes have been looked at.
        if self.plain.is_none() && memchr(0, &self.cells[..self.ends[count - 1]]).is_some() {
            return Err(self.corrupt(format!("text in line {line}"), "a NUL byte"));
        }
        Ok(())
    }

    fn cell(&self, k: usize) -> &[u8] {
        let (before, end) = (if k == 0 { None } else { Some(self.ends[k - 1]) }, self.ends[k]);
        match self.plain {
            Some(start) => &self.chunk[start + before.map_or(0, |end| end + 1)..start + end],
            None => &self.cells[before.unwrap_or(0)..end],
        }
    }

    fn text_of(&self, k: usize, line: u64) -> Result<&str> {
        std::str::from_utf8(self.cell(k)).map_err(|_| {
            let column = match self.header.get(k) {
                Some(name) => format!("'{name}'"),
                None => (k + 1).to_string(),
            };
            let expected = format!("UTF-8 in line {line}, column {column}");
            self.corrupt(expected, "other bytes").cure("save it as UTF-8")
        })
    }

    /// Reads all rows.
    fn run(&mut self, columns: &mut [Cells]) -> Result<()> {
        loop {
            let line = self.line;
            let Some(count) = self.row()? else {
                return Ok(());
            };
            if count != columns.len() {
                let cells = |count| {
                    if count == 1 {
                        "1 cell".into()
                    } else {
                        format!("{count} cells")
                    }
                };
                let expected = format!("{} as in the header in line {line}", cells(columns.len()));
                return Err(self.corrupt(expected, cells(count)));
            }
            self.check_text(count, line)?;
            for (k, cells) in columns.iter_mut().enumerate() {
                self.take(k, line, cells)?;
            }
        }
    }

    fn take(&self, k: usize, line: u64, cells: &mut Cells) -> Result<()> {
        let cell = self.cell(k).trim_ascii();
        match cells {
            Cells::Numbers(numbers) => {
                let number = match number(cell, self.decimal_comma) {
                    None if self.is_missing(cell) => Some(f64::NAN),
                    number => number,
                };
                match number {
                    Some(x) => push(numbers, x)?,
                    None if self.options.numbers.contains(&self.header[k]) => {
                        let shown = Value::String(self.text_of(k, line)?.trim().into());
                        let name = &self.header[k];
                        let expected = format!("a number in line {line}, column '{name}'");
                        return Err(self.corrupt(expected, Shown(&shown).to_string()));
                    }
                    None => *cells = Cells::Mixed,
                }
            }
            Cells::Words { codes, places, words } => {
                let code = match places.get(cell) {
                    Some(&code) => code,
                    None if self.is_missing(cell) => MISSING,
                    None => {
                        let word = self.text_of(k, line)?.trim_ascii().to_string();
                        let code = words.len() as u32;
                        places.insert(cell.into(), code);
                        words.push(word);
                        code
                    }
                };
                push(codes, code)?;
            }
            Cells::Mixed | Cells::Skipped => {}
        }
        Ok(())
    }

    fn is_missing(&self, cell: &[u8]) -> bool {
        cell.is_empty() || self.options.missing.iter().any(|text| text.as_bytes() == cell)
    }
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

fn push<T>(values: &mut Vec<T>, value: T) -> Result<()> {
    if values.len() == values.capacity() {
        let more = values.len().max(1024);
        values
            .try_reserve(more)
            .map_err(|_| Error::new(Code::OutOfMemory, "enough free memory", "the table", values.len()))?;
    }
    values.push(value);
    Ok(())
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
mod tests {
    use super::*;

    fn table(text: &str, options: &Options) -> Result<Vec<Column>> {
        read(|| Ok(text.as_bytes()), "the text", options)
    }

    fn numbers(column: &Column) -> &[f64] {
        match &column.values {
            Values::Numbers(numbers) => numbers,
            Values::Words { .. } => panic!("{} has words", column.name),
        }
    }

    fn texts(column: &Column) -> Vec<Option<&str>> {
        match &column.values {
            Values::Words { codes, words } => {
                let word = |&code: &u32| words.get(code as usize).map(String::as_str);
                codes.iter().map(word).collect()
            }
            Values::Numbers(_) => panic!("{} has numbers", column.name),
        }
    }

    #[test]
    fn numbers_and_words_are_told_apart_by_the_last_row_too() {
        let text = "\u{feff}a,b,\"c, d\"\r\n1, x ,007\r\n-2.5e3,\"say \"\"hi\"\"\",\r\n,y,8\r\n.5,x,n/a\r\n";
        let options = Options {
            missing: vec!["n/a".into()],
            ..Options::default()
        };
        let columns = table(text, &options).unwrap();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c, d"]);
        let a = numbers(&columns[0]);
        assert!(a[0] == 1.0 && a[1] == -2500.0 && a[2].is_nan() && a[3] == 0.5);
        assert_eq!(
            texts(&columns[1]),
            [Some("x"), Some("say \"hi\""), Some("y"), Some("x")]
        );
        assert_eq!(numbers(&columns[2])[0], 7.0);
        // The text of a column of words is kept as it was written.
        let columns = table(&text.replace("n/a", "nine"), &options).unwrap();
        assert_eq!(texts(&columns[2]), [Some("007"), None, Some("8"), Some("nine")]);
    }

    #[test]
    fn numbers_are_those_of_rust() {
        let mut generator = crate::nn::Generator::new(1);
        for i in 0..20_000 {
            let x = (generator.uniform() - 0.5) * 10f64.powi(i % 24 - 8);
            for text in [
                format!("{x}"),
                format!("{x:.4}"),
                format!("{x:e}"),
                format!("{:.0}", x * 1e6),
            ] {
                let found = number(text.as_bytes(), false).unwrap();
                assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
            }
        }
        for text in [
            "", "-", ".", "-.", "1.2.3", "--1", "1e", "inf", "nan", "0x10", "1 2", "1e999", "e5",
        ] {
            assert_eq!(number(text.as_bytes(), false), None, "{text}");
        }
        assert_eq!(number(b"-0", false).unwrap().to_bits(), (-0.0f64).to_bits());
        assert_eq!(
            (number(b".5", false), number(b"+5.", false)),
            (Some(0.5), Some(5.0))
        );
    }

    #[test]
    fn the_separator_is_found_and_commas_may_be_decimal() {
        for (text, b) in [
            ("a;b\n1,5;2\n", 2.0),
            ("a\tb\n1.5\t-3\n", -3.0),
            ("a|b\n1,5|1e2\n", 100.0),
        ] {
            let columns = table(text, &Options::default()).unwrap();
            assert_eq!(
                (numbers(&columns[0]), numbers(&columns[1])),
                (&[1.5][..], &[b][..])
            );
        }
        let options = Options {
            separator: Some(b'/'),
            ..Options::default()
        };
        assert_eq!(table("a/b\n1/2", &options).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        let numbers = Options {
            numbers: vec!["a".into()],
            ..Options::default()
        };
        let wide = format!("{}a\n", "a,".repeat(MOST_COLUMNS));
        for (text, said) in [
            (
                "",
                "Expected a header of column names for the text but received an empty text",
            ),
            (
                "a,\n1,2",
                "Expected a name for column 2 in line 1 for the text but received none",
            ),
            (
                "a,a\n1,2",
                "Expected each column name once in line 1 for the text but received 'a' twice",
            ),
            (
                "a,b\n1,2\n3\n4,5",
                "Expected 2 cells as in the header in line 3 for the text but received 1 cell",
            ),
            (
                "a,b\n1,\"2\n3,4\n5,6",
                "Expected a row that ends in line 2 for the text but received none: is there a quote that is never closed?",
            ),
            (
                "a\n1\nx\u{0}",
                "Expected text in line 3 for the text but received a NUL byte",
            ),
            (
                "a\n1\nx",
                "Expected a number in line 3, column 'a' for the text but received 'x'",
            ),
            (
                &wide,
                "Expected at most 16384 columns in line 1 for the text but received more",
            ),
        ] {
            assert_eq!(table(text, &numbers).unwrap_err().to_string(), said);
        }
        let bytes = b"a\nx\n\xff\n".as_slice();
        let said = read(|| Ok(bytes), "the text", &Options::default())
            .unwrap_err()
            .to_string();
        let expected =
            "Expected UTF-8 in line 3, column 'a' for the text but received other bytes: save it as UTF-8";
        assert_eq!(said, expected);
    }
}
