//! What the clients of the mixed tour write to stdout, a line for each thing that they did; `tests/sdk/mixed-ledger.ts`
//! reads it. Times are microseconds of the system's clock, which all processes of the tour share.
use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros())
}

/// CRC-32 (IEEE 802.3), which Python and Bun have at hand.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// Every other second nobody leaves and nothing is cut: whatever comes twice then is wrong.
pub fn is_calm() -> bool {
    (now() / 1_000_000) % 2 == 1
}

/// A producer sends no more.
pub fn done(producer: &str) {
    println!("done\t{producer}");
}

fn list<T: Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A membership began, or ended by leaving or because the connection was lost.
pub fn membership(member: &str, what: &str, started: u128) {
    println!("member\t{member}\t{what}\t{started}\t{}", now());
}

/// Messages that a producer was told are stored: the sum of each, and the place if the protocol tells it.
pub fn sent(producer: &str, first: u64, sums: &[u32], place: Option<(u32, u64)>) {
    let (partition, offset) = place.map_or((String::new(), String::new()), |(p, o)| (p.to_string(), o.to_string()));
    println!("sent\t{producer}\t{first}\t{}\t{partition}\t{offset}", list(sums));
}

/// What one poll of a member brought, and what became of its commit: `ok`, or the error.
pub struct Polled<'a> {
    pub member: &'a str,
    pub partition: u32,
    pub first: u64,
    pub sums: &'a [u32],
    pub started: u128,
    pub ended: u128,
    pub commit: &'a str,
}

pub fn polled(polled: &Polled<'_>) {
    let Polled { member, partition, first, sums, started, ended, commit } = polled;
    let committed = now();
    println!("polled\t{member}\t{partition}\t{first}\t{}\t{started}\t{ended}\t{commit}\t{committed}", list(sums));
}
