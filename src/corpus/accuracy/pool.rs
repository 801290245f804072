//! Child processes, a few at once.

use std::env;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::de::DeserializeOwned;

use crate::error::AccuracyError;
use crate::order::Order;

/// Runs every order in a process of its own, which `flag` tells what to do with it, `jobs` at a time, and gives what they
/// found in the same order.
pub(crate) fn run<Found: DeserializeOwned + Clone + Send>(
    orders: &[Order],
    flag: &str,
    jobs: usize,
) -> Result<Vec<Found>, AccuracyError> {
    let program = env::current_exe().map_err(AccuracyError::Start)?;
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<Option<Found>>> = Mutex::new(vec![None; orders.len()]);
    let failed: Mutex<Option<AccuracyError>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(order) = orders.get(at) else { break };
                    match run_one(&program, flag, order) {
                        Ok(one) => found.lock().expect("no thread panics with it")[at] = Some(one),
                        Err(error) => {
                            *failed.lock().expect("no thread panics with it") = Some(error);
                            next.store(orders.len(), Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().expect("no thread panicked with it") {
        return Err(error);
    }
    Ok(found.into_inner().expect("no thread panicked with it").into_iter().flatten().collect())
}

fn run_one<Found: DeserializeOwned>(
    program: &std::path::Path,
    flag: &str,
    order: &Order,
) -> Result<Found, AccuracyError> {
    let order = serde_json::to_string(order).map_err(AccuracyError::BadOrder)?;
    let output = Command::new(program).arg(flag).arg(&order).output().map_err(AccuracyError::Start)?;
    let failed = |stderr: String| AccuracyError::Trial { order: order.clone(), stderr };
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}
