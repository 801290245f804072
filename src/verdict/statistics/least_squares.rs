/// Passes over the coordinates; each lowers the error, and a few dozen usually settle the small systems met here.
const MOST_PASSES: usize = 2_000;

/// Coefficients of a non-negative least-squares fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    /// One coefficient per column, never below zero.
    pub(crate) coefficients: Vec<f64>,
    /// Share of the squares (about zero) that the fit explains, 0 to 1.
    pub(crate) explained: f64,
}

/// Finds the non-negative coefficients whose combination of `columns` comes closest to `target` (Lawson and
/// Hanson's problem, 1974, solved by coordinate descent: Franc, Hlaváč and Navara, 2005).
pub(crate) fn non_negative_least_squares(columns: &[Vec<f64>], target: &[f64]) -> Fit {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut coefficients = vec![0.0; columns.len()];
    let mut residual = target.to_vec();
    let total = dot(target, target);
    let norms: Vec<f64> = columns.iter().map(|column| dot(column, column)).collect();
    for _ in 0..MOST_PASSES {
        let mut moved: f64 = 0.0;
        for (index, column) in columns.iter().enumerate() {
            if norms[index] <= 0.0 {
                continue;
            }
            let wanted: f64 = coefficients[index] + dot(column, &residual) / norms[index];
            let step = wanted.max(0.0) - coefficients[index];
            if step != 0.0 {
                coefficients[index] += step;
                for (rest, value) in residual.iter_mut().zip(column) {
                    *rest -= step * value;
                }
                moved = moved.max(step * step * norms[index]);
            }
        }
        if moved <= total * 1e-18 {
            break;
        }
    }
    let explained = if total > 0.0 { 1.0 - dot(&residual, &residual) / total } else { 0.0 };
    Fit { coefficients, explained }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_combination_is_recovered() {
        let columns =
            vec![vec![3.0, 1.0, 4.0, 1.0, 5.0], vec![2.0, 7.0, 1.0, 8.0, 2.0], vec![1.0, 1.0, 2.0, 3.0, 5.0]];
        let target: Vec<f64> = (0..5).map(|row| 2.0 * columns[0][row] + 0.5 * columns[2][row]).collect();
        let fit = non_negative_least_squares(&columns, &target);
        for (found, true_value) in fit.coefficients.iter().zip([2.0, 0.0, 0.5]) {
            assert!((found - true_value).abs() < 1e-6, "{fit:?}");
        }
        assert!(fit.explained > 0.999_999);
    }

    #[test]
    fn what_would_need_a_negative_share_gets_none() {
        let fit = non_negative_least_squares(&[vec![1.0, 2.0, 3.0]], &[-1.0, -2.0, -3.0]);
        assert_eq!(fit, Fit { coefficients: vec![0.0], explained: 0.0 });
    }

    #[test]
    fn what_is_left_over_is_that_of_the_line_of_least_squares() {
        // 0.5 + 1.4 x leaves 0.1, -0.3, 0.3, -0.1: 0.2 of 74.
        let columns = [vec![1.0; 4], vec![1.0, 2.0, 3.0, 4.0], vec![0.0; 4]];
        let fit = non_negative_least_squares(&columns, &[2.0, 3.0, 5.0, 6.0]);
        for (found, exact) in fit.coefficients.iter().zip([0.5, 1.4, 0.0]) {
            assert!((found - exact).abs() < 1e-6, "{fit:?}");
        }
        assert!((fit.explained - (1.0 - 0.2 / 74.0)).abs() < 1e-9, "{fit:?}");
        assert_eq!(non_negative_least_squares(&columns, &[0.0; 4]).explained, 0.0);
    }
}
