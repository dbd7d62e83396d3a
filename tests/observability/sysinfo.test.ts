import { expect, test } from "bun:test";
import { countOpenFiles, formatSysinfo } from "../../src/observability/sysinfo.ts";
import { createSystemStatsReader } from "../../src/observability/system-stats.ts";

const totals = { clientsCount: 3, messagesCount: 1_000_000, messagesSizeBytes: 3 * 2 ** 30, openFilesCount: 42 };

test("sysinfo shows every number of spec SB 8.4 in one line", () => {
  const stats = {
    ...createSystemStatsReader("/tmp")(),
    cpuUsagePercent: 123.456,
    totalCpuUsagePercent: 50,
    memoryUsageBytes: 512,
    totalMemoryBytes: 8 * 2 ** 30,
    availableMemoryBytes: 2 * 2 ** 30,
    freeDiskSpaceBytes: 1536,
    totalDiskSpaceBytes: 2 ** 40,
    readBytes: 0,
    writtenBytes: 1024 ** 2,
    threadsCount: 9,
  };
  expect(formatSysinfo(stats, totals)).toBe(
    "CPU: 123.46%/50.00% (Usage/Total), Mem: 25.00%/512 B/6.00 GiB/8.00 GiB (Free/Usage/TotalUsed/Total), " +
      "Disk: 1.50 KiB/1.00 TiB (Free/Total), Stored: 3.00 GiB, Clients: 3, Messages: 1000000, Read: 0 B, " +
      "Written: 1.00 MiB, Threads: 9, OpenFDs: 42",
  );
});

test("sysinfo leaves out what the system does not say", () => {
  const stats = { ...createSystemStatsReader("/tmp")(), totalMemoryBytes: 0, availableMemoryBytes: 0, threadsCount: 0 };
  const line = formatSysinfo(stats, { ...totals, openFilesCount: undefined });
  expect(line).not.toContain("NaN");
  expect(line).not.toMatch(/Threads|OpenFDs/);
});

test.if(process.platform === "linux")("open files are those of this process", () => {
  const before = countOpenFiles();
  expect(before).toBeGreaterThan(2);
  expect(before).toBeLessThan(10_000);
});
