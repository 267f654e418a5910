//! Cuts a stream of bytes into records: CSV by RFC 4180 (leniently) or lines of JSON.

use memchr::{memchr, memchr2};

use super::{Dialect, Format};
use crate::{Limits, TransformError};

/// One record. Of JSON lines `fields` is empty.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The record as it stands, without its line end.
    pub(crate) raw: &'a [u8],
    /// Its line end: `\n`, `\r\n`, or nothing at the end of the object.
    pub(crate) line_end: &'a [u8],
    /// Ranges of the fields in `raw`, quotes included.
    pub(crate) fields: &'a [(usize, usize)],
    /// Number of the record, from 1. A CSV's header counts; blank lines do not.
    pub(crate) number: u64,
    /// Whether a byte order mark stood before it.
    pub(crate) marked: bool,
}

impl<'a> Record<'a> {
    /// Field `i` as it stands, or nothing.
    pub(crate) fn field(&self, i: usize) -> &'a [u8] {
        let range = self.fields.get(i).copied().unwrap_or_default();
        self.raw.get(range.0..range.1).unwrap_or_default()
    }
}

/// Collects bytes and gives back whole records.
#[derive(Debug)]
pub(crate) struct Reader {
    dialect: Dialect,
    limit: u64,
    buf: Vec<u8>,
    /// Where the present record begins, and up to where it has been looked at.
    start: usize,
    scanned: usize,
    state: State,
    /// Where the present field begins, relative to the record.
    field_start: usize,
    fields: Vec<(usize, usize)>,
    number: u64,
    begun: bool,
    /// Whether the record that was handed out last is to be dropped.
    handed_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Unquoted,
    Quoted,
    /// After a quote inside of a quoted field: its end, or the first half of an escaped quote.
    Quote,
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl Reader {
    pub(crate) fn new(dialect: Dialect, limits: &Limits) -> Self {
        Self {
            dialect,
            limit: limits.record_bytes,
            buf: Vec::new(),
            start: 0,
            scanned: 0,
            state: State::FieldStart,
            field_start: 0,
            fields: Vec::new(),
            number: 0,
            begun: false,
            handed_out: false,
        }
    }

    /// Adds bytes. Memory stays within the cap of a record and what is added at once, if every
    /// [`next`](Self::next) record is taken in between.
    pub(crate) fn push(&mut self, input: &[u8]) {
        self.drop_last();
        self.buf.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        self.buf.extend_from_slice(input);
    }

    /// The next whole record; `None` when there is none before more bytes come. With `eof` the rest is a record.
    pub(crate) fn next(&mut self, eof: bool) -> Result<Option<Record<'_>>, TransformError> {
        self.drop_last();
        let mut marked = false;
        if !self.begun {
            if self.buf.len() < MARK.len() && MARK.starts_with(&self.buf) && !eof {
                return Ok(None);
            }
            marked = self.buf.starts_with(MARK);
            if marked {
                (self.start, self.scanned) = (MARK.len(), MARK.len());
            }
            self.begun = true;
        }
        loop {
            let ended = match self.dialect.format {
                Format::Csv => self.scan_csv(),
                Format::Jsonl => self.scan_line(),
            };
            let (content, end) = match ended {
                Some(line_feed) => (self.content_end(line_feed), line_feed + 1),
                None if eof && self.start < self.buf.len() => {
                    if self.state == State::Quoted {
                        let number = self.number + 1;
                        let text = format!("record {number}: a quoted field is not closed");
                        return Err(TransformError::BadInput(text));
                    }
                    (self.content_end(self.buf.len()), self.buf.len())
                }
                None => {
                    self.check_size(self.buf.len())?;
                    if marked {
                        // The mark belongs to the first record, whenever that is whole.
                        (self.start, self.scanned, self.begun) = (0, 0, false);
                        self.reset_fields();
                    }
                    return Ok(None);
                }
            };
            self.check_size(content)?;
            if self.is_blank(content) {
                self.start = end;
                self.scanned = end;
                self.reset_fields();
                continue;
            }
            self.fields.push((self.field_start, content - self.start));
            self.number += 1;
            self.scanned = end;
            self.handed_out = true;
            let fields = if self.dialect.format == Format::Csv { self.fields.as_slice() } else { &[] };
            return Ok(Some(Record {
                raw: self.buf.get(self.start..content).unwrap_or_default(),
                line_end: self.buf.get(content..end).unwrap_or_default(),
                fields,
                number: self.number,
                marked,
            }));
        }
    }

    fn drop_last(&mut self) {
        if self.handed_out {
            self.handed_out = false;
            self.start = self.scanned;
            self.reset_fields();
        }
    }

    fn reset_fields(&mut self) {
        self.fields.clear();
        self.field_start = 0;
        self.state = State::FieldStart;
    }

    fn is_blank(&self, content: usize) -> bool {
        match self.dialect.format {
            Format::Csv => content == self.start,
            Format::Jsonl => {
                self.buf.get(self.start..content).unwrap_or_default().iter().all(u8::is_ascii_whitespace)
            }
        }
    }

    /// Where the content ends of a record whose line feed (or end of the object) is at `end`.
    fn content_end(&self, end: usize) -> usize {
        let carriage_return = end > self.start && self.buf.get(end - 1) == Some(&b'\r');
        if carriage_return && end < self.buf.len() { end - 1 } else { end }
    }

    fn check_size(&self, end: usize) -> Result<(), TransformError> {
        if (end - self.start) as u64 > self.limit {
            return Err(TransformError::Limit { what: "bytes of a record", limit: self.limit });
        }
        Ok(())
    }

    /// Goes on to the line feed that ends the record.
    fn scan_line(&mut self) -> Option<usize> {
        let found = memchr(b'\n', self.buf.get(self.scanned..).unwrap_or_default());
        let line_feed = found.map(|i| self.scanned + i);
        self.scanned = line_feed.unwrap_or(self.buf.len());
        line_feed
    }

    /// Goes on to the line feed outside of quotes that ends the record, noting fields on the way.
    fn scan_csv(&mut self) -> Option<usize> {
        let (buf, delimiter) = (self.buf.as_slice(), self.dialect.delimiter);
        let mut i = self.scanned;
        while let Some(&b) = buf.get(i) {
            match self.state {
                State::FieldStart if b == b'"' => {
                    self.state = State::Quoted;
                    i += 1;
                }
                State::FieldStart => self.state = State::Unquoted,
                State::Quoted => match memchr(b'"', buf.get(i..).unwrap_or_default()) {
                    Some(found) => {
                        i += found + 1;
                        self.state = State::Quote;
                    }
                    None => i = buf.len(),
                },
                State::Quote if b == b'"' => {
                    self.state = State::Quoted;
                    i += 1;
                }
                State::Quote => self.state = State::Unquoted,
                State::Unquoted => {
                    let Some(found) = memchr2(delimiter, b'\n', buf.get(i..).unwrap_or_default()) else {
                        i = buf.len();
                        break;
                    };
                    i += found;
                    if buf.get(i) == Some(&b'\n') {
                        self.scanned = i;
                        return Some(i);
                    }
                    self.fields.push((self.field_start, i - self.start));
                    i += 1;
                    self.field_start = i - self.start;
                    self.state = State::FieldStart;
                }
            }
        }
        self.scanned = i;
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decode_field;
    use super::*;

    fn dialect(format: Format) -> Dialect {
        Dialect { format, delimiter: b',' }
    }

    /// All records as decoded fields, from pieces.
    fn read(pieces: &[&[u8]]) -> Result<Vec<Vec<Vec<u8>>>, TransformError> {
        let mut reader = Reader::new(dialect(Format::Csv), &Limits::default());
        let mut all = Vec::new();
        let mut take = |reader: &mut Reader, eof| {
            while let Some(record) = reader.next(eof)? {
                all.push(
                    (0..record.fields.len()).map(|i| decode_field(record.field(i)).into_owned()).collect(),
                );
            }
            Ok(())
        };
        for piece in pieces {
            reader.push(piece);
            take(&mut reader, false)?;
        }
        take(&mut reader, true)?;
        Ok(all)
    }

    #[test]
    fn quotes_line_ends_and_blank_lines() {
        let decoded = read(&[b"\xef\xbb\xbfa,\"b\"\r\n\r\n\"x, \"\"y\"\"\nz\",\n\n1,2"]).unwrap();
        assert_eq!(
            decoded,
            [
                [b"a".to_vec(), b"b".to_vec()],
                [b"x, \"y\"\nz".to_vec(), b"".to_vec()],
                [b"1".to_vec(), b"2".to_vec()]
            ]
        );
        assert!(matches!(read(&[b"a,\"b"]), Err(TransformError::BadInput(m)) if m.contains("record 1")));
    }

    #[test]
    fn records_keep_their_bytes_and_line_ends() {
        for format in [Format::Csv, Format::Jsonl] {
            let mut reader = Reader::new(dialect(format), &Limits::default());
            reader.push(b"\xef\xbb\xbfa,b\r\n{}\nlast");
            let (mut all, mut numbers) = (Vec::new(), Vec::new());
            while let Some(r) = reader.next(true).unwrap() {
                if r.marked {
                    all.extend_from_slice(MARK);
                }
                all.extend_from_slice(r.raw);
                all.extend_from_slice(r.line_end);
                numbers.push(r.number);
            }
            assert_eq!(all, b"\xef\xbb\xbfa,b\r\n{}\nlast");
            assert_eq!(numbers, [1, 2, 3]);
        }
    }

    #[test]
    fn a_record_beyond_the_cap_is_refused_before_it_is_whole() {
        let limits = Limits { record_bytes: 10, ..Limits::default() };
        for format in [Format::Csv, Format::Jsonl] {
            let mut reader = Reader::new(dialect(format), &limits);
            reader.push(b"0123456789\n");
            assert!(reader.next(false).unwrap().is_some());
            reader.push(b"01234567890");
            let refused = Err(TransformError::Limit { what: "bytes of a record", limit: 10 });
            assert_eq!(reader.next(false).map(|_| ()), refused);
        }
    }

    proptest! {
        /// The csv crate is the reference for well-formed text, at any split.
        #[test]
        fn fields_are_those_of_the_csv_crate(
            table in prop::collection::vec(prop::collection::vec("[a\", \r\n\u{e9}x]{0,6}", 2), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut writer = ::csv::WriterBuilder::new().from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let (a, b) = text.split_at(cut.index(text.len() + 1));
            let expected: Vec<Vec<Vec<u8>>> =
                table.iter().map(|r| r.iter().map(|f| f.clone().into_bytes()).collect()).collect();
            prop_assert_eq!(read(&[a, b]).unwrap(), expected);
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_splits_do_not_matter(
            text in prop::collection::vec(prop::sample::select(b"a\",\r\n\xef\xbb\xbf".to_vec()), 0..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let (a, b) = text.split_at(cut.index(text.len() + 1));
            prop_assert_eq!(read(&[a, b]), read(&[&text]));
        }
    }
}
