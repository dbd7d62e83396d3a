// Reads messages whose payload is the time of their sending, µs since the epoch as a u64, little-endian, and prints how long each took
// to come here, in µs, one a line. Arguments: address, stream, topic, count, interval between polls in ms ("none": without a pause).
use futures_util::StreamExt;
use iggy::prelude::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now_micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after the epoch").as_micros() as u64
}

#[tokio::main]
async fn main() -> Result<(), IggyError> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, stream, topic, count, interval] = arguments.as_slice() else {
        panic!("address stream topic count interval");
    };
    let count: usize = count.parse().expect("a count");
    let client = IggyClient::from_connection_string(&format!("iggy+tcp://iggy:iggy@{address}"))?;
    client.connect().await?;
    let builder = client.consumer("rust", stream, topic, 0)?;
    let mut consumer = match interval.as_str() {
        "none" => builder.without_poll_interval().build(),
        ms => {
            let ms = ms.parse().expect("milliseconds");
            builder.poll_interval(IggyDuration::from(Duration::from_millis(ms))).build()
        }
    };
    consumer.init().await?;
    println!("ready");
    let mut seen = 0;
    while seen < count {
        let Some(received) = consumer.next().await else { break };
        let payload = &received?.message.payload;
        let sent = u64::from_le_bytes(payload[..8].try_into().expect("eight bytes"));
        println!("{}", now_micros().saturating_sub(sent));
        seen += 1;
    }
    Ok(())
}
