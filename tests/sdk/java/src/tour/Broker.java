package tour;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.apache.iggy.Iggy;
import org.apache.iggy.client.async.tcp.AsyncIggyTcpClient;
import org.apache.iggy.client.blocking.IggyBaseClient;

/** The broker under test, and how the tour connects to it. */
record Broker(String transport, String host, int port) {
    static final String ROOT = "iggy";

    /** Whether a client is one connection, with a session: over HTTP none can be a member of a group. */
    boolean hasSessions() {
        return transport.equals("tcp");
    }

    /** A connected client that is not logged in. It has one connection, so that it is one member of a group. */
    IggyBaseClient guest() {
        if (!hasSessions()) {
            return Iggy.httpClientBuilder().blocking().host(host).port(port).build();
        }
        var client = Iggy.tcpClientBuilder().blocking().host(host).port(port).connectionPoolSize(1).build();
        client.connect();
        return client;
    }

    IggyBaseClient login(String username, String password) {
        IggyBaseClient client = guest();
        client.users().login(username, password);
        return client;
    }

    IggyBaseClient root() {
        return login(ROOT, ROOT);
    }

    /** Logs in by itself. */
    IggyBaseClient credentials(String username, String password) {
        if (!hasSessions()) {
            return Iggy.httpClientBuilder()
                    .blocking()
                    .host(host)
                    .port(port)
                    .credentials(username, password)
                    .buildAndLogin();
        }
        return Iggy.tcpClientBuilder()
                .blocking()
                .host(host)
                .port(port)
                .credentials(username, password)
                .connectionPoolSize(1)
                .buildAndLogin();
    }

    /** A client of several connections whose calls run at once. */
    CompletableFuture<AsyncIggyTcpClient> parallel(int connections) {
        return Iggy.tcpClientBuilder()
                .async()
                .host(host)
                .port(port)
                .credentials(ROOT, ROOT)
                .connectionPoolSize(connections)
                .buildAndLogin();
    }

    /** Closes the connections, but does not wait for the threads, which the SDK keeps for 2 seconds more. */
    static void close(IggyBaseClient client) {
        CompletableFuture.runAsync(() -> {
            try {
                ((Closeable) client).close();
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        });
    }
}
