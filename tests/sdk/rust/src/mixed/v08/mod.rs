//! The member of the mixed tour with the crate of Iggy 0.8.
#[path = "../client.rs"]
pub mod client;

pub use iggy as sdk;

pub const NAME: &str = "rust-08";
/// At once again after a connection that was cut; the default waits five seconds.
pub const RECONNECTION: &str = "?reestablish_after=0s&reconnection_interval=50ms";

/// Where a batch went: the protocol of 0.8 does not tell.
pub fn place_of(_: ()) -> Option<(u32, u64)> {
    None
}
