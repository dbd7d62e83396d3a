// The server: command line, configuration, data directory, shards, signals.
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { formatListenAddress, parseListenAddress } from "../config/address.ts";
import { ArgumentError, parseArguments, type ServerArguments } from "../config/arguments.ts";
import { certificatesNeeded } from "../config/certificates.ts";
import { readCgroupLimits } from "../config/cgroup.ts";
import { placeShards } from "../config/cpu-allocation.ts";
import { readCpuTopology, withinCpuTime } from "../config/cpu-topology.ts";
import { type BoundAddresses, dumpToml, writeCurrentConfig } from "../config/dump.ts";
import { displayedConfig } from "../config/environment.ts";
import { ConfigError, type LoadedConfig, loadConfig } from "../config/load.ts";
import { withinMemory } from "../config/memory-limit.ts";
import type { Config } from "../config/schema/index.ts";
import { settingOriginsOf } from "../config/settings.ts";
import { exposedTransports } from "../config/validate.ts";
import { createLogger, LogFilterError, type Logger } from "../observability/log.ts";
import { cleanUpLogs } from "../observability/log-cleanup.ts";
import { createLogFileState, LogFile, type LogFileSettings } from "../observability/log-file.ts";
import { logDirectory, rotatedFilesMax } from "../observability/log-names.ts";
import { createLogOutput } from "../observability/log-output.ts";
import { openTelemetry } from "../observability/telemetry/open-telemetry.ts";
import { telemetryTarget } from "../observability/telemetry/telemetry.ts";
import { systemClock } from "../platform/clock.ts";
import { DirectoryLockedError } from "../platform/directory-lock.ts";
import { CertificateError, loadCertificates } from "../security/certificates.ts";
// Not by the door: this thread needs nothing of what the shards are made of, and would load it all.
import type { BoundPorts, TlsCertificates } from "../shard/lifecycle.ts";
import { Supervisor } from "../shard/supervisor.ts";
import { DataDirectoryError, prepareDataDirectory, removeData } from "./data-directory.ts";
import { ListenError, requireFreeAddresses } from "./listen-addresses.ts";
import { openLoginDesk } from "./login-desk.ts";
import { isDefaultRoot, RootCredentialsError, rootCredentials } from "./root-user.ts";

const expectedErrors = [
  ArgumentError,
  ConfigError,
  LogFilterError,
  RootCredentialsError,
  DirectoryLockedError,
  DataDirectoryError,
  CertificateError,
  ListenError,
] as const;

const transports = ["tcp", "websocket", "quic", "http"] as const;
type TransportName = (typeof transports)[number];

/** A longer interval would fire at once. */
const timerMsMax = 2 ** 31 - 1;

/** Says on stderr why nothing was started. */
function refuseToStart(error: unknown): never {
  const isExpected = expectedErrors.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`whippet: ${text}\n`);
  process.exit(error instanceof ArgumentError ? error.exitCode : 1);
}

function logFileSettings({ system }: Config): LogFileSettings | undefined {
  const { logging } = system;
  if (!logging.fileEnabled) return undefined;
  return {
    directory: logDirectory(system.path, logging.path),
    fileBytesMax: logging.maxFileSizeBytes,
    rotatedFilesMax: rotatedFilesMax(logging.maxTotalSizeBytes, logging.maxFileSizeBytes),
    shared: createLogFileState(),
  };
}

function startLogCleanup({ system }: Config, { directory }: LogFileSettings, log: Logger): void {
  const { rotationCheckIntervalMicros, retentionMicros, maxTotalSizeBytes } = system.logging;
  const rules = { retentionMs: retentionMicros / 1000, totalBytesMax: maxTotalSizeBytes };
  setInterval(
    () => {
      try {
        const removed = cleanUpLogs(directory, rules, Date.now());
        if (removed.length > 0) log.info("removed old log files", { count: removed.length });
      } catch (error) {
        log.warn("old log files could not be removed", { error });
      }
    },
    Math.min(rotationCheckIntervalMicros / 1000, timerMsMax),
  ).unref();
}

/** 0 for a transport that is off. Validation has checked the addresses of the others. */
function configuredPorts(config: Config): BoundPorts {
  const portOf = (name: TransportName) =>
    config[name].enabled ? (parseListenAddress(config[name].address)?.port ?? 0) : 0;
  return { tcp: portOf("tcp"), websocket: portOf("websocket"), quic: portOf("quic"), http: portOf("http") };
}

/** Where the transports that are on can be reached. */
function boundAddresses(config: Config, ports: BoundPorts): BoundAddresses {
  const addresses: Partial<Record<TransportName, string>> = {};
  for (const name of transports) {
    const address = parseListenAddress(config[name].address);
    if (!config[name].enabled || address === undefined || ports[name] === 0) continue;
    addresses[name] = formatListenAddress({ host: address.host, port: ports[name] });
  }
  return addresses;
}

/** The certificate of each transport that needs one; made on demand. Throws `CertificateError`. */
function readCertificates(config: Config, log: Logger): Promise<TlsCertificates> {
  return loadCertificates(certificatesNeeded(config), {
    directory: join(config.system.path, "certificates"),
    nowMs: Date.now(),
    onMade: ({ path, reason, keptAs }) => {
      if (keptAs.length === 0) return log.info("made a certificate", { path, reason });
      const fields = { path, reason, keptAs: keptAs.join(", ") };
      log.warn("the certificate was damaged and is replaced; clients that trust it need the new one", fields);
    },
  });
}

/** What the operator has set, or everything if asked to: what stands as it is by default says nothing. */
function tellConfiguration({ environment, given }: LoadedConfig, config: Config, log: Logger): void {
  const displayed = displayedConfig(environment);
  if (displayed === "none") return;
  if (displayed === "given")
    for (const [key, { shown, layer }] of given) log.info(`${key} = ${shown}`, { from: layer });
  const level = displayed === "all" ? "info" : "debug";
  if (!log.isEnabled(level)) return;
  for (const line of dumpToml(config, { maskSecrets: true }).split("\n")) if (line !== "") log[level](line);
}

async function serve(options: ServerArguments, loaded: LoadedConfig): Promise<void> {
  const { environment } = loaded;
  const limits = readCgroupLimits();
  const config = withinMemory(loaded.config, limits.memoryBytes);
  const startTimeMicros = systemClock.nowMicros();
  const logFilter = environment.RUST_LOG || config.system.logging.level;
  const root = rootCredentials(environment, {
    withDefaults: options.withDefaultRootCredentials,
    isReset: options.resetRootPassword,
  });
  if (options.fresh) removeData(config.system.path);
  const { lock, failures } = await prepareDataDirectory(config);
  const logFile = logFileSettings(config);
  const telemetry = await openTelemetry(config.telemetry, { version: packageJson.version, thread: "main" }, (message) =>
    log.child(telemetryTarget).warn("what is to be exported cannot be sent", { reason: message }),
  );
  const log = createLogger({
    filter: logFilter,
    ...createLogOutput(logFile && new LogFile(logFile), {
      format: config.system.logging.format,
      record: telemetry.record,
    }),
  });

  // Signals may come from now on; before, there is nothing that one could spoil.
  let supervisor: Supervisor | undefined;
  let isToTell = root.isGenerated;
  /** Once, as soon as it is in the metadata: nobody else knows it. */
  const tellRootPassword = () => {
    if (isToTell && supervisor?.hasSetRootPassword) {
      isToTell = false;
      process.stdout.write(`Generated root user password: ${root.password}\n`);
    }
  };
  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info("stopping", { signal });
    const isClean = supervisor === undefined || (await supervisor.stop());
    tellRootPassword();
    lock.release();
    if (isClean) log.info("stopped; everything is flushed and synced");
    else log.error("stopped, but not everything could be flushed in time");
    await telemetry.end();
    process.exit(isClean ? 0 : 1);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop(signal));

  process.on("SIGHUP", () => {
    if (supervisor === undefined) return; // they are about to be read
    readCertificates(config, log).then(
      (certificates) => {
        supervisor?.changeCertificates(certificates);
        log.info("certificates are read again", { transports: Object.keys(certificates).join(", ") || "none" });
      },
      (error: unknown) => log.error("certificates cannot be read again; the earlier ones stay", { error }),
    );
  });

  log.info("whippet starts", { version: packageJson.version, bun: Bun.version, pid: process.pid });
  if (loaded.environmentPath !== undefined) log.info("environment file", { path: loaded.environmentPath });
  log.info("configuration", { file: loaded.sourcePath ?? "embedded defaults", logFilter });
  for (const warning of loaded.warnings) log.warn(warning);
  const exposed = exposedTransports(config);
  if (isDefaultRoot(root) && exposed.length > 0) {
    log.warn(
      "anybody who can reach this machine may log in as iggy/iggy; set IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD",
      {
        exposed: exposed.join(", "),
      },
    );
  }
  for (const { what, error } of failures) log.warn(`the data directory is not as it should be: ${what}`, { error });
  tellConfiguration(loaded, config, log.child("config"));

  requireFreeAddresses(config);
  const shards = placeShards(config.system.sharding.cpuAllocation, withinCpuTime(readCpuTopology(), limits));
  if (limits.cpus !== undefined || limits.memoryBytes !== undefined) {
    log.info("limits of the control group", {
      cpus: limits.cpus ?? "none",
      memoryBytes: limits.memoryBytes ?? "none",
      shards: shards.length,
      poolBytes: config.system.memoryPool.sizeBytes,
    });
  }
  const tls = await readCertificates(config, log);
  log.info(`starting ${shards.length} shard(s)`, { data: resolve(config.system.path) });
  const onFailure = (reason: string) => {
    log.error("a shard failed; the process stops", { reason });
    process.exit(1);
  };
  const loginDesk = openLoginDesk(shards.length, onFailure);
  supervisor = new Supervisor({
    config,
    settingOrigins: settingOriginsOf(loaded),
    shardCount: shards.length,
    logFilter,
    logFile,
    startTimeMicros,
    follower: options.follower,
    root,
    tls,
    listenPorts: configuredPorts(config),
    loginPorts: loginDesk.ports,
    startOthers: loginDesk.start,
    makeWorker: (name) => new Worker(new URL("./worker.ts", import.meta.url).href, { name }),
    onLoop: ({ shardId, isOver, stalledMs, step }) => {
      const seconds = Math.round(stalledMs / 1000);
      if (isOver) log.warn("a shard answers again", { shard: shardId, seconds });
      else log.error("a shard does nothing: its event loop does not turn", { shard: shardId, seconds, began: step });
    },
    onFailure,
  });

  if (logFile !== undefined) startLogCleanup(config, logFile, log);

  const bound = await supervisor.start();
  const addresses = boundAddresses(config, bound);
  for (const [name, address] of Object.entries(addresses)) log.info(`started ${name}`, { address });
  await writeCurrentConfig(config, addresses).catch((error: unknown) =>
    log.warn("the file of the current configuration, which is for tools only, cannot be written", { error }),
  );
  tellRootPassword();
  // What stands in brackets is what scripts and containers wait for that were made for the original.
  log.info("whippet is running (Iggy server is running)", {
    elapsedMs: Math.round((systemClock.nowMicros() - startTimeMicros) / 1000),
  });
}

/** Runs a command line of the server (without the program's name); resolves when it serves, or has written a text. */
export async function runServer(args: readonly string[]): Promise<void> {
  // Who reads it may have gone; what is written there is not worth the process.
  process.stderr.on("error", () => {});
  try {
    const parsed = parseArguments(args, packageJson.version);
    if (parsed.kind === "text") process.stdout.write(parsed.text);
    else await serve(parsed.arguments, loadConfig({ environment: process.env, workingDirectory: process.cwd() }));
  } catch (error) {
    refuseToStart(error);
  }
}
