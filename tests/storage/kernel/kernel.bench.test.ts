import { expect, test } from "bun:test";
import { measure } from "./kernel.bench.ts";

test("the micro benchmark runs and checks what it measures", () => {
  for (const measurement of measure(100, 100, 5)) {
    expect(measurement.validateMicros).toBeGreaterThan(0);
    expect(measurement.stampMicros).toBeGreaterThan(0);
    expect(measurement.scanMicros).toBeGreaterThan(0);
    expect(measurement.unpackMicros).toBeGreaterThan(0);
    expect(measurement.packMicros).toBeGreaterThan(0);
    expect(measurement.measureMicros).toBeGreaterThan(0);
  }
});
