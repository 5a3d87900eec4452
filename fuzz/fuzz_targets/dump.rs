//! Dumps of a core's database: arbitrary text, read to its end and surveyed.
#![no_main]

use sessiond::move_in::dump::DumpReader;
use sessiond::move_in::row::{Record, Row, text_array};
use sessiond::move_in::schema::Survey;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let surveyed = Survey::of(&mut DumpReader::new(data), &|_| ());
    let (mut reader, mut row, mut rows) = (DumpReader::new(data), Row::default(), 0);
    while let Ok(Some(table)) = reader.next_table() {
        while let Ok(true) = reader.next_row(&table, &mut row) {
            let record = Record { table: &table, row: &row };
            let _ = (record.to_json(), record.number("created_at_time"), record.flag("verified"));
            let _ = record.optional("scope").and_then(text_array);
            rows += u64::from(surveyed.as_ref().is_ok_and(|survey| survey.name_of(&table).is_some()));
        }
    }
    if let Ok(survey) = surveyed {
        assert_eq!(survey.total(), rows, "both readings find the same rows");
    }
});
