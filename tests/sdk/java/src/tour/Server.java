package tour;

import static tour.Checks.big;
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
import org.apache.iggy.exception.IggyNotConnectedException;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.topic.CompressionAlgorithm;

/** Sessions, statistics and clients. */
final class Server {
    private static final StreamId STREAM = StreamId.of("java-stats");
    private static final TopicId TOPIC = TopicId.of("topic");

    private Server() {}

    static void run(Broker broker) {
        sessions(broker);
        statistics(broker);
        if (broker.hasSessions()) {
            clients(broker);
        }
    }

    private static void sessions(Broker broker) {
        IggyBaseClient guest = broker.guest();
        guest.system().ping();
        ok("ping without login");

        if (broker.hasSessions()) {
            // Of the commands that need a login, this is the one that the SDK sends without.
            refused("statistics without login", 40, () -> guest.system().getStats());
            ok("a command without login is refused");
        }
        refused("a wrong password", 42, () -> broker.login(Broker.ROOT, "wrong-password"));
        refused("an unknown user", 42, () -> broker.login("nobody", Broker.ROOT));
        refused("wrong credentials of the builder", 42, () -> broker.credentials(Broker.ROOT, "wrong-password"));
        refused("an unknown token", 20, () -> broker.guest().personalAccessTokens().loginWithPersonalAccessToken("no"));
        ok("wrong credentials are refused");

        equal("id of root", guest.users().login(Broker.ROOT, Broker.ROOT).userId(), 0L);
        holds("root has rights", guest.streams().getStreams() != null);
        ok("login with password");

        if (broker.hasSessions()) {
            guest.users().logout();
            refused("statistics after logout", 40, () -> guest.system().getStats());
            try {
                guest.streams().getStreams();
                throw new IllegalStateException("the SDK lists streams after logout");
            } catch (IggyNotConnectedException expected) {
                guest.users().login(Broker.ROOT, Broker.ROOT);
            }
            guest.streams().getStreams();
            ok("logout and login again");
        }
        Broker.close(guest);
        IggyBaseClient built = broker.credentials(Broker.ROOT, Broker.ROOT);
        equal("users", built.users().getUsers().isEmpty(), false);
        Broker.close(built);
        ok("login by the builder");
    }

    private static void statistics(Broker broker) {
        IggyBaseClient client = broker.root();
        var before = client.system().getStats();
        client.streams().createStream("java-stats");
        client.topics()
                .createTopic(
                        STREAM,
                        3L,
                        CompressionAlgorithm.None,
                        Checks.UNLIMITED,
                        Checks.UNLIMITED,
                        Optional.empty(),
                        "topic");
        client.consumerGroups().createConsumerGroup(STREAM, TOPIC, "group");
        var messages = List.of(Message.of("one"), Message.of("two"));
        client.messages().sendMessages(STREAM, TOPIC, Partitioning.partitionId(1L), messages);

        var stats = client.system().getStats();
        equal("streams", stats.streamsCount(), before.streamsCount() + 1);
        equal("topics", stats.topicsCount(), before.topicsCount() + 1);
        equal("partitions", stats.partitionsCount(), before.partitionsCount() + 3);
        equal("segments", stats.segmentsCount(), before.segmentsCount() + 3);
        equal("messages", stats.messagesCount(), before.messagesCount().add(big(2)));
        equal("groups", stats.consumerGroupsCount(), before.consumerGroupsCount() + 1);
        if (broker.hasSessions()) {
            // Over HTTP the sizes are words, rounded. 2 messages of 3 bytes after a header of 64.
            var size = new BigInteger(before.messagesSizeBytes()).add(big(134));
            equal("size", new BigInteger(stats.messagesSizeBytes()), size);
            var memory = new BigInteger(stats.memoryUsage());
            holds("memory is used", memory.compareTo(big(1_000_000)) > 0);
            holds("memory is part of all", new BigInteger(stats.totalMemory()).compareTo(memory) > 0);
            var free = new BigInteger(stats.freeDiskSpace());
            holds("disk space is free", free.signum() > 0);
            holds("disk space", new BigInteger(stats.totalDiskSpace()).compareTo(free) >= 0);
            holds("a client is counted", stats.clientsCount() > 0);
        }
        holds("there is a process", stats.processId() > 0);
        holds("there are threads", stats.threadsCount() > 0);
        holds("the load is a share", stats.cpuUsage() >= 0 && stats.totalCpuUsage() >= 0);
        long start = stats.startTime().longValueExact();
        holds("started within the last day", start <= nowMicros() && start > nowMicros() - 86_400_000_000L);
        var texts = List.of(
                stats.hostname(), stats.osName(), stats.osVersion(), stats.kernelVersion(), stats.iggyServerVersion());
        holds("every text is filled: " + texts, texts.stream().noneMatch(String::isBlank));
        holds("there is a version", present("version", stats.iggyServerSemver()) > 0);
        ok("statistics");

        client.streams().deleteStream(STREAM);
        var after = client.system().getStats();
        equal("streams", after.streamsCount(), before.streamsCount());
        equal("topics", after.topicsCount(), before.topicsCount());
        equal("partitions", after.partitionsCount(), before.partitionsCount());
        equal("messages", after.messagesCount(), before.messagesCount());
        equal("groups", after.consumerGroupsCount(), before.consumerGroupsCount());
        Broker.close(client);
        ok("statistics after the deletion");
    }

    private static void clients(Broker broker) {
        IggyBaseClient first = broker.root();
        IggyBaseClient second = broker.root();
        var me = first.system().getMe();
        holds("a client id", me.clientId() > 0);
        equal("my transport", me.transport(), "Tcp");
        equal("my groups", me.consumerGroupsCount(), 0L);
        holds("an address with a port: " + me.address(), me.address().matches(".*:\\d+"));
        var other = second.system().getMe();
        holds("another client", !other.clientId().equals(me.clientId()));
        ok("me");

        var all = first.system().getClients();
        for (var client : List.of(me, other)) {
            var listed = present("client " + client + " of " + all, all.stream().filter(c -> c.clientId().equals(client.clientId())).findAny());
            equal("listed address", listed.address(), client.address());
        }
        equal("client by id", first.system().getClient(other.clientId()).address(), other.address());
        Broker.close(second);
        Checks.eventually(
                "a closed client is no longer listed",
                () -> first.system().getClients().stream().noneMatch(c -> c.clientId().equals(other.clientId())));
        Broker.close(first);
        ok("clients");
    }
}
