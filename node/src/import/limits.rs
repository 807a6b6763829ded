//! What an import may cost, whatever the file says of itself.

use std::time::Duration;

/// Longest file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest export of a whole catalog that is read, in bytes: it is read line by
/// line, so that its length costs no memory.
pub const EXPORT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Longest unpacked content of a workbook, all its parts together, in bytes.
pub const UNPACKED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Parts that a workbook may have.
pub const PARTS_MAX: usize = 2_000;
/// Sheets of a workbook that are read.
pub const SHEETS_MAX: usize = 500;
/// Rows that one file may have.
pub const ROWS_MAX: u32 = 200_000;
/// Columns that a sheet may have.
pub const COLUMNS_MAX: usize = 256;
/// Longest cell, in bytes.
pub const CELL_BYTES_MAX: usize = 32 * 1024;
/// Longest row, in bytes.
pub const ROW_BYTES_MAX: usize = 256 * 1024;
/// Rows above the head of a table: titles, logos, remarks.
pub const HEAD_ROWS_MAX: usize = 30;

/// Longest key of a record in its source, in bytes.
pub const KEY_BYTES_MAX: usize = 1_000;
/// Remarks that one candidate may carry.
pub const REMARKS_MAX: usize = 100;
/// Problems that a report lists; the others are only counted.
pub const PROBLEMS_MAX: usize = 10_000;
/// Rejected rows that are kept to be mended, in bytes.
pub const REJECTED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Records that share one commit.
pub const BATCH_RECORDS: usize = 256;
/// Batches that wait for their commit at the same time.
pub const BATCHES_WAITING: usize = 3;
/// Candidates between reader and pipeline.
pub const CANDIDATES_WAITING: usize = 512;

/// Memory of the process that reads a file, in bytes.
pub const READER_MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
/// Processor time of that process, in seconds.
pub const READER_CPU_S: u64 = 120;
/// How long reading one file may take.
pub const READER_TIME: Duration = Duration::from_secs(600);
/// Longest line that the reading process may send, in bytes.
pub const LINE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Imports that are remembered.
pub const JOBS_MAX: usize = 32;
/// Reports that are kept over a restart, the newest.
pub const REPORTS_MAX: usize = 32;
/// Problems of one report that are kept over a restart, and hints.
pub const KEPT_PROBLEMS_MAX: usize = 1_000;
/// Rejected rows of one report that are kept over a restart, in bytes.
pub const KEPT_ROWS_BYTES_MAX: usize = 1024 * 1024;
