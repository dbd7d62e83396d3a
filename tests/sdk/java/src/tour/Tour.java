package tour;

import java.time.Duration;

/**
 * A tour over what the published Java SDK offers, against a running broker: every step checks what it is answered.
 * The server closes segments at 1 MiB and cleans up every 200 ms.
 * Usage: Tour tcp|http host port. Prints "ok STEP" for each step and ends with 1 at the first failure.
 */
public final class Tour {
    /** A chapter takes seconds; calls of the SDK may wait without a limit. */
    private static final Duration CHAPTER_LIMIT = Duration.ofSeconds(90);

    private Tour() {}

    /** Runs a chapter; one that does not end in time ends the program, and says where it stands. */
    private static void chapter(String name, Runnable steps) {
        var runner = Thread.currentThread();
        var watch = new Thread(() -> {
            try {
                Thread.sleep(CHAPTER_LIMIT.toMillis());
            } catch (InterruptedException ended) {
                return;
            }
            System.out.println("failed the chapter " + name + " did not end within " + CHAPTER_LIMIT.toSeconds() + " s; it is at");
            for (var element : runner.getStackTrace()) {
                System.out.println("\tat " + element);
            }
            Runtime.getRuntime().halt(1);
        });
        watch.setDaemon(true);
        watch.start();
        try {
            steps.run();
        } finally {
            watch.interrupt();
        }
    }

    public static void main(String[] arguments) {
        if (arguments.length != 3) {
            System.out.println("usage: Tour tcp|http host port");
            System.exit(2);
        }
        var broker = new Broker(arguments[0], arguments[1], Integer.parseInt(arguments[2]));
        try {
            chapter("Server", () -> Server.run(broker));
            chapter("Streams", () -> Streams.run(broker));
            chapter("Messages", () -> Messages.run(broker));
            chapter("Retention", () -> Retention.run(broker));
            chapter("Users", () -> Users.run(broker));
            if (broker.hasSessions()) {
                chapter("Groups", () -> Groups.run(broker));
                chapter("Parallel", () -> Parallel.run(broker));
                chapter("Surprises", () -> Surprises.run(broker));
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
