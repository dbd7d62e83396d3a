//! The same tour with the crate of Iggy 0.9, which here takes the name `iggy`: a tour over what the published Rust SDK offers, against a running broker: every step checks what it is answered.
//! The server closes segments at 1 MiB and cleans up every 200 ms.
//! Usage: tour <tcp|quic|ws|http> <host:port>. Prints `ok <step>` for each step and ends with 1 at the first failure.
extern crate iggy_09 as iggy;

mod chapters;
mod cuts_09;
#[path = "generation_09.rs"]
mod generation;
mod groups;
mod high_level;
mod messages;
mod retention;
mod streams;
mod surprises;
mod system;
mod tour;
mod users;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    chapters::main().await
}
