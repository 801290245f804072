/// Which of many tests hold at level `alpha`, all together (Holm, 1979): the smallest p is compared with
/// `alpha / m`, the next with `alpha / (m - 1)`, and so on up to the first that fails.
///
/// A test that could not have rejected whatever the data (p = 1) is not counted (Tarone, 1990).
pub(crate) fn holm(p: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&index| p[index] < 1.0).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut holds = vec![false; p.len()];
    for (rank, &index) in order.iter().enumerate() {
        if p[index] > alpha / (order.len() - rank) as f64 {
            break;
        }
        holds[index] = true;
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_example_rejects_the_two_smallest() {
        // 0.05 / 4 = 0.0125, / 3 = 0.0167, / 2 = 0.025, / 1 = 0.05.
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
    }

    #[test]
    fn a_test_at_its_level_holds() {
        assert_eq!(holm(&[0.025, 0.05], 0.05), [true, true]);
    }

    #[test]
    fn a_test_that_cannot_reject_does_not_cost_the_others() {
        assert_eq!(holm(&[0.04, 1.0, 1.0], 0.05), [true, false, false]);
        assert!(holm(&[], 0.05).is_empty());
    }
}
