// Rules that look at more than one key, or that hold only while a feature is on (spec SB 1.5). Rules of a single key
// stand with the key in the schema.
import { isIpAddress, isLoopbackHost, parseListenAddress } from "./address.ts";
import { areNamedFiles } from "./certificates.ts";
import { CpuAllocationError, type CpuTopology, placeShards } from "./cpu-allocation.ts";
import type { Config } from "./schema/index.ts";
import { needsKeyPair, readTokenKeys, TokenKeyError } from "./token-keys.ts";
import { EXPIRY_SERVER_DEFAULT, TOPIC_SIZE_SERVER_DEFAULT } from "./units.ts";

const CORS_METHODS = new Set(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "PATCH", "TRACE"]);
/** Letters, digits and -._~ between slashes, and nothing below what the HTTP API has. */
const METRICS_PATH =
  /^\/(?!(?:ping|stats|cluster|clients|snapshot|streams|users|personal-access-tokens|openapi|ui)(?:\/|$))[\w\-.~]+(?:\/[\w\-.~]+)*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MEMORY_POOL_BYTES_MIN = 512 * 1024 * 1024;
const ENCRYPTION_KEY_BYTES = 32;

/** What the broker keeps directly below `system.path`, besides what has a key of its own. */
const keptNames = ["state", "certificates", "whippet.lock"] as const;

/** Takes one broken rule: the key's dotted path and the rule. */
export type Report = (key: string, rule: string) => void;

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

function checkAddresses(config: Config, report: Report): void {
  for (const name of ["tcp", "quic", "websocket", "http"] as const) {
    if (!config[name].enabled) continue;
    const address = parseListenAddress(config[name].address);
    const hostAllowed = name === "http" && !config.http.tls.enabled;
    if (address !== undefined && (hostAllowed || isIpAddress(address))) continue;
    report(
      `${name}.address`,
      `must be ${hostAllowed ? "host:port" : "a literal IP:port"} such as 127.0.0.1:8090 or [::1]:8090`,
    );
  }
}

/** Two listeners on one port would be handed each other's clients: the shards share their ports. QUIC has datagram ports. */
function checkPortsApart(config: Config, report: Report): void {
  const earlier: { readonly name: string; readonly host: string; readonly port: number }[] = [];
  for (const name of ["tcp", "websocket", "http"] as const) {
    const address = parseListenAddress(config[name].address);
    if (!config[name].enabled || address === undefined || address.port === 0) continue;
    const other = earlier.find(({ host, port }) => port === address.port && shareAddresses(host, address.host));
    if (other !== undefined) report(`${name}.address`, `must have another port than ${other.name}.address`);
    earlier.push({ name, ...address });
  }
}

/** Whether a connection could be meant for either of two listening hosts; names count as different from addresses. */
function shareAddresses(first: string, second: string): boolean {
  const isAny = (host: string) => host === "0.0.0.0" || host === "::";
  return first === second || isAny(first) || isAny(second);
}

function hasWildcard(values: readonly string[]): boolean {
  return values.includes("*");
}

function checkHttp(config: Config, report: Report): void {
  const { http } = config;
  if (!http.enabled) return;
  if (http.jwt.accessTokenExpiry === EXPIRY_SERVER_DEFAULT) {
    report("http.jwt.access_token_expiry", "must be an age or none, not zero or server_default");
  }
  const wrong = http.cors.allowedMethods.filter((method) => !CORS_METHODS.has(method));
  if (wrong.length > 0) {
    report("http.cors.allowed_methods", `must hold only ${[...CORS_METHODS].join(", ")}; not ${wrong.join(", ")}`);
  }
  const { allowedOrigins, allowedHeaders, exposedHeaders, allowCredentials } = http.cors;
  if (http.cors.enabled && allowedOrigins.slice(1).includes("*")) {
    report("http.cors.allowed_origins", 'must have "*" as the first and only entry, or not at all');
  }
  if (http.cors.enabled && allowCredentials && [allowedOrigins, allowedHeaders, exposedHeaders].some(hasWildcard)) {
    report("http.cors.allow_credentials", 'must be false while origins or headers are "*"');
  }
  if (http.webUiOrigin !== "" && !isWebOrigin(http.webUiOrigin)) {
    report("http.web_ui_origin", "must be an origin such as https://broker.example.com, without a path");
  }
  if (http.jwt.useBase64Secret) {
    if (!BASE64.test(http.jwt.encodingSecret)) report("http.jwt.encoding_secret", "must be base64 text");
    if (!BASE64.test(http.jwt.decodingSecret)) report("http.jwt.decoding_secret", "must be base64 text");
  }
  if (needsKeyPair(http.jwt)) {
    try {
      readTokenKeys(http.jwt);
    } catch (error) {
      if (!(error instanceof TokenKeyError)) throw error;
      report(error.key, error.rule);
    }
  }
  if (http.metrics.enabled && !http.metrics.endpoint.startsWith("/")) {
    report("http.metrics.endpoint", "must be a path that starts with /");
  } else if (http.metrics.enabled && !METRICS_PATH.test(http.metrics.endpoint)) {
    report("http.metrics.endpoint", "must be a plain path of its own, not one of the API's");
  }
}

function checkTls(config: Config, report: Report): void {
  const users = [
    ["tcp.tls", config.tcp.tls.enabled, config.tcp.tls],
    ["websocket.tls", config.websocket.tls.enabled, config.websocket.tls],
    ["http.tls", config.http.tls.enabled, config.http.tls],
    ["quic.certificate", config.quic.enabled && !config.quic.certificate.selfSigned, config.quic.certificate],
  ] as const;
  for (const [key, used, files] of users) {
    if (used && files.certFile === "") report(`${key}.cert_file`, "must not be empty");
    if (used && files.keyFile === "") report(`${key}.key_file`, "must not be empty");
  }
  if (config.tcp.tls.enabled && config.tcp.proxyProtocol.trusted.length > 0) {
    report(
      "tcp.proxy_protocol.trusted",
      "must be empty while tcp.tls.enabled is true: the header would come before TLS",
    );
  }
}

function checkServices(config: Config, report: Report): void {
  const { messages } = config.dataMaintenance;
  if (messages.cleanerEnabled && messages.intervalMicros === 0) {
    report("data_maintenance.messages.interval", "must not be zero while the cleaner is enabled");
  }
  const { cleaner } = config.personalAccessToken;
  if (cleaner.enabled && cleaner.intervalMicros === 0) {
    report("personal_access_token.cleaner.interval", "must not be zero while the cleaner is enabled");
  }
  if (config.heartbeat.enabled && config.heartbeat.intervalMicros === 0) {
    report("heartbeat.interval", "must not be zero while the heartbeat is enabled");
  }
  const { telemetry } = config;
  if (!telemetry.enabled) return;
  if (telemetry.serviceName === "") report("telemetry.service_name", "must not be empty while telemetry is enabled");
  for (const name of ["logs", "traces"] as const) {
    const { endpoint } = telemetry[name];
    if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
      report(
        `telemetry.${name}.endpoint`,
        "must be a URL such as http://localhost:4318/v1/logs while telemetry is enabled",
      );
    }
  }
}

function checkSystem(config: Config, topology: CpuTopology, report: Report): void {
  const { system } = config;
  const { logging, memoryPool, topic } = system;
  if (memoryPool.enabled && memoryPool.sizeBytes < MEMORY_POOL_BYTES_MIN) {
    report("system.memory_pool.size", "must be at least 512 MiB");
  } else if (memoryPool.enabled && memoryPool.sizeBytes % 4096 !== 0) {
    report("system.memory_pool.size", "must be a multiple of 4096 bytes");
  }
  if (memoryPool.enabled && (memoryPool.bucketCapacity < 128 || !isPowerOfTwo(memoryPool.bucketCapacity))) {
    report("system.memory_pool.bucket_capacity", "must be a power of two, at least 128");
  }
  if (logging.maxTotalSizeBytes !== 0 && logging.maxFileSizeBytes > logging.maxTotalSizeBytes) {
    report("system.logging.max_file_size", "must be at most system.logging.max_total_size");
  }
  if (topic.maxSize === TOPIC_SIZE_SERVER_DEFAULT) {
    report("system.topic.max_size", "must be a size or unlimited, not zero or server_default");
  } else if (topic.maxSize < BigInt(system.segment.sizeBytes)) {
    report("system.topic.max_size", "must be at least system.segment.size");
  }
  if (topic.messageExpiry === EXPIRY_SERVER_DEFAULT) {
    report("system.topic.message_expiry", "must be an age or none, not zero or server_default");
  }
  if (system.encryption.enabled) {
    const { key } = system.encryption;
    if (!BASE64.test(key) || Buffer.from(key, "base64").length !== ENCRYPTION_KEY_BYTES) {
      report("system.encryption.key", `must be base64 of exactly ${ENCRYPTION_KEY_BYTES} bytes`);
    }
  }
  // The runtime directory is deleted at every start: nothing else may be in it, nor may it lie among data.
  const runtime = `${system.runtime.path}/`;
  for (const path of [...keptNames, system.stream.path, system.logging.path, system.backup.path]) {
    if (runtime.startsWith(`${path}/`) || path.startsWith(runtime)) {
      report("system.runtime.path", `must be apart from the directory ${path}, as it is deleted at every start`);
    }
  }
  try {
    placeShards(system.sharding.cpuAllocation, topology);
  } catch (error) {
    if (!(error instanceof CpuAllocationError)) throw error;
    report("system.sharding.cpu_allocation", error.message);
  }
}

function checkCluster(config: Config, report: Report): void {
  const { cluster } = config;
  if (!cluster.enabled) return;
  const { current, others } = cluster.node;
  if (cluster.name.trim() === "") report("cluster.name", "must not be empty");

  const transports = ["tcp", "quic", "http", "websocket"] as const;
  const names = new Set<string>();
  const listeners = new Set<string>();
  const checkNode = (key: string, name: string, ip: string): void => {
    if (name.trim() === "") report(`${key}.name`, "must not be empty");
    else if (names.has(name)) report(`${key}.name`, "must differ from the names of the other nodes");
    names.add(name);
    if (ip.trim() === "") report(`${key}.ip`, "must not be empty");
  };
  checkNode("cluster.node.current", current.name, current.ip);
  for (const transport of transports) {
    const port = parseListenAddress(config[transport].address)?.port ?? 0;
    if (port !== 0) listeners.add(`${current.ip} ${transport} ${port}`);
  }
  for (const [index, node] of others.entries()) {
    const key = `cluster.node.others[${index}]`;
    checkNode(key, node.name, node.ip);
    for (const transport of transports) {
      const port = node.ports[transport];
      if (port === undefined) continue;
      const listener = `${node.ip} ${transport} ${port}`;
      if (port === 0) report(`${key}.ports.${transport}`, "must not be 0");
      else if (listeners.has(listener)) report(`${key}.ports.${transport}`, "must differ from another node's listener");
      listeners.add(listener);
    }
  }
}

/** Reports every broken rule of the configuration, once each. */
export function validate(config: Config, topology: CpuTopology, report: Report): void {
  checkAddresses(config, report);
  checkPortsApart(config, report);
  checkTls(config, report);
  checkHttp(config, report);
  checkServices(config, report);
  checkSystem(config, topology, report);
  checkCluster(config, report);
}

/** As a browser writes it: scheme and host, and a port where it is not the scheme's own. */
function isWebOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

/** Settings that are allowed and yet deserve a word. */
export function adviseOn(config: Config): string[] {
  const advice: string[] = [];
  const { jwt } = config.http;
  const secretsDiffer =
    jwt.encodingSecret !== "" && jwt.decodingSecret !== "" && jwt.encodingSecret !== jwt.decodingSecret;
  if (config.http.enabled && jwt.algorithm.startsWith("HS") && secretsDiffer) {
    advice.push(`http.jwt: encoding_secret and decoding_secret differ, but ${jwt.algorithm} needs the same for both`);
  }
  if (config.system.compression.defaultAlgorithm !== "none") {
    advice.push("system.compression.default_algorithm: the server does not compress; only clients do");
  }
  const { certificate } = config.quic;
  if (config.quic.enabled && certificate.selfSigned && areNamedFiles(certificate)) {
    advice.push(
      "quic.certificate.cert_file and key_file are not used while quic.certificate.self_signed = true: QUIC shows the broker's own pair",
    );
  }
  for (const name of exposedTransports(config)) {
    if (config[name].tls.enabled) continue;
    advice.push(`${name}: passwords and messages go beyond this machine in clear text; set ${name}.tls.enabled`);
  }
  return advice;
}

/** Those that listen at an address that other machines may reach. QUIC is always encrypted. */
export function exposedTransports(config: Config): ("tcp" | "websocket" | "http")[] {
  return (["tcp", "websocket", "http"] as const).filter((name) => {
    const address = parseListenAddress(config[name].address);
    return config[name].enabled && address !== undefined && !isLoopbackHost(address.host);
  });
}
