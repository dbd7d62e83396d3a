//! What the client of Iggy 0.9 does when its connection is cut, as docs/clients.md tells it (spec P9 4.10).
use crate::generation::Calls;
use crate::tour::{Failure, Outcome, ROOT, Tour, equal, id, ok, present, refused};
use futures_util::StreamExt;
use iggy::prelude::*;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

const STREAM: &str = "rust-cuts";

/// A door to the broker, whose connections end when it is told to cut them.
struct Door {
    address: String,
    cuts: watch::Sender<u32>,
    /// Connections that are open.
    open: watch::Sender<u32>,
}

impl Door {
    async fn to(broker: String) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (cuts, open) = (watch::Sender::new(0), watch::Sender::new(0));
        let door = Self { address, cuts: cuts.clone(), open: open.clone() };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (broker, open, mut cuts) = (broker.clone(), open.clone(), cuts.subscribe());
                tokio::spawn(async move {
                    open.send_modify(|count| *count += 1);
                    tokio::select! {
                        () = connect(near, broker) => {}
                        _ = cuts.changed() => {}
                    }
                    open.send_modify(|count| *count -= 1);
                });
            }
        });
        Ok(door)
    }

    /// Cuts every connection, and waits until they are gone.
    async fn cut(&self) -> Outcome {
        self.cuts.send_modify(|count| *count += 1);
        self.open.subscribe().wait_for(|count| *count == 0).await?;
        Ok(())
    }
}

/// Passes bytes both ways until an end goes; what the client makes of that is what is tested.
async fn connect(mut near: TcpStream, broker: String) {
    if let Ok(mut far) = TcpStream::connect(broker).await {
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}

pub async fn run(tour: &Tour) -> Outcome {
    let root = tour.login(ROOT).await?;
    let (stream, topic, group) = (id(STREAM)?, id("topic")?, id("group")?);
    root.create_stream(STREAM).await?;
    let (none, never, unlimited) = (CompressionAlgorithm::None, IggyExpiry::NeverExpire, MaxTopicSize::Unlimited);
    root.make_topic(&stream, "topic", 1, none, never, unlimited).await?;
    root.create_consumer_group(&stream, &topic, "group").await?;
    let door = Door::to(tour.address.clone()).await?;
    // A heartbeat would repair the connection before anybody else sees that it is gone.
    let options = "reestablish_after=0s&reconnection_interval=20ms&heartbeat_interval=1h";
    let text = format!("iggy+tcp://{}:{}@{}?{options}", ROOT.0, ROOT.1, door.address);
    let client = IggyClient::from_connection_string(&text)?;
    client.connect().await?;

    let (member, next) = (Consumer::group(group.clone()), PollingStrategy::next());
    let poll = async || client.poll_messages(&stream, &topic, None, &member, &next, 10, false).await;
    client.join_consumer_group(&stream, &topic, &group).await?;
    equal("messages", poll().await?.messages.len(), 0)?;
    door.cut().await?;
    equal("a read after the cut", present("stream", client.get_stream(&stream).await?)?.name.as_str(), STREAM)?;
    refused("a poll of the group after the cut", poll().await, 5006)?;
    client.join_consumer_group(&stream, &topic, &group).await?;
    poll().await?;
    ok("a cut ends the membership, and the client does not join by itself");

    let send = async || {
        let mut messages = [IggyMessage::from("message")];
        client.send_messages(&stream, &topic, &Partitioning::partition_id(0), &mut messages).await
    };
    send().await?;
    door.cut().await?;
    if let Ok(sent) = send().await {
        return Err(Failure::new(format!("a send over a connection that is cut succeeded: {sent:?}")));
    }
    send().await?;
    let messages = present("topic", root.get_topic(&stream, &topic).await?)?.messages_count;
    equal("messages: the send that failed was not repeated", messages, 2)?;
    ok("the first send after a cut fails, the next one works");
    consumer_object(&client, &root, &door).await?;
    root.delete_stream(&stream).await?;
    tour.end(&client).await?;
    tour.end(&root).await?;
    Ok(())
}

/// The consumer object joins again by itself.
async fn consumer_object(client: &IggyClient, root: &IggyClient, door: &Door) -> Outcome {
    let mut consumer = client
        .consumer_group("objects", STREAM, "topic")?
        .auto_commit(AutoCommit::When(AutoCommitWhen::PollingMessages))
        .polling_strategy(PollingStrategy::next())
        .poll_interval(IggyDuration::from(1_000))
        .batch_length(1)
        .build();
    consumer.init().await?;
    let limit = Duration::from_secs(20);
    for offset in 0..2 {
        let message = present("message", timeout(limit, consumer.next()).await?)??;
        equal("offset", message.message.header.offset, offset)?;
    }
    door.cut().await?;
    let mut messages = [IggyMessage::from("after the cut")];
    root.send_messages(&id(STREAM)?, &id("topic")?, &Partitioning::partition_id(0), &mut messages).await?;
    // What was under way when the connection was cut may be told as an error; the next call goes on.
    let found = async {
        loop {
            if let Some(Ok(message)) = consumer.next().await {
                return message.message.header.offset;
            }
        }
    };
    equal("the offset after the cut", timeout(limit, found).await?, 2)?;
    ok("a consumer object goes on after a cut");
    Ok(())
}
