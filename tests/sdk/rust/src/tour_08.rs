//! A tour over what the published Rust SDK offers, against a running broker: every step checks what it is answered.
//! The server closes segments at 1 MiB and cleans up every 200 ms.
//! Usage: tour <tcp|quic|ws|http> <host:port>. Prints `ok <step>` for each step and ends with 1 at the first failure.
mod chapters;
#[path = "generation_08.rs"]
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
