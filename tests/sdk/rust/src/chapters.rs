//! The chapters of the tour in their order, for the crate of either generation.
use crate::tour::{Failure, Outcome, Tour, Transport, chapter};
use crate::{generation, groups, high_level, messages, retention, streams, surprises, system, users};
use std::process::ExitCode;

async fn run() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [transport, address] = arguments.as_slice() else {
        return Err(Failure::new("usage: tour <tcp|quic|ws|http> <host:port>"));
    };
    let tour = Tour { transport: transport.parse()?, address: address.clone() };
    chapter("system", system::run(&tour)).await?;
    chapter("streams", streams::run(&tour)).await?;
    chapter("messages", messages::run(&tour)).await?;
    chapter("retention", retention::run(&tour)).await?;
    chapter("users", users::run(&tour)).await?;
    chapter("generation", generation::run(&tour)).await?;
    if tour.has_sessions() {
        chapter("groups", groups::run(&tour)).await?;
    }
    if matches!(tour.transport, Transport::Tcp | Transport::Quic)
        || (tour.transport == Transport::WebSocket && generation::CONSUMERS_OVER_WEBSOCKET)
    {
        chapter("high_level", high_level::run(&tour)).await?;
    }
    if matches!(tour.transport, Transport::Tcp | Transport::Quic) {
        chapter("surprises", surprises::run(&tour)).await?;
    }
    Ok(())
}

/// Runs every chapter; prints what failed.
pub async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("failed {failure}");
            // Not by returning: a task of the SDK that hangs may not let itself be ended.
            std::process::exit(1)
        }
    }
}
