package tour;

import static tour.Checks.big;
import static tour.Checks.equal;
import static tour.Checks.holds;
import static tour.Checks.ok;
import static tour.Checks.present;
import static tour.Checks.refused;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.iggy.client.blocking.IggyBaseClient;
import org.apache.iggy.consumergroup.Consumer;
import org.apache.iggy.identifier.ConsumerId;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.message.BigIntegerMessageId;
import org.apache.iggy.message.HeaderKey;
import org.apache.iggy.message.HeaderValue;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.MessageHeader;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.message.PolledMessages;
import org.apache.iggy.message.PollingStrategy;
import org.apache.iggy.topic.CompressionAlgorithm;

/** Sending with every partitioning, polling with every strategy, and consumer offsets. */
final class Messages {
    private static final StreamId STREAM = StreamId.of("java-messages");
    private static final TopicId TOPIC = TopicId.of("topic");
    private static final TopicId UNKNOWN = TopicId.of("unknown");
    private static final Consumer READER = Consumer.of(ConsumerId.of("reader"));

    private final IggyBaseClient client;

    /** Over HTTP the SDK does not send the ids of messages where a server reads them. */
    private final boolean sendsIds;

    private Messages(IggyBaseClient client, boolean sendsIds) {
        this.client = client;
        this.sendsIds = sendsIds;
    }

    static void run(Broker broker) {
        var client = broker.root();
        client.streams().createStream("java-messages");
        client.topics()
                .createTopic(
                        STREAM,
                        3L,
                        CompressionAlgorithm.None,
                        Checks.UNLIMITED,
                        Checks.UNLIMITED,
                        Optional.empty(),
                        "topic");
        var tour = new Messages(client, broker.hasSessions());
        tour.contents();
        tour.strategies();
        tour.partitionings();
        tour.offsets();
        client.streams().deleteStream(STREAM);
        Broker.close(client);
    }

    private void send(Partitioning partitioning, Message... messages) {
        client.messages().sendMessages(STREAM, TOPIC, partitioning, List.of(messages));
    }

    private PolledMessages poll(long partition, Consumer consumer, PollingStrategy strategy, long count, boolean commit) {
        return client.messages()
                .pollMessages(STREAM, TOPIC, Optional.of(partition), consumer, strategy, count, commit);
    }

    private List<Long> offsets(PolledMessages polled) {
        equal("count", polled.count(), (long) polled.messages().size());
        return polled.messages().stream().map(message -> message.header().offset().longValueExact()).toList();
    }

    private List<Long> read(PollingStrategy strategy, long count) {
        return offsets(poll(1, READER, strategy, count, false));
    }

    private static List<Long> range(long from, long end) {
        return LongStream.range(from, end).boxed().toList();
    }

    private static Message message(long id, byte[] payload) {
        var zero = BigInteger.ZERO;
        var header = new MessageHeader(
                zero, new BigIntegerMessageId(big(id)), zero, zero, zero, 0L, (long) payload.length, zero);
        return Message.of(header, payload, List.of());
    }

    private static Map<HeaderKey, HeaderValue> headers() {
        return Map.of(
                HeaderKey.fromString("text"), HeaderValue.fromString("gr\u00fcn"),
                HeaderKey.fromString("flag"), HeaderValue.fromBool(true),
                HeaderKey.fromString("small"), HeaderValue.fromInt8((byte) -8),
                HeaderKey.fromString("large"), HeaderValue.fromInt64(Long.MIN_VALUE),
                HeaderKey.fromString("unsigned"), HeaderValue.fromUint32(4_294_967_295L),
                HeaderKey.fromString("share"), HeaderValue.fromFloat64(0.25),
                HeaderKey.fromString("raw"), HeaderValue.fromRaw(new byte[] {0, -1, 7}));
    }

    private void contents() {
        var binary = new byte[256];
        IntStream.range(0, 256).forEach(index -> binary[index] = (byte) index);
        var large = new byte[1_000_000];
        Arrays.fill(large, (byte) 'x');
        send(
                Partitioning.partitionId(0L),
                message(77, "named".getBytes()),
                message(0, binary).withUserHeaders(headers()),
                message(0, large),
                Message.of("text with headers", headers()));
        var polled = poll(0, READER, PollingStrategy.first(), 10, false);
        equal("partition", polled.partitionId(), 0L);
        equal("current offset", polled.currentOffset(), big(3));
        equal("offsets", offsets(polled), range(0, 4));
        var messages = polled.messages();
        holds("id", !sendsIds || messages.get(0).header().id().toBigInteger().equals(big(77)));
        equal("payload", new String(messages.get(0).payload()), "named");
        equal("no headers", messages.get(0).userHeaders(), Map.of());
        holds("the server gives an id", messages.get(1).header().id().toBigInteger().signum() > 0);
        holds("bytes", Arrays.equals(messages.get(1).payload(), binary));
        equal("headers", messages.get(1).userHeaders(), headers());
        holds("large payload", Arrays.equals(messages.get(2).payload(), large));
        equal("text", new String(messages.get(3).payload()), "text with headers");
        equal("headers of a text", messages.get(3).userHeaders(), headers());
        for (var message : messages) {
            holds("a timestamp", message.header().timestamp().signum() > 0);
            holds("a checksum", message.header().checksum().signum() != 0);
        }
        ok("payloads, ids and user headers come back");
    }

    private void strategies() {
        for (int number = 0; number < 20; number++) {
            send(Partitioning.partitionId(1L), Message.of("message " + number));
        }
        equal("by offset", read(PollingStrategy.offset(big(7)), 5), range(7, 12));
        equal("past the end", read(PollingStrategy.offset(big(20)), 5), List.of());
        equal("first", read(PollingStrategy.first(), 3), range(0, 3));
        equal("last", read(PollingStrategy.last(), 3), range(17, 20));
        var ninth = poll(1, READER, PollingStrategy.offset(big(9)), 1, false).messages().get(0);
        equal("by timestamp", read(PollingStrategy.timestamp(ninth.header().timestamp()), 4), range(9, 13));
        var later = big(Checks.nowMicros() + 60_000_000);
        equal("since later", read(PollingStrategy.timestamp(later), 4), List.of());
        ok("poll by offset, timestamp, first and last");

        equal("next without commit", read(PollingStrategy.next(), 4), range(0, 4));
        equal("next again", read(PollingStrategy.next(), 4), range(0, 4));
        for (var expected : List.of(range(0, 8), range(8, 16), range(16, 20), range(20, 20))) {
            equal("next with commit", offsets(poll(1, READER, PollingStrategy.next(), 8, true)), expected);
        }
        var stored = present("offset", client.consumerOffsets().getConsumerOffset(STREAM, TOPIC, Optional.of(1L), READER));
        equal("partition", stored.partitionId(), 1L);
        equal("current", stored.currentOffset(), big(19));
        equal("committed", stored.storedOffset(), big(19));
        ok("poll next with auto commit");

        refused("an unknown partition", 3007, () -> poll(9, READER, PollingStrategy.next(), 1, false));
        refused("an unknown topic", 2010, () -> client.messages()
                .pollMessages(STREAM, UNKNOWN, Optional.of(0L), READER, PollingStrategy.next(), 1L, false));
        refused("an unknown stream", 1009, () -> client.messages()
                .pollMessages(999_999L, 0L, Optional.of(0L), 1L, PollingStrategy.next(), 1L, false));
        ok("polls of what does not exist are refused");
    }

    private List<Long> counts() {
        return present("topic", client.topics().getTopic(STREAM, TOPIC)).partitions().stream()
                .map(partition -> partition.messagesCount().longValueExact())
                .toList();
    }

    private List<Long> grown(List<Long> before) {
        var after = counts();
        return IntStream.range(0, 3).mapToObj(index -> after.get(index) - before.get(index)).sorted().toList();
    }

    private void partitionings() {
        var before = counts();
        for (int number = 0; number < 6; number++) {
            send(Partitioning.balanced(), Message.of("balanced"));
        }
        equal("6 balanced sends over 3 partitions", grown(before), List.of(2L, 2L, 2L));
        ok("send balanced");

        var beforeKeys = counts();
        for (int number = 0; number < 4; number++) {
            send(Partitioning.messagesKey("customer"), Message.of("keyed " + number));
        }
        equal("4 sends with one key", grown(beforeKeys), List.of(0L, 0L, 4L));
        ok("send by key");

        var message = Message.of("lost");
        refused("an unknown partition", 3007, () -> send(Partitioning.partitionId(9L), message));
        refused("an unknown topic", 2010, () -> client.messages()
                .sendMessages(STREAM, UNKNOWN, Partitioning.balanced(), List.of(message)));
        ok("sends to what does not exist are refused");
    }

    private void offsets() {
        var offsets = client.consumerOffsets();
        var partition = Optional.of(1L);
        for (var consumer : List.of(Consumer.of(ConsumerId.of("by-name")), Consumer.of(17L))) {
            equal("no offset", offsets.getConsumerOffset(STREAM, TOPIC, partition, consumer), Optional.empty());
            offsets.storeConsumerOffset(STREAM, TOPIC, partition, consumer, big(5));
            var stored = present("offset", offsets.getConsumerOffset(STREAM, TOPIC, partition, consumer));
            equal("stored", stored.storedOffset(), big(5));
            equal("next", offsets(poll(1, consumer, PollingStrategy.next(), 1, false)), List.of(6L));
            offsets.storeConsumerOffset(STREAM, TOPIC, partition, consumer, big(2));
            stored = present("offset", offsets.getConsumerOffset(STREAM, TOPIC, partition, consumer));
            equal("stored again, lower", stored.storedOffset(), big(2));
            refused("past the end", 4100, () -> offsets.storeConsumerOffset(
                    STREAM, TOPIC, partition, consumer, big(10_000)));
        }
        ok("store and get consumer offsets");
    }
}
