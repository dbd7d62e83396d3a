//! The member of the mixed tour with the crate of Iggy 0.9.
use iggy_09::prelude::SendMessagesResponse;

#[path = "../client.rs"]
pub mod client;

pub use iggy_09 as sdk;

pub const NAME: &str = "rust-09";
/// At once again after a connection that was cut, and quick to learn of another assignment; the defaults are 5 seconds.
pub const RECONNECTION: &str = "?reestablish_after=0s&reconnection_interval=50ms&heartbeat_interval=500ms";

/// Where a batch went, as the broker confirms it.
pub fn place_of(response: SendMessagesResponse) -> Option<(u32, u64)> {
    response.confirmations.first().map(|confirmed| (confirmed.partition_id, confirmed.base_offset))
}
