package tour;

import static tour.Checks.big;
import static tour.Checks.equal;
import static tour.Checks.ok;
import static tour.Checks.present;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.iggy.client.async.tcp.AsyncIggyTcpClient;
import org.apache.iggy.consumergroup.Consumer;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.message.PollingStrategy;
import org.apache.iggy.topic.CompressionAlgorithm;

/** The asynchronous client: many calls at once over several connections. */
final class Parallel {
    private static final StreamId STREAM = StreamId.of("java-parallel");
    private static final TopicId TOPIC = TopicId.of("topic");
    private static final int SENDS = 200;

    private Parallel() {}

    private static <T> T await(CompletableFuture<T> future) {
        return future.orTimeout(10, TimeUnit.SECONDS).join();
    }

    static void run(Broker broker) {
        AsyncIggyTcpClient client = await(broker.parallel(4));
        await(client.streams().createStream("java-parallel"));
        await(client.topics()
                .createTopic(
                        STREAM,
                        2L,
                        CompressionAlgorithm.None,
                        Checks.UNLIMITED,
                        Checks.UNLIMITED,
                        Optional.empty(),
                        "topic"));
        var sends = new ArrayList<CompletableFuture<Void>>();
        for (int number = 0; number < SENDS; number++) {
            var messages = List.of(Message.of(number + "a"), Message.of(number + "b"));
            sends.add(client.messages().sendMessages(STREAM, TOPIC, Partitioning.partitionId(1L), messages));
        }
        await(CompletableFuture.allOf(sends.toArray(CompletableFuture[]::new)));
        ok(SENDS + " sends at once");

        // Every poll of 10 messages at once, each at an offset of its own.
        var polls = IntStream.range(0, SENDS / 5)
                .mapToObj(index -> client.messages()
                        .pollMessages(
                                STREAM,
                                TOPIC,
                                Optional.of(1L),
                                Consumer.of(1L),
                                PollingStrategy.offset(big(index * 10L)),
                                10L,
                                false))
                .toList();
        var payloads = new ArrayList<String>();
        polls.forEach(poll -> await(poll).messages().forEach(message -> payloads.add(new String(message.payload()))));
        equal("messages", payloads.size(), 2 * SENDS);
        equal("different messages", new TreeSet<>(payloads).size(), 2 * SENDS);
        for (int index = 0; index < payloads.size(); index += 2) {
            var expected = payloads.get(index).replace('a', 'b');
            equal("messages of one send stand together", payloads.get(index + 1), expected);
        }
        ok("polls at once");

        var topic = present("topic", await(client.topics().getTopic(STREAM, TOPIC)));
        equal("messages of the topic", topic.messagesCount(), big(2L * SENDS));
        await(client.streams().deleteStream(STREAM));
        client.close();
    }
}
