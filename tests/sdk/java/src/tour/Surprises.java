package tour;

import static tour.Checks.equal;
import static tour.Checks.eventually;
import static tour.Checks.holds;
import static tour.Checks.ok;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.iggy.Iggy;
import org.apache.iggy.client.async.tcp.AsyncIggyTcpClient;
import org.apache.iggy.client.blocking.IggyBaseClient;
import org.apache.iggy.consumergroup.Consumer;
import org.apache.iggy.exception.IggyServerException;
import org.apache.iggy.identifier.ConsumerId;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.message.PolledMessages;
import org.apache.iggy.message.PollingStrategy;
import org.apache.iggy.topic.CompressionAlgorithm;

/** What users of the SDK trip over, as docs/clients.md tells it: each is the SDK's own behaviour against a right broker. */
final class Surprises {
    private static final StreamId STREAM = StreamId.of("java-surprises");
    private static final TopicId TOPIC = TopicId.of("topic");
    private static final ConsumerId GROUP = ConsumerId.of("group");
    private static final Consumer MEMBER = Consumer.group(GROUP);
    private static final int CALLS = 20;
    private static final int NOT_A_MEMBER = 5006;

    private Surprises() {}

    static void run(Broker broker) {
        IggyBaseClient root = broker.root();
        root.streams().createStream("java-surprises");
        var unlimited = Checks.UNLIMITED;
        root.topics()
                .createTopic(STREAM, 1L, CompressionAlgorithm.None, unlimited, unlimited, Optional.empty(), "topic");
        root.consumerGroups().createConsumerGroup(STREAM, TOPIC, "group");
        var messages = IntStream.range(0, 6).mapToObj(number -> Message.of("" + number)).toList();
        root.messages().sendMessages(STREAM, TOPIC, Partitioning.partitionId(0L), messages);
        pool(broker);
        oneConnection(broker);
        commitWhenPolling(root);
        root.streams().deleteStream(STREAM);
        Broker.close(root);
    }

    private static CompletableFuture<PolledMessages> poll(AsyncIggyTcpClient client) {
        return client.messages()
                .pollMessages(STREAM, TOPIC, Optional.empty(), MEMBER, PollingStrategy.next(), 1L, false);
    }

    /** The error number of the protocol, or 0. */
    private static int outcomeOf(CompletableFuture<?> call) {
        try {
            call.orTimeout(10, TimeUnit.SECONDS).join();
            return 0;
        } catch (CompletionException error) {
            if (error.getCause() instanceof IggyServerException refusal) {
                return refusal.getRawErrorCode();
            }
            throw error;
        }
    }

    private static List<Integer> outcomesAtOnce(AsyncIggyTcpClient client) {
        var calls = Stream.generate(() -> poll(client)).limit(CALLS).toList();
        return calls.stream().map(Surprises::outcomeOf).toList();
    }

    /** A member of a group is a connection, and with the pool of 5 that is the default, calls take any of them. */
    private static void pool(Broker broker) {
        AsyncIggyTcpClient client = Iggy.tcpClientBuilder()
                .async()
                .host(broker.host())
                .port(broker.port())
                .credentials(Broker.ROOT, Broker.ROOT)
                .buildAndLogin()
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
        equal("join", outcomeOf(client.consumerGroups().joinConsumerGroup(STREAM, TOPIC, GROUP)), 0);
        eventually("a poll is sent by a connection that is no member", () -> {
            List<Integer> outcomes = outcomesAtOnce(client);
            holds("it is the only error: " + outcomes, List.of(0, NOT_A_MEMBER).containsAll(outcomes));
            return outcomes.contains(NOT_A_MEMBER);
        });
        client.close();
        ok("with the pool of connections, polls of a group member are refused");
    }

    private static void oneConnection(Broker broker) {
        AsyncIggyTcpClient client = broker.parallel(1).orTimeout(10, TimeUnit.SECONDS).join();
        equal("join", outcomeOf(client.consumerGroups().joinConsumerGroup(STREAM, TOPIC, GROUP)), 0);
        for (int round = 0; round < 10; round++) {
            equal("polls at once", outcomesAtOnce(client).stream().distinct().toList(), List.of(0));
        }
        client.close();
        ok("with connectionPoolSize(1) a group member polls");
    }

    /** The offset of the whole batch is stored when it is polled: who dies over it loses what was not worked off. */
    private static void commitWhenPolling(IggyBaseClient client) {
        var reader = Consumer.of(ConsumerId.of("java-hasty"));
        var first = client.messages()
                .pollMessages(STREAM, TOPIC, Optional.of(0L), reader, PollingStrategy.next(), 4L, true);
        equal("messages", first.messages().size(), 4);
        var second = client.messages()
                .pollMessages(STREAM, TOPIC, Optional.of(0L), reader, PollingStrategy.next(), 4L, true);
        equal("where the next poll goes on", second.messages().get(0).header().offset(), Checks.big(4));
        ok("commit when polling loses the rest of a batch");
    }
}
