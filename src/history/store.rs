use std::path::{Path, PathBuf};

use heapsoak_gate::{Figures, Interval};
use heapsoak_record::Recording;
use heapsoak_verdict::{ComponentVerdict, Judgement};
use rusqlite::{Connection, params};

/// Version of the tables.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        scenario TEXT NOT NULL,
        commit_id TEXT NOT NULL,
        started_unix_ms INTEGER NOT NULL,
        seed INTEGER NOT NULL,
        requests REAL NOT NULL,
        verdict TEXT NOT NULL,
        UNIQUE (scenario, started_unix_ms, seed)
    );
    CREATE TABLE figure (
        run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        what TEXT NOT NULL,
        name TEXT NOT NULL,
        verdict TEXT NOT NULL,
        growth REAL NOT NULL,
        growth_low REAL NOT NULL,
        growth_high REAL NOT NULL,
        detectable REAL NOT NULL,
        held REAL NOT NULL,
        churn REAL,
        PRIMARY KEY (run_id, what, name)
    ) WITHOUT ROWID;
    PRAGMA user_version = 1;
";

/// An SQLite file with the figures of runs.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refuses.
    #[error("{path}: {source}: give another file with --file")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
    /// Written by another version, or by another program.
    #[error(
        "{path}: tables of version {found}, this heapsoak reads version {VERSION}: give another file with --file"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
}

/// One figure of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Name of the scenario.
    pub scenario: String,
    /// The commit the run was of.
    pub commit: String,
    /// Start of the run, milliseconds since the Unix epoch.
    pub started_unix_ms: i64,
    /// `component` or `resource`.
    pub what: String,
    /// Name of the component or resource.
    pub name: String,
    /// The verdict on it, in a word.
    pub verdict: String,
    /// Growth per 1,000 requests, 95 % interval; of what does not leak, from nothing to the detection limit.
    pub growth: Interval,
    /// Its estimate; zero of what does not leak.
    pub estimate: f64,
    /// Smallest growth that run would have called a leak.
    pub detectable: f64,
    /// Held at rest, at most.
    pub held: f64,
    /// Bytes allocated per request; none of a resource.
    pub churn: Option<f64>,
}

/// Whether a run was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It was.
    New,
    /// It was there already.
    Known,
}

impl Store {
    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let wrong = |source| StoreError::Sqlite { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(wrong)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(wrong)?;
        let version: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(wrong)?;
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(wrong)?;
        if tables == 0 {
            connection.execute_batch(TABLES).map_err(wrong)?;
        } else if version != VERSION {
            return Err(StoreError::Version { path: path.to_owned(), found: version });
        }
        Ok(Store { connection, path: path.to_owned() })
    }

    /// Keeps the figures of a run. The same run again changes nothing.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn keep(
        &mut self,
        recording: &Recording,
        judgement: &Judgement,
        commit: &str,
    ) -> Result<Kept, StoreError> {
        let path = self.path.clone();
        self.insert(recording, judgement, commit).map_err(|source| StoreError::Sqlite { path, source })
    }

    fn insert(
        &mut self,
        recording: &Recording,
        judgement: &Judgement,
        commit: &str,
    ) -> rusqlite::Result<Kept> {
        let header = &recording.header;
        let figures = Figures::of(judgement);
        let transaction = self.connection.transaction()?;
        let inserted = transaction.execute(
            "INSERT OR IGNORE INTO run (scenario, commit_id, started_unix_ms, seed, requests, verdict)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                header.scenario,
                commit,
                header.started_unix_ms.cast_signed(),
                header.seed.cast_signed(),
                figures.requests,
                judgement.verdict.word()
            ],
        )?;
        if inserted == 0 {
            return Ok(Kept::Known);
        }
        let run = transaction.last_insert_rowid();
        for (name, one) in &figures.components {
            let growth = growth(one.verdict, one.growth, one.detectable);
            let churn = f64::midpoint(one.churn.low, one.churn.high);
            insert_figure(
                &transaction,
                run,
                "component",
                name,
                one.verdict,
                growth,
                one.detectable,
                one.held.high,
                Some(churn),
            )?;
        }
        for (name, one) in &figures.resources {
            let growth = growth(one.verdict, one.growth, one.detectable);
            insert_figure(
                &transaction,
                run,
                "resource",
                name,
                one.verdict,
                growth,
                one.detectable,
                one.held.high,
                None,
            )?;
        }
        transaction.commit()?;
        Ok(Kept::New)
    }

    /// Every figure, in the order the runs were started.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn figures(&self) -> Result<Vec<Figure>, StoreError> {
        self.select().map_err(|source| StoreError::Sqlite { path: self.path.clone(), source })
    }

    fn select(&self) -> rusqlite::Result<Vec<Figure>> {
        let mut statement = self.connection.prepare(
            "SELECT scenario, commit_id, started_unix_ms, what, name, figure.verdict, growth, growth_low, growth_high,
                    detectable, held, churn
             FROM run JOIN figure ON run_id = id
             ORDER BY started_unix_ms, id, what, name",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Figure {
                scenario: row.get(0)?,
                commit: row.get(1)?,
                started_unix_ms: row.get(2)?,
                what: row.get(3)?,
                name: row.get(4)?,
                verdict: row.get(5)?,
                estimate: row.get(6)?,
                growth: Interval { low: row.get(7)?, high: row.get(8)? },
                detectable: row.get(9)?,
                held: row.get(10)?,
                churn: row.get(11)?,
            })
        })?;
        rows.collect()
    }
}

/// Estimate and interval. What does not leak may still grow by less than the run could see.
fn growth(verdict: ComponentVerdict, growth: Interval, detectable: f64) -> (f64, Interval) {
    if verdict == ComponentVerdict::Leak {
        (f64::midpoint(growth.low, growth.high), growth)
    } else {
        (0.0, Interval { low: 0.0, high: detectable })
    }
}

#[expect(clippy::too_many_arguments, reason = "a row has as many columns")]
fn insert_figure(
    transaction: &rusqlite::Transaction<'_>,
    run: i64,
    what: &str,
    name: &str,
    verdict: ComponentVerdict,
    (estimate, growth): (f64, Interval),
    detectable: f64,
    held: f64,
    churn: Option<f64>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO figure VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![run, what, name, verdict.word(), estimate, growth.low, growth.high, detectable, held, churn],
    )?;
    Ok(())
}
