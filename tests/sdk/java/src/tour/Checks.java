package tour;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.apache.iggy.exception.IggyServerException;

/** Checks that name what is wrong; the first that fails ends the tour. */
final class Checks {
    private Checks() {}

    /** Reports a step whose checks all held. */
    static void ok(String step) {
        System.out.println("ok " + step);
    }

    static void equal(String what, Object actual, Object expected) {
        if (!Objects.equals(actual, expected)) {
            throw new IllegalStateException(what + " is " + actual + " instead of " + expected);
        }
    }

    static void holds(String what, boolean condition) {
        if (!condition) {
            throw new IllegalStateException("this does not hold: " + what);
        }
    }

    static <T> T present(String what, Optional<T> value) {
        return value.orElseThrow(() -> new IllegalStateException(what + " is absent"));
    }

    /** The call must fail with this error number of the protocol. */
    static void refused(String what, int code, Runnable call) {
        try {
            call.run();
        } catch (IggyServerException error) {
            // Over HTTP the number is in a field of its own, and the code is a word.
            int actual = error.getErrorId().map(Integer::parseInt).orElse(error.getRawErrorCode());
            equal("the error of: " + what, actual, code);
            return;
        }
        throw new IllegalStateException(what + " succeeded instead of error " + code);
    }

    /** Waits for what the server does after it noticed that a connection ended. */
    static void eventually(String what, BooleanSupplier condition) {
        Instant deadline = Instant.now().plus(Duration.ofSeconds(10));
        while (!condition.getAsBoolean()) {
            holds(what + ", within 10 seconds", Instant.now().isBefore(deadline));
            try {
                Thread.sleep(20);
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    static BigInteger big(long value) {
        return BigInteger.valueOf(value);
    }

    static long nowMicros() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
    }

    /** The largest unsigned 64-bit number: a topic that never expires, or is not limited. */
    static final BigInteger UNLIMITED = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
}
