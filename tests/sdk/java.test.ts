// The published Java SDK, unmodified, against the broker, over all that it offers.
import { prepareJava } from "./java-environment.ts";
import { testTour } from "./tour.ts";

testTour("org.apache.iggy:iggy 0.8.0 for Java", prepareJava(), ["tcp", "http"], (transport, host, port) => [
  transport,
  host,
  String(port),
]);
