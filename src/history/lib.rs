//! What runs measured, from commit to commit.
//!
//! A [`Store`] keeps the figures of each run in an SQLite file, beside the commit it was of. [`trends`] puts them in
//! order, one [`Trend`] per scenario and component (or resource), and [`find_step`] finds the commit from which on its
//! growth is higher. [`text`] and [`page`] show them.

mod page;
mod step;
mod store;
mod text;
mod trend;

pub use page::page;
pub use step::{Step, find_step};
pub use store::{Figure, Kept, Store, StoreError};
pub use text::text;
pub use trend::{Point, Trend, trends};
