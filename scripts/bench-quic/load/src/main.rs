// One producer or one consumer over QUIC, by the published client. Arguments: `send` or `poll`, address, stream, topic, seconds of the
// warm-up and of the measurement, messages of a request, bytes of a message, and for polls how many messages the partition has.
// Lines on stdout: `begin` where the warm-up ends, then what was done after it: requests, seconds, seconds of this process's CPU, milliseconds of
// a request in the tenth of the requests that were fastest, which says what it costs where nothing else runs.

use iggy::prelude::*;
use std::time::{Duration, Instant};

struct Load {
    client: IggyClient,
    stream: Identifier,
    topic: Identifier,
    messages: u32,
    payload: bytes::Bytes,
    /// Of the partition; polls begin anew there.
    end: u64,
    offset: u64,
}

impl Load {
    async fn send(&mut self) -> Result<(), IggyError> {
        let build = |_| IggyMessage::builder().payload(self.payload.clone()).build();
        let mut batch = (0..self.messages).map(build).collect::<Result<Vec<_>, _>>()?;
        let partitioning = Partitioning::partition_id(0);
        self.client.send_messages(&self.stream, &self.topic, &partitioning, &mut batch).await
    }

    async fn poll(&mut self) -> Result<(), IggyError> {
        let strategy = PollingStrategy::offset(self.offset);
        let consumer = Consumer::default();
        let polled = self
            .client
            .poll_messages(&self.stream, &self.topic, Some(0), &consumer, &strategy, self.messages, false)
            .await?;
        assert_eq!(polled.messages.len(), self.messages as usize, "a poll comes with as many messages as it asks for");
        self.offset += u64::from(self.messages);
        if self.offset + u64::from(self.messages) > self.end {
            self.offset = 0;
        }
        Ok(())
    }

    /// The time of every request, and of all together.
    async fn run(&mut self, sends: bool, seconds: f64) -> Result<(Vec<Duration>, Duration), IggyError> {
        let duration = Duration::from_secs_f64(seconds);
        let start = Instant::now();
        let mut times = Vec::new();
        while start.elapsed() < duration {
            let begin = Instant::now();
            if sends { self.send().await? } else { self.poll().await? }
            times.push(begin.elapsed());
        }
        Ok((times, start.elapsed()))
    }
}

/// Of this process so far. User and system time are the 12th and 13th field behind the name, in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(") ").next().expect("fields behind the name").split(' ').skip(11).take(2);
    fields.map(|field| field.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
}

#[tokio::main]
async fn main() -> Result<(), IggyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| -> f64 { arguments[index].parse().expect("a number") };
    let client = IggyClient::from_connection_string(&format!("iggy+quic://iggy:iggy@{}", arguments[1]))?;
    client.connect().await?;
    let mut load = Load {
        client,
        stream: Identifier::named(&arguments[2])?,
        topic: Identifier::named(&arguments[3])?,
        messages: number(6) as u32,
        payload: bytes::Bytes::from(vec![b'x'; number(7) as usize]),
        end: number(8) as u64,
        offset: 0,
    };
    let sends = arguments[0] == "send";
    load.run(sends, number(4)).await?;
    println!("begin");
    let cpu_before = cpu_seconds();
    let (mut times, elapsed) = load.run(sends, number(5)).await?;
    let cpu = cpu_seconds() - cpu_before;
    times.sort();
    let fast = times[times.len() / 10].as_secs_f64() * 1000.0;
    println!("{} {} {cpu} {fast}", times.len(), elapsed.as_secs_f64());
    Ok(())
}
