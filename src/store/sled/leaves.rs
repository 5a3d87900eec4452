//! The order in which rows are written to sled, so that its leaves become full and contiguous in its file.
//!
//! sled 0.34 splits a leaf of 17 rows into 9 and 8, wherever the next row is inserted. Rows that arrive in key order,
//! as in an import or an index rebuild, continue after the 8: only 9 of 16 places are ever used. Cold reads pay per
//! leaf, and every leaf has an entry in sled's page table. So 9 of every 16 rows are written first, which makes one
//! leaf of them, and then the 7 that lie between them.
//!
//! Each of the 7 is a separate piece in sled's file, and a cold leaf is read piece by piece, until the tenth change of
//! the leaf consolidates them (`PAGE_CONSOLIDATION_THRESHOLD`). So 3 of the 7 are written twice: a placeholder for the
//! row, then the row.

/// One operation on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Reserves its place in the leaf.
    Reserve,
    /// Writes it.
    Write,
}

/// The pass in which a row is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Second,
    /// In the third pass, after its place was reserved in the second.
    Third,
}

/// The passes of 16 consecutive rows in key order. Two rows of later passes are never adjacent: a leaf may begin or end
/// between any two rows of the first pass, and only one row lies there.
const PASSES: [Pass; 16] = {
    use Pass::{First as A, Second as B, Third as C};
    [A, C, A, B, A, B, A, C, A, B, A, B, A, C, A, A]
};

/// Fewer rows than this are written in their order: they do not fill leaves.
const MIN_ROWS: usize = 2 * PASSES.len();

/// Arranges rows, which are sorted by key, in the order in which they fill leaves.
pub(super) fn filling<T>(sorted: &[T]) -> impl Iterator<Item = (Step, &T)> {
    let is_few = sorted.len() < MIN_ROWS;
    (1..=3).flat_map(move |pass| {
        let passes = PASSES.iter().cycle().map(move |own| if is_few { Pass::First } else { *own });
        sorted.iter().zip(passes).filter_map(move |(row, own)| Some((step(pass, own)?, row)))
    })
}

const fn step(pass: u8, own: Pass) -> Option<Step> {
    match (pass, own) {
        (1, Pass::First) | (2, Pass::Second) | (3, Pass::Third) => Some(Step::Write),
        (2, Pass::Third) => Some(Step::Reserve),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A model of sled's leaves, with numbers as rows.
    #[derive(Default)]
    struct Leaf {
        rows: Vec<u32>,
        /// Pieces in addition to the first one.
        pieces: usize,
    }

    /// Starts a new leaf after the 9th of 17 rows. Its first key is made as short as possible, which is why it may lie
    /// anywhere between two rows: at the end of the gap, or at its beginning.
    fn leaves(steps: impl Iterator<Item = u32>, is_early: bool) -> Vec<Leaf> {
        let mut leaves = BTreeMap::from([(0, Leaf::default())]);
        for row in steps {
            let (_, leaf) = leaves.range_mut(..=row).next_back().unwrap();
            leaf.pieces = (leaf.pieces + 1) % 10;
            let place = leaf.rows.partition_point(|there| *there < row);
            if leaf.rows.get(place) != Some(&row) {
                leaf.rows.insert(place, row);
            }
            if leaf.rows.len() == 17 {
                let right = leaf.rows.split_off(9);
                leaf.pieces = 0;
                let low = if is_early { leaf.rows[8] + 1 } else { right[0] };
                leaves.insert(low, Leaf { rows: right, pieces: 0 });
            }
        }
        leaves.into_values().collect()
    }

    fn batches(rows: u32) -> impl Iterator<Item = Vec<u32>> {
        (0..40).map(move |number| (number * rows..(number + 1) * rows).collect())
    }

    #[test]
    fn every_row_is_written_once_and_reserved_before_if_at_all() {
        for rows in 0..100 {
            let sorted: Vec<u32> = (0..rows).collect();
            let steps: Vec<_> = filling(&sorted).collect();
            let at = |step| steps.iter().enumerate().filter(move |(_, (what, _))| *what == step);
            let written: BTreeMap<u32, usize> = at(Step::Write).map(|(at, (_, row))| (**row, at)).collect();
            assert_eq!(at(Step::Write).count(), sorted.len());
            assert_eq!(written.keys().copied().collect::<Vec<_>>(), sorted);
            assert!(at(Step::Reserve).all(|(held, (_, row))| held < written[*row]));
            assert_eq!(at(Step::Reserve).count() > 0, rows >= 32, "{rows} rows");
        }
    }

    #[test]
    fn steps_of_an_import_leave_full_leaves_in_one_piece() {
        for is_early in [false, true] {
            for rows in [500, 501, 507] {
                let steps = |sorted: Vec<u32>| filling(&sorted).map(|(_, row)| *row).collect::<Vec<_>>();
                let filled = leaves(batches(rows).flat_map(steps), is_early);
                let in_order = leaves(batches(rows).flatten(), is_early);
                let all = 40 * rows as usize;
                assert!(filled.len() * 31 < all * 2, "{} leaves for {all} rows", filled.len());
                assert!(in_order.len() * 9 >= all - 16, "{} leaves for {all} rows in their order", in_order.len());
                let whole = filled.iter().filter(|leaf| leaf.pieces == 0).count();
                assert!(whole * 10 > filled.len() * 9, "{whole} leaves of {} are in one piece", filled.len());
            }
        }
    }
}
