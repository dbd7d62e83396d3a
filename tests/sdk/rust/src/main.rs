//! A tour over what the published Rust SDK offers, against a running broker: every step checks what it is answered.
//! The server closes segments at 1 MiB and cleans up every 200 ms.
//! Usage: tour <tcp|quic|ws|http> <host:port>. Prints `ok <step>` for each step and ends with 1 at the first failure.
mod groups;
mod high_level;
mod messages;
mod retention;
mod streams;
mod surprises;
mod system;
mod tour;
mod users;

use std::process::ExitCode;
use tour::{Failure, Outcome, Tour, Transport};

async fn run() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [transport, address] = arguments.as_slice() else {
        return Err(Failure::new("usage: tour <tcp|quic|ws|http> <host:port>"));
    };
    let tour = Tour { transport: transport.parse()?, address: address.clone() };
    system::run(&tour).await?;
    streams::run(&tour).await?;
    messages::run(&tour).await?;
    retention::run(&tour).await?;
    users::run(&tour).await?;
    if tour.has_sessions() {
        groups::run(&tour).await?;
    }
    // Over WebSocket the SDK holds its connection while a consumer that is not asked for more waits for a reply, and then
    // every other call waits for ever; over TCP and QUIC a task of its own takes the reply.
    if matches!(tour.transport, Transport::Tcp | Transport::Quic) {
        high_level::run(&tour).await?;
        surprises::run(&tour).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("failed {failure}");
            ExitCode::FAILURE
        }
    }
}
