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
import java.util.Map;
import java.util.Optional;
import org.apache.iggy.client.blocking.IggyBaseClient;
import org.apache.iggy.consumergroup.Consumer;
import org.apache.iggy.identifier.StreamId;
import org.apache.iggy.identifier.TopicId;
import org.apache.iggy.identifier.UserId;
import org.apache.iggy.message.Message;
import org.apache.iggy.message.Partitioning;
import org.apache.iggy.message.PollingStrategy;
import org.apache.iggy.topic.CompressionAlgorithm;
import org.apache.iggy.user.GlobalPermissions;
import org.apache.iggy.user.Permissions;
import org.apache.iggy.user.StreamPermissions;
import org.apache.iggy.user.TopicPermissions;
import org.apache.iggy.user.UserStatus;

/** Users, their rights, what they are denied, and personal access tokens. */
final class Users {
    private static final String NAME = "java-user";
    private static final UserId USER = UserId.of(NAME);
    private static final UserId ROOT = UserId.of(Broker.ROOT);
    private static final StreamId STREAM = StreamId.of("java-rights");
    private static final TopicId OPEN = TopicId.of("open");
    private static final TopicId CLOSED = TopicId.of("closed");

    private final Broker broker;
    private final IggyBaseClient root;

    private Users(Broker broker) {
        this.broker = broker;
        this.root = broker.root();
    }

    static void run(Broker broker) {
        var tour = new Users(broker);
        tour.accounts();
        tour.passwords();
        tour.rights();
        tour.tokens();
        tour.end();
    }

    /** Rights of every level, with neighbours that differ. */
    private static Permissions permissions() {
        var global = new GlobalPermissions(false, true, false, true, false, false, false, false, true, false);
        var topics = Map.of(
                3L, new TopicPermissions(false, true, false, true),
                70_000L, new TopicPermissions(true, false, false, false));
        return new Permissions(global, Map.of(
                1L, new StreamPermissions(false, true, true, false, false, true, topics),
                4_000_000L, new StreamPermissions(false, false, false, false, true, false, Map.of())));
    }

    private void accounts() {
        int before = root.users().getUsers().size();
        var created = root.users().createUser("java-old", "first-secret", UserStatus.Active, Optional.of(permissions()));
        equal("name", created.username(), "java-old");
        equal("status", created.status(), UserStatus.Active);
        equal("rights", created.permissions(), Optional.of(permissions()));
        holds("created now", Math.abs(created.createdAt().longValueExact() - nowMicros()) < 60_000_000);
        refused("the same name", 46, () -> root.users()
                .createUser("java-old", "secret", UserStatus.Active, Optional.empty()));
        ok("create a user with rights");

        var found = present("user", root.users().getUser(created.id()));
        equal("name by id", found.username(), "java-old");
        equal("rights by id", found.permissions(), Optional.of(permissions()));
        equal("id by name", present("user", root.users().getUser(UserId.of("java-old"))).id(), created.id());
        equal("unknown user", root.users().getUser(UserId.of("java-unknown")), Optional.empty());
        var all = root.users().getUsers();
        equal("users", all.size(), before + 1);
        holds("listed", all.stream().anyMatch(u -> u.id().equals(created.id()) && u.username().equals("java-old")));
        var own = present("root", root.users().getUser(ROOT));
        equal("id of root", own.id(), 0L);
        var every = new GlobalPermissions(true, true, true, true, true, true, true, true, true, true);
        equal("rights of root", own.permissions().map(Permissions::global), Optional.of(every));
        ok("get and list users");

        root.users().updateUser(UserId.of("java-old"), Optional.of(NAME), Optional.of(UserStatus.Inactive));
        equal("old name", root.users().getUser(UserId.of("java-old")), Optional.empty());
        equal("status", present("user", root.users().getUser(USER)).status(), UserStatus.Inactive);
        equal("id", present("user", root.users().getUser(USER)).id(), created.id());
        refused("login of an inactive user", 47, () -> broker.login(NAME, "first-secret"));
        root.users().updateUser(USER, Optional.empty(), Optional.of(UserStatus.Active));
        refused("taken", 46, () -> root.users().updateUser(USER, Optional.of(Broker.ROOT), Optional.empty()));
        ok("update a user");
    }

    private void passwords() {
        var user = broker.login(NAME, "first-secret");
        user.users().changePassword(USER, "first-secret", "second-secret");
        refused("the old password", 42, () -> broker.login(NAME, "first-secret"));
        refused("change with the old password", 42, () -> user.users()
                .changePassword(USER, "first-secret", "other-secret"));
        refused("change another's", 41, () -> user.users().changePassword(ROOT, Broker.ROOT, "other-secret"));
        root.users().changePassword(USER, "second-secret", "third-secret");
        Broker.close(broker.login(NAME, "third-secret"));
        Broker.close(user);
        ok("change a password");
    }

    private void createTopic(IggyBaseClient client, String name) {
        var none = CompressionAlgorithm.None;
        client.topics().createTopic(STREAM, 1L, none, Checks.UNLIMITED, Checks.UNLIMITED, Optional.empty(), name);
    }

    private void send(IggyBaseClient client) {
        client.messages().sendMessages(STREAM, OPEN, Partitioning.partitionId(0L), List.of(Message.of("message")));
    }

    private int poll(IggyBaseClient client, TopicId topic) {
        var next = PollingStrategy.next();
        var reader = Consumer.of(1L);
        return client.messages().pollMessages(STREAM, topic, Optional.of(0L), reader, next, 10L, true).messages().size();
    }

    private Optional<Permissions> topicRights(boolean sendMessages) {
        long stream = present("stream", root.streams().getStream(STREAM)).id();
        long topic = present("topic", root.topics().getTopic(STREAM, OPEN)).id();
        var global = new GlobalPermissions(false, false, false, false, false, false, false, false, false, false);
        var topics = Map.of(topic, new TopicPermissions(false, true, true, sendMessages));
        return Optional.of(new Permissions(
                global, Map.of(stream, new StreamPermissions(false, false, false, false, false, false, topics))));
    }

    private void rights() {
        root.streams().createStream("java-rights");
        createTopic(root, "open");
        createTopic(root, "closed");
        send(root);
        root.users().updatePermissions(USER, topicRights(false));
        equal("stored rights", present("user", root.users().getUser(USER)).permissions(), topicRights(false));
        ok("update the rights of a user");

        var user = broker.login(NAME, "third-secret");
        equal("readable topic", present("topic", user.topics().getTopic(STREAM, OPEN)).name(), "open");
        equal("polled", poll(user, OPEN), 1);
        equal("groups", user.consumerGroups().getConsumerGroups(STREAM, OPEN), List.of());
        equal("own account", present("me", user.users().getUser(USER)).username(), NAME);
        ok("what the rights allow");

        refused("send", 41, () -> send(user));
        refused("poll", 41, () -> poll(user, CLOSED));
        refused("store an offset", 41, () -> user.consumerOffsets()
                .storeConsumerOffset(STREAM, CLOSED, Optional.of(0L), Consumer.of(1L), BigInteger.ZERO));
        refused("get a topic", 41, () -> user.topics().getTopic(STREAM, CLOSED));
        refused("list topics", 41, () -> user.topics().getTopics(STREAM));
        refused("create a topic", 41, () -> createTopic(user, "new"));
        refused("delete a topic", 41, () -> user.topics().deleteTopic(STREAM, OPEN));
        refused("create partitions", 41, () -> user.partitions().createPartitions(STREAM, OPEN, 1L));
        refused("delete partitions", 41, () -> user.partitions().deletePartitions(STREAM, OPEN, 1L));
        refused("get a stream", 41, () -> user.streams().getStream(STREAM));
        refused("list streams", 41, () -> user.streams().getStreams());
        refused("create a stream", 41, () -> user.streams().createStream("java-new"));
        refused("update a stream", 41, () -> user.streams().updateStream(STREAM, "java-new"));
        refused("delete a stream", 41, () -> user.streams().deleteStream(STREAM));
        refused("create a group", 41, () -> user.consumerGroups().createConsumerGroup(STREAM, CLOSED, "group"));
        refused("list users", 41, () -> user.users().getUsers());
        refused("get root", 41, () -> user.users().getUser(ROOT));
        refused("create a user", 41, () -> user.users()
                .createUser("java-new", "secret", UserStatus.Active, Optional.empty()));
        refused("update rights", 41, () -> user.users().updatePermissions(USER, Optional.empty()));
        refused("delete a user", 41, () -> user.users().deleteUser(USER));
        refused("statistics", 41, () -> user.system().getStats());
        refused("clients", 41, () -> user.system().getClients());
        ok("what the rights do not allow is refused");

        root.users().updatePermissions(USER, topicRights(true));
        send(user);
        root.users().updatePermissions(USER, Optional.empty());
        refused("send", 41, () -> send(user));
        refused("poll", 41, () -> poll(user, OPEN));
        equal("rights", present("user", root.users().getUser(USER)).permissions(), Optional.empty());
        Broker.close(user);
        root.streams().deleteStream(STREAM);
        ok("changed rights hold at once in a running session");
    }

    private void tokens() {
        var user = broker.login(NAME, "third-secret");
        var tokens = user.personalAccessTokens();
        equal("tokens", tokens.getPersonalAccessTokens(), List.of());
        var lasting = tokens.createPersonalAccessToken("lasting", BigInteger.ZERO).token();
        var brief = tokens.createPersonalAccessToken("short", big(3_600_000_000L)).token();
        holds("two different tokens", lasting.length() > 20 && !lasting.equals(brief));
        refused("the same name", 51, () -> tokens.createPersonalAccessToken("short", BigInteger.ZERO));
        ok("create personal access tokens");

        var listed = tokens.getPersonalAccessTokens();
        equal("names", listed.stream().map(token -> token.name()).sorted().toList(), List.of("lasting", "short"));
        for (var token : listed) {
            equal("expiry of " + token.name(), token.expiryAt().isPresent(), token.name().equals("short"));
            long inAnHour = nowMicros() + 3_600_000_000L;
            token.expiryAt().ifPresent(expiry ->
                    holds("expires in an hour", Math.abs(expiry.longValueExact() - inAnHour) < 60_000_000));
        }
        equal("tokens of another user", root.personalAccessTokens().getPersonalAccessTokens(), List.of());
        ok("list personal access tokens");

        long userId = present("user", root.users().getUser(USER)).id();
        for (var token : List.of(lasting, brief)) {
            var bearer = broker.guest();
            equal("user", bearer.personalAccessTokens().loginWithPersonalAccessToken(token).userId(), userId);
            equal("its tokens", bearer.personalAccessTokens().getPersonalAccessTokens().size(), 2);
            if (broker.hasSessions()) {
                equal("user of the session", bearer.system().getMe().userId(), Optional.of(userId));
            }
            refused("list users", 41, () -> bearer.users().getUsers());
            Broker.close(bearer);
        }
        ok("login with a personal access token");

        tokens.deletePersonalAccessToken("lasting");
        equal("tokens", tokens.getPersonalAccessTokens().size(), 1);
        refused("the deleted token", 20, () -> broker.guest()
                .personalAccessTokens()
                .loginWithPersonalAccessToken(lasting));
        refused("delete it again", 20, () -> tokens.deletePersonalAccessToken("lasting"));
        tokens.deletePersonalAccessToken("short");
        Broker.close(user);
        ok("delete personal access tokens");
    }

    private void end() {
        root.users().deleteUser(USER);
        equal("the deleted user", root.users().getUser(USER), Optional.empty());
        refused("login of a deleted user", 42, () -> broker.login(NAME, "third-secret"));
        refused("delete an unknown user", 20, () -> root.users().deleteUser(USER));
        refused("delete root", 48, () -> root.users().deleteUser(ROOT));
        refused("change the rights of root", 49, () -> root.users().updatePermissions(ROOT, Optional.empty()));
        Broker.close(root);
        ok("delete a user");
    }
}
