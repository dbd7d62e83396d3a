//! The chapters of the tour in their order, for the crate of either generation.
use crate::tour::{Failure, Outcome, Tour, Transport};
use crate::{generation, groups, high_level, messages, retention, streams, surprises, system, users};
use std::process::ExitCode;

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
    generation::run(&tour).await?;
    if tour.has_sessions() {
        groups::run(&tour).await?;
    }
    if matches!(tour.transport, Transport::Tcp | Transport::Quic)
        || (tour.transport == Transport::WebSocket && generation::CONSUMERS_OVER_WEBSOCKET)
    {
        high_level::run(&tour).await?;
    }
    if matches!(tour.transport, Transport::Tcp | Transport::Quic) {
        surprises::run(&tour).await?;
    }
    Ok(())
}

/// Runs every chapter; prints what failed.
pub async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("failed {failure}");
            ExitCode::FAILURE
        }
    }
}
