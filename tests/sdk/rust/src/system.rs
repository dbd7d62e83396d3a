//! Sessions, statistics, clients, cluster metadata and the snapshot.
use crate::generation::{Calls, unknown_token};
use crate::tour::{Outcome, ROOT, Tour, Transport, equal, holds, id, ok, present, refused};
use iggy::prelude::*;

pub async fn run(tour: &Tour) -> Outcome {
    sessions(tour).await?;
    statistics(tour).await?;
    if tour.has_sessions() {
        clients(tour).await?;
    }
    cluster(tour).await?;
    snapshot(tour).await
}

async fn sessions(tour: &Tour) -> Outcome {
    let client = tour.guest().await?;
    client.ping().await?;
    ok("ping without login");

    if tour.has_sessions() {
        refused("list streams without login", client.get_streams().await, 40)?;
        refused("create a stream without login", client.create_stream("guest").await, 40)?;
        ok("commands without login are refused");
    }

    refused("login with a wrong password", client.login_user(ROOT.0, "wrong-password").await, 42)?;
    refused("login with an unknown user", client.login_user("nobody", ROOT.1).await, 42)?;
    refused(
        "login with an unknown token",
        client.login_with_personal_access_token("no-token").await,
        unknown_token(tour),
    )?;
    ok("wrong credentials are refused");

    let identity = client.login_user(ROOT.0, ROOT.1).await?;
    equal("id of root", identity.user_id, 0)?;
    equal("has a token", identity.access_token.is_some(), tour.transport == Transport::Http)?;
    holds("root has rights", client.get_streams().await.is_ok())?;
    client.ping().await?;
    ok("login with password");

    if tour.has_sessions() {
        client.logout_user().await?;
        refused("list streams after logout", client.get_streams().await, 40)?;
        client.login_user(ROOT.0, ROOT.1).await?;
        client.get_streams().await?;
        tour.disconnect(&client).await?;
        tour.end(&client).await?;
        ok("logout and login again");

        let client = tour.with_credentials(&format!("{}:{}", ROOT.0, ROOT.1), "").await?;
        equal("user", client.get_me().await?.user_id, Some(0))?;
        // After a login the SDK asks for the cluster and goes to its leader.
        equal("server", client.get_connection_info().await.server_address, tour.address.clone())?;
        tour.end(&client).await?;
        ok("login by connection string");
    }
    Ok(())
}

async fn statistics(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    let before = client.get_stats().await?;
    let stream = client.create_stream("rust-stats").await?;
    let never = IggyExpiry::NeverExpire;
    let unlimited = MaxTopicSize::Unlimited;
    let stream_id = id("rust-stats")?;
    let topic = client.make_topic(&stream_id, "topic", 3, CompressionAlgorithm::None, never, unlimited).await?;
    client.create_consumer_group(&stream_id, &id("topic")?, "group").await?;
    let mut messages = [IggyMessage::from("one"), IggyMessage::from("two")];
    client.send_messages(&stream_id, &id("topic")?, &Partitioning::partition_id(1), &mut messages).await?;

    let stats = client.get_stats().await?;
    equal("streams", stats.streams_count, before.streams_count + 1)?;
    equal("topics", stats.topics_count, before.topics_count + 1)?;
    equal("partitions", stats.partitions_count, before.partitions_count + 3)?;
    equal("segments", stats.segments_count, before.segments_count + 3)?;
    equal("messages", stats.messages_count, before.messages_count + 2)?;
    equal("groups", stats.consumer_groups_count, before.consumer_groups_count + 1)?;
    // 2 messages of 3 bytes after a header of 64.
    equal("size", stats.messages_size_bytes.as_bytes_u64(), before.messages_size_bytes.as_bytes_u64() + 134)?;
    holds("a client is counted", stats.clients_count > 0 || !tour.has_sessions())?;
    holds("there is a process", stats.process_id > 0)?;
    holds("there are threads", stats.threads_count > 0)?;
    holds("memory is used", stats.memory_usage.as_bytes_u64() > 1_000_000)?;
    holds("memory is part of all", stats.total_memory.as_bytes_u64() > stats.memory_usage.as_bytes_u64())?;
    holds("memory is available", stats.available_memory.as_bytes_u64() > 0)?;
    holds("disk space is free", stats.free_disk_space.as_bytes_u64() > 0)?;
    holds("disk space", stats.total_disk_space.as_bytes_u64() >= stats.free_disk_space.as_bytes_u64())?;
    let now = IggyTimestamp::now().as_micros();
    let start = stats.start_time.as_micros();
    holds("started within the last day", start <= now && start > now - 86_400_000_000)?;
    holds("runs since the start", stats.run_time.as_micros() <= now - start + 2_000_000)?;
    holds("the load is a share", (0.0..=100_000.0).contains(&stats.cpu_usage))?;
    for text in [&stats.hostname, &stats.os_name, &stats.os_version, &stats.kernel_version, &stats.iggy_server_version]
    {
        holds("every text is filled", !text.is_empty())?;
    }
    holds("there is a version", stats.iggy_server_semver.is_some_and(|version| version > 0))?;
    ok("statistics");

    equal("stream of the topic", client.get_stream(&stream_id).await?.map(|found| found.id), Some(stream.id))?;
    equal("topic", client.get_topic(&stream_id, &id("topic")?).await?.map(|found| found.id), Some(topic.id))?;
    client.delete_stream(&stream_id).await?;
    let after = client.get_stats().await?;
    equal("streams", after.streams_count, before.streams_count)?;
    equal("topics", after.topics_count, before.topics_count)?;
    equal("partitions", after.partitions_count, before.partitions_count)?;
    equal("messages", after.messages_count, before.messages_count)?;
    equal("groups", after.consumer_groups_count, before.consumer_groups_count)?;
    equal("size", after.messages_size_bytes, before.messages_size_bytes)?;
    ok("statistics after the deletion");
    Ok(())
}

async fn clients(tour: &Tour) -> Outcome {
    let first = tour.login(ROOT).await?;
    let second = tour.guest().await?;
    second.ping().await?;
    let me = first.get_me().await?;
    holds("a client id", me.client_id > 0)?;
    equal("my user", me.user_id, Some(0))?;
    equal("my groups", me.consumer_groups_count, 0)?;
    let transport = match tour.transport {
        Transport::Tcp => "TCP",
        Transport::Quic => "QUIC",
        Transport::WebSocket => "WebSocket",
        Transport::Http => "HTTP",
    };
    equal("my transport", me.transport.as_str(), transport)?;
    holds("an address with a port", me.address.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()))?;
    ok("me");

    let all = first.get_clients().await?;
    let listed = present("my entry", all.iter().find(|client| client.client_id == me.client_id))?;
    equal("my listed user", listed.user_id, Some(0))?;
    equal("my listed address", &listed.address, &me.address)?;
    equal("my listed transport", &listed.transport, &me.transport)?;
    let guest = all.iter().filter(|client| client.user_id.is_none()).count();
    holds("the guest is listed without a user", guest >= 1)?;
    ok("clients");

    let found = present("my client", first.get_client(me.client_id).await?)?;
    equal("the client's id", found.client_id, me.client_id)?;
    equal("the client's address", found.address, me.address)?;
    equal("unknown client", first.get_client(u32::MAX).await?.is_none(), true)?;
    ok("client by id");

    tour.end(&second).await?;
    tour.end(&first).await?;
    Ok(())
}

async fn cluster(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    let metadata = client.get_cluster_metadata().await?;
    equal("nodes", metadata.nodes.len(), 1)?;
    let node = present("the node", metadata.nodes.first())?;
    holds("names", !metadata.name.is_empty() && !node.name.is_empty())?;
    equal("role", node.role, ClusterNodeRole::Leader)?;
    equal("status", node.status, ClusterNodeStatus::Healthy)?;
    if tour.transport == Transport::Tcp {
        equal("address", format!("{}:{}", node.ip, node.endpoints.tcp), tour.address.clone())?;
    }
    ok("cluster metadata");
    Ok(())
}

async fn snapshot(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    let types = vec![SystemSnapshotType::ResourceUsage, SystemSnapshotType::ServerLogs];
    for compression in [SnapshotCompression::Stored, SnapshotCompression::Deflated] {
        let snapshot = client.snapshot(compression, types.clone()).await?;
        holds("a zip archive", snapshot.0.starts_with(b"PK\x03\x04"))?;
        let names = String::from_utf8_lossy(&snapshot.0).into_owned();
        holds("the archive has the resources", names.contains("resource_usage"))?;
        holds("the archive has the logs", names.contains("server_logs"))?;
        holds("the archive has nothing else", !names.contains("process_list"))?;
    }
    ok("snapshot");
    Ok(())
}
