use heapsoak_record::{Cell, Cohort, Heap};

/// Numbers cohorts as if the soak had begun with the process: everything up to `base` is cohort 0.
pub(crate) fn rebase(mut heap: Heap, base: u32) -> Heap {
    let number = |cohort: Cohort| Cohort(cohort.0.saturating_sub(base));
    heap.cohort = number(heap.cohort);
    for context in &mut heap.contexts {
        let mut cells: Vec<Cell> = Vec::with_capacity(context.survivors.len());
        for cell in &context.survivors {
            let cohort = number(cell.cohort);
            match cells.last_mut() {
                Some(last) if last.cohort == cohort => {
                    last.live_bytes += cell.live_bytes;
                    last.live_blocks += cell.live_blocks;
                }
                _ => cells.push(Cell { cohort, ..*cell }),
            }
        }
        context.survivors = cells;
    }
    for group in &mut heap.merged {
        (group.first, group.last) = (number(group.first), number(group.last));
    }
    heap.merged.retain(|group| group.first < group.last);
    heap
}

#[cfg(test)]
mod tests {
    use heapsoak_record::ContextHeap;

    use super::*;

    #[test]
    fn what_was_there_before_the_soak_is_its_cohort_zero() {
        let cell = |cohort, live_bytes| Cell { cohort: Cohort(cohort), live_bytes, live_blocks: 1 };
        let context =
            ContextHeap { survivors: vec![cell(0, 5), cell(3, 7), cell(4, 11)], ..ContextHeap::default() };
        let heap = rebase(Heap { cohort: Cohort(5), contexts: vec![context], ..Heap::default() }, 3);
        assert_eq!(heap.cohort, Cohort(2));
        let zero = Cell { cohort: Cohort(0), live_bytes: 12, live_blocks: 2 };
        assert_eq!(heap.contexts[0].survivors, [zero, cell(1, 11)]);
    }
}
