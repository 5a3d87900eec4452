//! [`DumpReader`]: the rows in a plain-text dump of PostgreSQL, one at a time.

use super::row::{Row, Table, unescape};
use std::io::{self, BufRead, Read};

/// Longest line that is read, in bytes: a row may hold several values of a few MiB.
const MAX_LINE: usize = 64 << 20;
/// The last line that `pg_dump` writes: without it the dump is incomplete.
const COMPLETE: &[u8] = b"-- PostgreSQL database dump complete";

/// Why a dump cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file, or the program that converts it, failed.
    #[error("reading the dump failed: {0}")]
    Io(#[from] io::Error),
    /// It ends in the middle.
    #[error("the dump ends early{}: make it again", .0.as_ref().map(|table| format!(", in table {table}")).unwrap_or_default())]
    Incomplete(Option<String>),
    /// A line is not what `pg_dump` writes.
    #[error("line {line} of the dump: {what}")]
    Malformed {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
}

/// Reads a dump that `pg_dump` wrote as plain text.
///
/// Call [`next_table`](Self::next_table), then [`next_row`](Self::next_row) until it returns false, and so on. Rows that
/// were not read are passed over.
pub struct DumpReader<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    bytes: u64,
    /// The table whose rows come next.
    inside: Option<String>,
    is_complete: bool,
    has_inserts: bool,
}

impl<R: BufRead> DumpReader<R> {
    /// A reader at the beginning of a dump.
    pub fn new(input: R) -> Self {
        let (line, inside) = (Vec::new(), None);
        Self { input, line, number: 0, bytes: 0, inside, is_complete: false, has_inserts: false }
    }

    /// Bytes of text read so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it holds rows as INSERT statements, which are not read.
    pub const fn has_inserts(&self) -> bool {
        self.has_inserts
    }

    /// Advances to the rows of the next table; `None` at the end of a complete dump.
    ///
    /// # Errors
    /// When the dump is incomplete or not one of `pg_dump`.
    pub fn next_table(&mut self) -> Result<Option<Table>, DumpError> {
        while self.inside.is_some() {
            self.read_row()?;
        }
        while self.read_line()? {
            if let Some(statement) = self.line.strip_prefix(b"COPY ") {
                let table = Table::parse(statement).ok_or_else(|| self.malformed("this COPY is not understood"))?;
                self.inside = Some(table.name.clone());
                return Ok(Some(table));
            }
            self.has_inserts |= self.line.starts_with(b"INSERT INTO ");
            self.is_complete |= self.line.starts_with(COMPLETE);
            if let Some(encoding) = self.line.strip_prefix(b"SET client_encoding = ")
                && !encoding.starts_with(b"'UTF8'")
            {
                return Err(self.malformed("its text is not UTF-8: make it with pg_dump --encoding=UTF8"));
            }
        }
        if self.is_complete { Ok(None) } else { Err(DumpError::Incomplete(None)) }
    }

    /// Reads the next row of the current table into `row`; false after the last one.
    ///
    /// # Errors
    /// When the dump is incomplete, or the line is no row of the table.
    pub fn next_row(&mut self, table: &Table, row: &mut Row) -> Result<bool, DumpError> {
        if self.inside.is_none() || !self.read_row()? {
            return Ok(false);
        }
        match unescape(&self.line, table.columns.len(), row) {
            Ok(()) => Ok(true),
            Err(what) => Err(self.malformed(&format!("table {}: {what}", table.name))),
        }
    }

    /// Passes over the next row of the current table; false after the last one.
    ///
    /// # Errors
    /// When the dump is incomplete.
    pub fn pass_row(&mut self) -> Result<bool, DumpError> {
        if self.inside.is_some() { self.read_row() } else { Ok(false) }
    }

    /// Reads a line inside a table; false for the one that ends it.
    fn read_row(&mut self) -> Result<bool, DumpError> {
        if !self.read_line()? {
            return Err(DumpError::Incomplete(self.inside.take()));
        }
        if self.line == b"\\." {
            self.inside = None;
        }
        Ok(self.inside.is_some())
    }

    /// Reads a line without its end; false at the end of the dump.
    fn read_line(&mut self) -> Result<bool, DumpError> {
        self.line.clear();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        self.number += 1;
        self.bytes += u64::try_from(read).unwrap_or(0);
        if self.line.pop_if(|last| *last == b'\n').is_some() {
            self.line.pop_if(|last| *last == b'\r');
            return Ok(true);
        }
        if read >= MAX_LINE {
            return Err(self.malformed("it is too long"));
        }
        // The last line of a file that was cut has no end.
        if read > 0 && self.inside.is_some() {
            return Err(DumpError::Incomplete(self.inside.take()));
        }
        Ok(read > 0)
    }

    fn malformed(&self, what: &str) -> DumpError {
        DumpError::Malformed { line: self.number, what: what.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "SET client_encoding = 'UTF8';\nCOPY \"my schema\".x_apps (app_id, created_at_time) FROM stdin;\n\
                        public\t1\n\\\\.\\t\\n\\b\t\\N\n\\.\n\nCOPY public.empty (a) FROM stdin;\n\\.\n--\n\
                        -- PostgreSQL database dump complete\n--\n";

    type Fields = Vec<Option<String>>;

    fn all(text: &str) -> Result<Vec<(Table, Vec<Fields>)>, DumpError> {
        let (mut reader, mut tables, mut row) = (DumpReader::new(text.as_bytes()), Vec::new(), Row::default());
        while let Some(table) = reader.next_table()? {
            let mut rows = Vec::new();
            while reader.next_row(&table, &mut row)? {
                let fields = (0..table.columns.len()).map(|at| row.field(at).map(str::to_owned));
                rows.push(fields.collect());
            }
            tables.push((table, rows));
        }
        Ok(tables)
    }

    #[test]
    fn tables_and_rows_are_read_with_their_escapes() {
        let tables = all(DUMP).unwrap();
        let (table, rows) = &tables[0];
        assert_eq!((table.schema.as_str(), table.name.as_str()), ("my schema", "x_apps"));
        assert_eq!(table.columns, ["app_id", "created_at_time"]);
        assert_eq!(rows[0], [Some("public".to_owned()), Some("1".to_owned())]);
        assert_eq!(rows[1], [Some("\\.\t\n\u{8}".to_owned()), None]);
        assert_eq!((tables[1].0.name.as_str(), tables[1].1.len()), ("empty", 0));
    }

    #[test]
    fn rows_that_are_not_read_are_passed_over() {
        let mut reader = DumpReader::new(DUMP.as_bytes());
        let mut names = Vec::new();
        while let Some(table) = reader.next_table().unwrap() {
            names.push(table.name);
        }
        assert_eq!(names, ["x_apps", "empty"]);
    }

    #[test]
    fn a_dump_that_was_cut_anywhere_is_incomplete_or_malformed() {
        for end in 0..DUMP.find("-- PostgreSQL database dump complete").unwrap() + 20 {
            assert!(all(&DUMP[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn what_pg_dump_does_not_write_is_named_with_its_line() {
        let sentence = |text: &str| all(text).unwrap_err().to_string();
        assert_eq!(
            sentence(&DUMP.replace("public\t1", "public")),
            "line 3 of the dump: table x_apps: it has 1 columns instead of 2"
        );
        assert!(sentence(&DUMP.replace("public\t1", "public\t1\t2")).contains("3 columns instead of 2"));
        assert!(sentence(&DUMP.replace("UTF8", "LATIN1")).contains("--encoding=UTF8"));
        assert!(sentence(&DUMP.replace("(app_id, ", "(")).contains("2 columns instead of 1"));
        assert!(sentence("COPY x FROM stdin;\n").contains("line 1"));
        assert!(sentence(&DUMP.replace("\\\\.", "\\x.")).contains("escape"));
    }
}
