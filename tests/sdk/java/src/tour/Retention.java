package tour;

import static tour.Checks.big;
import static tour.Checks.equal;
import static tour.Checks.eventually;
import static tour.Checks.holds;
import static tour.Checks.ok;
import static tour.Checks.present;
import static tour.Checks.refused;

import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import org.apache.iggy.client.blocking.IggyBaseClient;
import org.apache.iggy.consumergroup.Consumer;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.message.PollingStrategy;
import org.apache.iggy.topic.CompressionAlgorithm;
import org.apache.iggy.topic.TopicDetails;

/** How long and how much topics keep: what is stored of it, and what the cleaner of the server then deletes. */
final class Retention {
    private static final StreamId STREAM = StreamId.of("java-retention");
    private static final TopicId LIMITED = TopicId.of("limited");
    private static final TopicId EXPIRING = TopicId.of("expiring");
    private static final String PAYLOAD = "x".repeat(900_000);

    private final IggyBaseClient client;

    private Retention(IggyBaseClient client) {
        this.client = client;
    }

    static void run(Broker broker) {
        var client = broker.root();
        client.streams().createStream("java-retention");
        var tour = new Retention(client);
        tour.settings();
        tour.expiry();
        tour.size();
        client.streams().deleteStream(STREAM);
        Broker.close(client);
    }

    private TopicDetails create(String name, BigInteger expiryMicros, BigInteger maxBytes) {
        var none = CompressionAlgorithm.None;
        return client.topics().createTopic(STREAM, 1L, none, expiryMicros, maxBytes, Optional.empty(), name);
    }

    private TopicDetails topic(TopicId topic) {
        return present("topic " + topic, client.topics().getTopic(STREAM, topic));
    }

    private void settings() {
        var hour = big(3_600_000_000L);
        var fourGigabytes = big(4_000_000_000L);
        var limited = create("limited", hour, fourGigabytes);
        equal("expiry", limited.messageExpiry(), hour);
        equal("size", limited.maxTopicSize(), fourGigabytes);
        equal("stored expiry", topic(LIMITED).messageExpiry(), hour);
        equal("stored size", topic(LIMITED).maxTopicSize(), fourGigabytes);
        var unlimited = Checks.UNLIMITED;
        client.topics()
                .updateTopic(STREAM, LIMITED, CompressionAlgorithm.None, unlimited, unlimited, Optional.empty(), "limited");
        equal("updated expiry", topic(LIMITED).messageExpiry(), unlimited);
        equal("updated size", topic(LIMITED).maxTopicSize(), unlimited);
        client.topics().deleteTopic(STREAM, LIMITED);

        var byDefault = create("default", BigInteger.ZERO, BigInteger.ZERO);
        equal("default expiry, resolved", byDefault.messageExpiry(), unlimited);
        equal("default size, resolved", byDefault.maxTopicSize(), unlimited);
        refused("a size below that of a segment", 1019, () -> create("small", unlimited, big(1000)));
        ok("retention of topics is stored");
    }

    /** Sends messages one by one, so that each may close a segment. */
    private void fill(TopicId topic, int count) {
        for (int number = 0; number < count; number++) {
            client.messages().sendMessages(STREAM, topic, Partitioning.partitionId(0L), List.of(Message.of(PAYLOAD)));
        }
    }

    /** The offset of the one message that the strategy gives; none if there is no message. */
    private Optional<Long> offset(TopicId topic, PollingStrategy strategy) {
        return client.messages()
                .pollMessages(STREAM, topic, Optional.of(0L), Consumer.of(1L), strategy, 1L, false)
                .messages()
                .stream()
                .map(message -> message.header().offset().longValueExact())
                .findFirst();
    }

    private void expiry() {
        create("expiring", big(1_000_000), Checks.UNLIMITED);
        fill(EXPIRING, 5);
        equal("first at first", offset(EXPIRING, PollingStrategy.first()), Optional.of(0L));
        eventually(
                "closed segments expire",
                () -> !offset(EXPIRING, PollingStrategy.first()).equals(Optional.of(0L)));
        holds("the last segment stays", offset(EXPIRING, PollingStrategy.last()).orElse(4L) == 4);
        fill(EXPIRING, 1);
        equal("the next offset", offset(EXPIRING, PollingStrategy.last()), Optional.of(5L));
        ok("messages expire");
    }

    private void size() {
        var limit = 6_000_000L;
        create("limited", Checks.UNLIMITED, big(limit));
        fill(LIMITED, 11);
        eventually(
                "the topic falls below 90 % of its limit",
                () -> topic(LIMITED).messagesCount().longValueExact() * PAYLOAD.length() < limit / 10 * 9);
        long first = present("first", offset(LIMITED, PollingStrategy.first()));
        holds("the oldest messages are gone, but no more than needed: " + first, first > 0 && first <= 8);
        equal("the newest message stays", offset(LIMITED, PollingStrategy.last()), Optional.of(10L));
        ok("a topic keeps its size");
    }
}
