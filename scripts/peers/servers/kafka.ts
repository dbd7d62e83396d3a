// Apache Kafka: one node that is broker and controller (KRaft), from the jars of Maven Central, with the settings that its own start
// scripts give a broker.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, freePort, newDirectory, runProgram, startServer } from "../programs.ts";
import type { PeerServer } from "./server.ts";

const version = "4.4.0";
const scalaVersion = "2.13";
/** As `kafka-server-start.sh` gives it. */
const brokerHeap = ["-Xmx1G", "-Xms1G"];
/** As `kafka-run-class.sh` gives it to every program. */
const javaOptions = ["-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"];

const jarsIn = (cache: string) => join(cache, `kafka-${version}`);

/** A program of Kafka's with its arguments, as `kafka-run-class.sh` would run it. */
export function kafkaCommand(cache: string, program: string, ...args: string[]): string[] {
  return ["java", "-Xmx512M", ...javaOptions, "-cp", join(jarsIn(cache), "*"), program, ...args];
}

const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>peers</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    ${[`kafka_${scalaVersion}`, "kafka-tools", "kafka-clients"]
      .map(
        (artifact) =>
          `<dependency><groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
      )
      .join("\n    ")}
  </dependencies>
</project>
`;

/** A request that every broker answers, ApiVersions of version 0; the answer carries its number, which is text that can be looked for. */
const correlation = "peer";
const apiVersionsRequest = `\0\0\0\x0a\0\x12\0\0${correlation}\0\0`;

export const kafka: PeerServer = {
  name: "Kafka",
  version,
  durability: {
    write:
      "its default: acks=all, one replica, the log written to its file before the answer, never synced for a producer",
    sync: "log.flush.interval.messages=1, acks=all",
  },

  async install(cache) {
    if (existsSync(jarsIn(cache))) return;
    const work = `${jarsIn(cache)}.work`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    writeFileSync(join(work, "pom.xml"), project);
    const copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    await runProgram(["mvn", "-q", "-B", copy, "-DincludeScope=runtime", `-DoutputDirectory=${join(work, "jars")}`], {
      cwd: work,
      timeoutMs: 900_000,
    });
    renameSync(join(work, "jars"), jarsIn(cache));
    rmSync(work, { recursive: true, force: true });
  },

  async start(cache, durability) {
    const [port, controllerPort, directory] = [await freePort(), await freePort(), newDirectory("kafka")];
    const configuration = {
      "process.roles": "broker,controller",
      "node.id": "1",
      "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
      "controller.listener.names": "CONTROLLER",
      "log.dirs": join(directory, "data"),
      "offsets.topic.replication.factor": "1",
      "offsets.topic.num.partitions": "1",
      "transaction.state.log.replication.factor": "1",
      "transaction.state.log.min.isr": "1",
      "share.coordinator.state.topic.replication.factor": "1",
      "share.coordinator.state.topic.min.isr": "1",
      "group.initial.rebalance.delay.ms": "0",
      ...(durability === "sync" ? { "log.flush.interval.messages": "1" } : {}),
    };
    const path = join(directory, "server.properties");
    const lines = Object.entries(configuration).map(([key, value]) => `${key}=${value}`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    const clusterId = "cGVlcnMtb2Ytd2hpcHBldA";
    await runProgram(kafkaCommand(cache, "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", path));
    const classPath = join(jarsIn(cache), "*");
    return startServer({
      command: ["java", ...brokerHeap, ...javaOptions, "-cp", classPath, "kafka.Kafka", path],
      ...{ port, directory },
      isReady: () => answers(port, apiVersionsRequest, correlation),
    });
  },
};
