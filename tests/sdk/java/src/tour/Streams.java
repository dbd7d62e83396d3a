package tour;

import static tour.Checks.equal;
import static tour.Checks.holds;
import static tour.Checks.nowMicros;
import static tour.Checks.ok;
import static tour.Checks.present;
import static tour.Checks.refused;

import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import org.apache.iggy.client.blocking.IggyBaseClient;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.partition.Partition;
import org.apache.iggy.topic.CompressionAlgorithm;
import org.apache.iggy.topic.TopicDetails;

/** Streams, topics and partitions. */
final class Streams {
    private static final StreamId STREAM = StreamId.of("java-streams");
    private static final TopicId ORDERS = TopicId.of("orders");
    private static final StreamId UNKNOWN_STREAM = StreamId.of("java-unknown");
    private static final TopicId UNKNOWN_TOPIC = TopicId.of("unknown");

    private final IggyBaseClient client;

    private Streams(IggyBaseClient client) {
        this.client = client;
    }

    static void run(Broker broker) {
        var client = broker.root();
        var tour = new Streams(client);
        tour.streams();
        tour.topics();
        tour.partitions();
        client.streams().deleteStream(STREAM);
        equal("the deleted stream", client.streams().getStream(STREAM), Optional.empty());
        refused("delete it again", 1009, () -> client.streams().deleteStream(STREAM));
        ok("delete a stream with its topics");
        Broker.close(client);
    }

    private TopicDetails create(String name, long partitions) {
        var none = CompressionAlgorithm.None;
        var unlimited = Checks.UNLIMITED;
        return client.topics().createTopic(STREAM, partitions, none, unlimited, unlimited, Optional.empty(), name);
    }

    private void rename(TopicId topic, String name) {
        var none = CompressionAlgorithm.None;
        var unlimited = Checks.UNLIMITED;
        client.topics().updateTopic(STREAM, topic, none, unlimited, unlimited, Optional.empty(), name);
    }

    private TopicDetails topic(TopicId topic) {
        return present("topic " + topic, client.topics().getTopic(STREAM, topic));
    }

    private void streams() {
        int before = client.streams().getStreams().size();
        var created = client.streams().createStream("java-old");
        equal("name", created.name(), "java-old");
        equal("topics", created.topicsCount(), 0L);
        equal("messages", created.messagesCount(), BigInteger.ZERO);
        holds("created now", Math.abs(created.createdAt().longValueExact() - nowMicros()) < 60_000_000);
        refused("the same name again", 1012, () -> client.streams().createStream("java-old"));
        ok("create a stream");

        var listed = client.streams().getStreams();
        equal("streams", listed.size(), before + 1);
        holds("listed", listed.stream().anyMatch(s -> s.id().equals(created.id()) && s.name().equals("java-old")));
        equal("by id", present("stream", client.streams().getStream(created.id())).name(), "java-old");
        equal("by name", present("stream", client.streams().getStream(StreamId.of("java-old"))).id(), created.id());
        equal("unknown stream", client.streams().getStream(UNKNOWN_STREAM), Optional.empty());
        ok("get and list streams");

        client.streams().updateStream(created.id(), "java-streams");
        equal("old name", client.streams().getStream(StreamId.of("java-old")), Optional.empty());
        equal("new name", present("stream", client.streams().getStream(STREAM)).id(), created.id());
        client.streams().createStream("java-other");
        refused("taken", 1012, () -> client.streams().updateStream(StreamId.of("java-other"), "java-streams"));
        client.streams().deleteStream(StreamId.of("java-other"));
        refused("update an unknown one", 1009, () -> client.streams().updateStream(UNKNOWN_STREAM, "java-new"));
        refused("delete an unknown one", 1009, () -> client.streams().deleteStream(999_999L));
        ok("update a stream");
    }

    private void topics() {
        var created = create("orders", 3);
        equal("name", created.name(), "orders");
        equal("partitions", created.partitionsCount(), 3L);
        equal("partition ids", created.partitions().stream().map(Partition::id).toList(), List.of(0L, 1L, 2L));
        equal("replication", created.replicationFactor(), (short) 1);
        equal("compression", created.compressionAlgorithm(), CompressionAlgorithm.None);
        refused("the same name again", 2013, () -> create("orders", 1));
        ok("create a topic");

        var other = client.topics()
                .createTopic(
                        STREAM,
                        1L,
                        CompressionAlgorithm.Gzip,
                        Checks.UNLIMITED,
                        Checks.UNLIMITED,
                        Optional.of((short) 1),
                        "other");
        equal("compression", other.compressionAlgorithm(), CompressionAlgorithm.Gzip);
        var names = client.topics().getTopics(STREAM).stream().map(topic -> topic.name()).sorted().toList();
        equal("topics", names, List.of("orders", "other"));
        equal("topics of the stream", present("stream", client.streams().getStream(STREAM)).topics().size(), 2);
        equal("topic by id", topic(TopicId.of(created.id())).name(), "orders");
        equal("unknown topic", client.topics().getTopic(STREAM, UNKNOWN_TOPIC), Optional.empty());
        equal("topic of an unknown stream", client.topics().getTopic(UNKNOWN_STREAM, ORDERS), Optional.empty());
        ok("get and list topics");

        rename(TopicId.of("other"), "renamed");
        equal("renamed", topic(TopicId.of("renamed")).id(), other.id());
        equal("compression", topic(TopicId.of("renamed")).compressionAlgorithm(), CompressionAlgorithm.None);
        refused("taken", 2013, () -> rename(TopicId.of("renamed"), "orders"));
        client.topics().deleteTopic(STREAM, TopicId.of("renamed"));
        equal("deleted", client.topics().getTopic(STREAM, TopicId.of("renamed")), Optional.empty());
        refused("delete it again", 2010, () -> client.topics().deleteTopic(STREAM, TopicId.of("renamed")));
        ok("update and delete a topic");
    }

    private void partitions() {
        client.partitions().createPartitions(STREAM, ORDERS, 2L);
        var ids = topic(ORDERS).partitions().stream().map(Partition::id).toList();
        equal("partitions", ids, List.of(0L, 1L, 2L, 3L, 4L));
        var message = List.of(Message.of("in the last one"));
        client.messages().sendMessages(STREAM, ORDERS, Partitioning.partitionId(4L), message);
        equal("messages", topic(ORDERS).messagesCount(), BigInteger.ONE);
        client.partitions().deletePartitions(STREAM, ORDERS, 3L);
        equal("partitions", topic(ORDERS).partitions().stream().map(Partition::id).toList(), List.of(0L, 1L));
        equal("messages", topic(ORDERS).messagesCount(), BigInteger.ZERO);
        refused(
                "send to a deleted partition",
                3007,
                () -> client.messages().sendMessages(STREAM, ORDERS, Partitioning.partitionId(4L), message));
        refused("of an unknown topic", 2010, () -> client.partitions().createPartitions(STREAM, UNKNOWN_TOPIC, 1L));
        ok("create and delete partitions");
    }
}
