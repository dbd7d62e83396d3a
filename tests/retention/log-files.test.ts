// Log files of a running server (spec SB 8.6, 8.4; the suite log_rotation_scenario of spec SB 15): names, sizes, count, age.
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
setDefaultTimeout(300_000);
const fileBytesMax = 4096;
const filesMax = 4;
/** Other threads may write a line each while one rotates the file. */
const betweenBytesMax = 1000;
const twoHoursMs = 7_200_000;

function sysinfoLines(text: string): string[] {
  return text.split("\n").filter((line) => line.includes("sysinfo"));
}

test("files are rotated by size, as many as fit are kept, the old go by their age, and no line is lost between", async () => {
  const server = await servers.start({
    shards: 2,
    env: {
      IGGY_SYSTEM_LOGGING_MAX_FILE_SIZE: `${fileBytesMax} B`,
      IGGY_SYSTEM_LOGGING_MAX_TOTAL_SIZE: `${filesMax * fileBytesMax} B`,
      IGGY_SYSTEM_LOGGING_ROTATION_CHECK_INTERVAL: "1 s",
      IGGY_SYSTEM_LOGGING_RETENTION: "1 h",
      IGGY_SYSTEM_LOGGING_SYSINFO_PRINT_INTERVAL: "2 ms",
      IGGY_SYSTEM_LOGGING_LEVEL: "info,shard-0::sysinfo=debug",
    },
  });
  const directory = join(server.dataPath, "logs");
  const rotatedNames = () => readdirSync(directory).filter((name) => /^iggy-server\.log\.\d+$/.test(name));
  // Numbers that the rotation does not reach: only the clean-up can remove what is old.
  const aged = join(directory, "iggy-server.log.50");
  const foreign = join(directory, "iggy-server.log.old");
  for (const path of [aged, foreign]) {
    writeFileSync(path, "old\n");
    utimesSync(path, new Date(Date.now() - twoHoursMs), new Date(Date.now() - twoHoursMs));
  }
  await eventually(
    "the clean-up removes the aged file",
    () => existsSync(aged),
    (exists) => !exists,
  );
  await eventually(
    "there are more lines than are kept",
    () => server.stdout.length,
    (length) => length > 2 * filesMax * fileBytesMax,
  );
  await server.stop();

  expect(existsSync(foreign)).toBe(true);
  const newestFirst = [
    "iggy-server.log",
    ...Array.from({ length: filesMax }, (_, index) => `iggy-server.log.${index + 1}`),
  ];
  expect(readdirSync(directory).toSorted()).toEqual([...newestFirst, "iggy-server.log.old"].toSorted());
  expect(rotatedNames()).toHaveLength(filesMax);
  for (const name of newestFirst)
    expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(fileBytesMax + betweenBytesMax);
  const kept = newestFirst.toReversed().map((name) => readFileSync(join(directory, name), "utf8"));
  for (const text of kept) expect(text).toEndWith("\n");
  const keptLines = sysinfoLines(kept.join(""));
  expect(keptLines.length).toBeGreaterThan(20);
  expect(keptLines).toEqual(sysinfoLines(server.stdout).slice(-keptLines.length));
});

test("without files there is no directory, and a level leaves the rest out of both", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_LOGGING_FILE_ENABLED: "false", RUST_LOG: "error" } });
  await server.stop();
  expect(existsSync(join(server.dataPath, "logs"))).toBe(false);
  expect(server.stdout).toBe("");
  await server.restart({ env: { IGGY_SYSTEM_LOGGING_FILE_ENABLED: "true", RUST_LOG: undefined } });
  await server.stop();
  const logged = readFileSync(join(server.dataPath, "logs/iggy-server.log"), "utf8");
  expect(logged.split("\n").toSorted()).toEqual(server.stdout.split("\n").toSorted());
});
