package tour;

import static tour.Checks.big;
import static tour.Checks.equal;
import static tour.Checks.eventually;
import static tour.Checks.holds;
import static tour.Checks.ok;
import static tour.Checks.present;
import static tour.Checks.refused;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.iggy.client.blocking.IggyBaseClient;
import org.apache.iggy.consumergroup.Consumer;
import org.apache.iggy.consumergroup.ConsumerGroupMember;
import org.apache.iggy.identifier.ConsumerId;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.message.PolledMessages;
import org.apache.iggy.message.PollingStrategy;
import org.apache.iggy.topic.CompressionAlgorithm;

/** Consumer groups with two members: assignment, rebalances that both see, offsets; no message lost or doubled. */
final class Groups {
    private static final StreamId STREAM = StreamId.of("java-groups");
    private static final TopicId TOPIC = TopicId.of("topic");
    private static final ConsumerId GROUP = ConsumerId.of("group");
    private static final Consumer CONSUMER = Consumer.group(GROUP);
    private static final List<Long> ALL = List.of(0L, 1L, 2L, 3L, 4L, 5L);

    private Groups() {}

    /** A message of the topic. */
    private record Read(long partition, long offset) {}

    /** One client that may be a member of the group. */
    private record Member(IggyBaseClient client) {
        void join() {
            client.consumerGroups().joinConsumerGroup(STREAM, TOPIC, GROUP);
        }

        void leave() {
            client.consumerGroups().leaveConsumerGroup(STREAM, TOPIC, GROUP);
        }

        PolledMessages poll(Optional<Long> partition, long count, boolean commit) {
            return client.messages()
                    .pollMessages(STREAM, TOPIC, partition, CONSUMER, PollingStrategy.next(), count, commit);
        }

        /** The partitions of every member, in the order of the members, as this client sees them. */
        List<List<Long>> assignment() {
            var group = present("group", client.consumerGroups().getConsumerGroup(STREAM, TOPIC, GROUP));
            equal("number of members", group.membersCount(), (long) group.members().size());
            return group.members().stream()
                    .sorted(Comparator.comparing(ConsumerGroupMember::id))
                    .map(member -> member.partitions().stream().sorted().toList())
                    .toList();
        }

        Optional<Long> stored(long partition) {
            return client.consumerOffsets()
                    .getConsumerOffset(STREAM, TOPIC, Optional.of(partition), CONSUMER)
                    .map(offset -> offset.storedOffset().longValueExact());
        }

        void store(long partition, long offset) {
            client.consumerOffsets().storeConsumerOffset(STREAM, TOPIC, Optional.of(partition), CONSUMER, big(offset));
        }

        void send(long partition, int count) {
            var messages = IntStream.range(0, count).mapToObj(number -> Message.of(partition + "/" + number)).toList();
            client.messages().sendMessages(STREAM, TOPIC, Partitioning.partitionId(partition), messages);
        }

        /** Waits for the assignment: a partition may move a moment after what set it free is answered. */
        void sees(List<List<Long>> expected) {
            eventually("the assignment becomes " + expected, () -> assignment().equals(expected));
        }

        /** Polls `rounds` times, with commit, and adds what comes. */
        void read(int rounds, long count, List<Long> owned, Set<Read> seen) {
            for (int round = 0; round < rounds; round++) {
                var polled = poll(Optional.empty(), count, true);
                for (long offset : offsets(polled)) {
                    holds("a member reads only its partitions", owned.contains(polled.partitionId()));
                    var read = new Read(polled.partitionId(), offset);
                    holds(read + " came once", seen.add(read));
                }
            }
        }
    }

    static void run(Broker broker) {
        var first = new Member(broker.root());
        var second = new Member(broker.root());
        lifecycle(first.client);
        membership(first, second);
        sharing(first, second);
        revocation(first, second);
        end(first, second);
    }

    private static List<Long> offsets(PolledMessages polled) {
        return polled.messages().stream().map(message -> message.header().offset().longValueExact()).toList();
    }

    private static void lifecycle(IggyBaseClient client) {
        var groups = client.consumerGroups();
        client.streams().createStream("java-groups");
        var unlimited = Checks.UNLIMITED;
        client.topics()
                .createTopic(STREAM, 4L, CompressionAlgorithm.None, unlimited, unlimited, Optional.empty(), "topic");
        equal("groups", groups.getConsumerGroups(STREAM, TOPIC), List.of());
        var created = groups.createConsumerGroup(STREAM, TOPIC, "group");
        equal("id", created.id(), 0L);
        equal("name", created.name(), "group");
        equal("partitions", created.partitionsCount(), 4L);
        equal("members", created.membersCount(), 0L);
        refused("the same name", 5004, () -> groups.createConsumerGroup(STREAM, TOPIC, "group"));
        var otherId = ConsumerId.of("other");
        var other = groups.createConsumerGroup(STREAM, TOPIC, "other");
        var names = groups.getConsumerGroups(STREAM, TOPIC).stream().map(group -> group.name()).sorted().toList();
        equal("groups", names, List.of("group", "other"));
        var byId = present("group", groups.getConsumerGroup(STREAM, TOPIC, ConsumerId.of(other.id())));
        equal("group by id", byId.name(), "other");
        equal("unknown group", groups.getConsumerGroup(STREAM, TOPIC, ConsumerId.of("unknown")), Optional.empty());
        groups.deleteConsumerGroup(STREAM, TOPIC, otherId);
        refused("delete it again", 5000, () -> groups.deleteConsumerGroup(STREAM, TOPIC, otherId));
        refused("join an unknown group", 5000, () -> groups.joinConsumerGroup(STREAM, TOPIC, otherId));
        equal("groups", groups.getConsumerGroups(STREAM, TOPIC).size(), 1);
        ok("create, get, list and delete groups");
    }

    private static void membership(Member first, Member second) {
        refused("leave without joining", 5006, first::leave);
        refused("poll without joining", 5006, () -> first.poll(Optional.empty(), 1, false));
        first.join();
        first.join();
        equal("one member", first.assignment(), List.of(List.of(0L, 1L, 2L, 3L)));
        var groups = first.client.system().getMe().consumerGroups();
        equal("my groups", groups.stream().map(group -> group.consumerGroupId()).toList(), List.of(0L));
        ok("join a group");

        second.join();
        var uneven = List.of(List.of(0L, 1L, 2L), List.of(3L));
        second.sees(uneven);
        first.sees(uneven);
        first.client.partitions().createPartitions(STREAM, TOPIC, 2L);
        var even = List.of(List.of(0L, 2L, 4L), List.of(1L, 3L, 5L));
        equal("with two partitions more", first.assignment(), even);
        equal("seen by the second", second.assignment(), even);
        ok("a rebalance is seen by both members");
    }

    private static void sharing(Member first, Member second) {
        ALL.forEach(partition -> first.send(partition, 10));
        Set<Read> seen = new HashSet<>();
        // Each member has 3 partitions, which its polls take in turn.
        first.read(3, 4, List.of(0L, 2L, 4L), seen);
        second.read(3, 4, List.of(1L, 3L, 5L), seen);
        Set<Read> expected = new HashSet<>();
        ALL.forEach(partition -> LongStream.range(0, 4).forEach(offset -> expected.add(new Read(partition, offset))));
        equal("read by both", seen, expected);
        ALL.forEach(partition -> equal("stored offset", second.stored(partition), Optional.of(3L)));
        ok("two members share the messages");

        second.leave();
        equal("after one left", first.assignment(), List.of(ALL));
        refused("poll after leaving", 5006, () -> second.poll(Optional.empty(), 1, false));
        first.read(12, 5, ALL, seen);
        equal("messages read in all", seen.size(), 60);
        first.read(6, 5, ALL, seen);
        ALL.forEach(partition -> equal("stored offset", first.stored(partition), Optional.of(9L)));
        first.store(0, 4);
        equal("stored", first.stored(0), Optional.of(4L));
        equal("poll of one partition", offsets(first.poll(Optional.of(0L), 2, false)), List.of(5L, 6L));
        first.store(0, 9);
        ok("after one member left the other reads on, nothing lost and nothing twice");
    }

    private static void revocation(Member first, Member second) {
        // The original applies every change of its metadata once more with the next one: without this change the
        // leaving above would happen again when the second member joins, and with it forget what was polled.
        first.client.consumerGroups().createConsumerGroup(STREAM, TOPIC, "spare");
        first.send(5, 4);
        equal("polled", offsets(first.poll(Optional.of(5L), 2, false)), List.of(10L, 11L));
        second.join();
        equal("nothing moves before the commit", second.assignment(), List.of(ALL, List.of()));
        equal("a poll before the commit", offsets(second.poll(Optional.empty(), 4, true)), List.of());
        first.store(5, 11);
        var moved = List.of(List.of(0L, 1L, 2L, 3L, 4L), List.of(5L));
        first.sees(moved);
        second.sees(moved);
        var read = new ArrayList<Long>();
        eventually("the new owner reads on", () -> {
            read.addAll(offsets(second.poll(Optional.empty(), 4, true)));
            return !read.isEmpty();
        });
        equal("read by the new owner", read, List.of(12L, 13L));
        equal("the old owner reads nothing", offsets(first.poll(Optional.of(5L), 4, false)), List.of());
        ok("a partition with messages in work moves with their commit");
    }

    private static void end(Member first, Member second) {
        Broker.close(first.client);
        second.sees(List.of(ALL));
        ok("a member that disconnects leaves its groups");

        var groups = second.client.consumerGroups();
        groups.deleteConsumerGroup(STREAM, TOPIC, GROUP);
        equal("deleted", groups.getConsumerGroup(STREAM, TOPIC, GROUP), Optional.empty());
        equal("my groups", second.client.system().getMe().consumerGroupsCount(), 0L);
        refused("poll of a deleted group", 5000, () -> second.poll(Optional.empty(), 1, false));
        second.client.streams().deleteStream(STREAM);
        Broker.close(second.client);
        ok("delete a group with a member");
    }
}
