package tour;

/**
 * A tour over what the published Java SDK offers, against a running broker: every step checks what it is answered.
 * The server closes segments at 1 MiB and cleans up every 200 ms.
 * Usage: Tour tcp|http host port. Prints "ok STEP" for each step and ends with 1 at the first failure.
 */
public final class Tour {
    private Tour() {}

    public static void main(String[] arguments) {
        if (arguments.length != 3) {
            System.out.println("usage: Tour tcp|http host port");
            System.exit(2);
        }
        var broker = new Broker(arguments[0], arguments[1], Integer.parseInt(arguments[2]));
        try {
            Server.run(broker);
            Streams.run(broker);
            Messages.run(broker);
            Retention.run(broker);
            Users.run(broker);
            if (broker.hasSessions()) {
                Groups.run(broker);
                Parallel.run(broker);
                Surprises.run(broker);
            }
        } catch (RuntimeException | Error error) {
            System.out.println("failed " + error.getMessage());
            error.printStackTrace(System.out);
            System.exit(1);
        }
        // Not by returning: clients of refused steps still have threads.
        System.exit(0);
    }
}
