import { expect, test } from "bun:test";
import { parse } from "toml";
import { dumpToml } from "../../src/config/dump.ts";
import { renderDefaultConfig } from "../../src/config/render.ts";
import { formatByteSize, formatDurationMicros, parseByteSize, parseDurationMicros } from "../../src/config/units.ts";
import { load } from "./support.ts";

// Copied from spec SB 1.4: `key = default`, one table per heading. A key that only Whippet has is added here too, under its
// heading, so that its default is written twice on purpose: `frames`, `max_request_size` and `proxy_protocol` of [tcp], `allowed_hosts`,
// `web_ui_read_only`, `web_ui_label`, `web_ui_origin` and `require_token` of [http], `allowed_origins` of [websocket], `acknowledge`, and all of [connections], [limits] and [observability]. Two defaults differ: no page of another origin may
// use the API (`allowed_origins` of [http.cors]), and there is a console (`web_ui` of [http]). Certificate paths are ours as well.
const SPEC_DEFAULTS = `
[consumer_group]
rebalancing_timeout = "30s"
rebalancing_check_interval = "5s"
[data_maintenance.messages]
cleaner_enabled = false
interval = "1 m"
[http]
enabled = true
address = "127.0.0.1:3000"
max_request_size = "2 MB"
allowed_hosts = []
web_ui = true
web_ui_read_only = false
web_ui_label = ""
web_ui_origin = ""
[http.cors]
enabled = true
allowed_methods = ["GET", "POST", "PUT", "DELETE"]
allowed_origins = []
allowed_headers = ["content-type", "authorization"]
exposed_headers = [""]
allow_credentials = false
allow_private_network = false
[http.jwt]
algorithm = "HS256"
issuer = "iggy.apache.org"
audience = "iggy.apache.org"
valid_issuers = ["iggy.apache.org"]
valid_audiences = ["iggy.apache.org"]
access_token_expiry = "1 h"
refresh_expiry = "7 days"
clock_skew = "5 s"
not_before = "0 s"
encoding_secret = ""
decoding_secret = ""
use_base64_secret = false
[[http.jwt.trusted_issuers]]
issuer = "test-issuer"
jwks_url = "http://127.0.0.1:8081/.well-known/jwks.json"
audience = "iggy.apache.org"
user_id = 0
[http.metrics]
enabled = true
endpoint = "/metrics"
require_token = false
topics_max = 1000
[http.tls]
enabled = false
cert_file = "certs/iggy_cert.pem"
key_file = "certs/iggy_key.pem"
[connections]
max = 0
max_per_address = 0
max_without_login = 0
max_without_login_per_address = 0
max_quic_without_login = 128
max_http = 0
max_handshakes = 0
login_timeout = "0 s"
tls_handshake_timeout = "10 s"
[limits]
partitions = 250_000
partitions_per_stream = 150_000
partitions_per_topic = 100_000
consumer_groups_per_topic = 1_000
consumer_offsets_per_partition = 4_096
large_sends_per_connection = 8
permissions_per_user = 10_000
waiting_polls = 100_000
waiting_polls_per_user = 50_000
subscriptions = 100_000
subscriptions_per_user = 50_000
[tcp]
enabled = true
address = "127.0.0.1:8090"
socket_migration = true
ipv6 = false
frames = "auto"
max_request_size = "256 MiB"
[tcp.proxy_protocol]
trusted = []
[tcp.tls]
enabled = false
self_signed = true
cert_file = "certs/iggy_cert.pem"
key_file = "certs/iggy_key.pem"
[tcp.socket]
override_defaults = false
recv_buffer_size = "100 KB"
send_buffer_size = "100 KB"
keepalive = false
nodelay = false
linger = "0 s"
[quic]
enabled = true
address = "127.0.0.1:8080"
max_concurrent_bidi_streams = 10_000
datagram_send_buffer_size = "100 KB"
initial_mtu = "8 KB"
send_window = "100 KB"
receive_window = "100 KB"
keep_alive_interval = "5 s"
max_idle_timeout = "10 s"
[quic.certificate]
self_signed = true
cert_file = "certs/iggy_cert.pem"
key_file = "certs/iggy_key.pem"
[quic.socket]
override_defaults = false
recv_buffer_size = "64 KB"
send_buffer_size = "64 KB"
keepalive = false
[websocket]
enabled = true
address = "127.0.0.1:8092"
allowed_origins = []
accept_unmasked_frames = false
[websocket.tls]
enabled = false
self_signed = true
cert_file = "certs/iggy_cert.pem"
key_file = "certs/iggy_key.pem"
[message_saver]
enabled = true
enforce_fsync = true
interval = "30 s"
[personal_access_token]
max_tokens_per_user = 100
[personal_access_token.cleaner]
enabled = true
interval = "1 m"
[heartbeat]
enabled = false
interval = "5 s"
[observability.history]
enabled = true
memory = "16 MiB"
persist = true
[telemetry]
enabled = false
service_name = "iggy"
[telemetry.logs]
transport = "grpc"
endpoint = "http://localhost:7281/v1/logs"
[telemetry.traces]
transport = "grpc"
endpoint = "http://localhost:7281/v1/traces"
[system]
path = "local_data"
backup.path = "backup"
backup.compatibility.path = "compatibility"
state.enforce_fsync = false
state.accept_damage = false
state.max_file_operation_retries = 1
state.retry_delay = "1 s"
runtime.path = "runtime"
logging.path = "logs"
logging.level = "info"
logging.format = "text"
logging.file_enabled = true
logging.max_file_size = "500 MB"
logging.max_total_size = "4 GB"
logging.rotation_check_interval = "1 h"
logging.retention = "7 days"
logging.sysinfo_print_interval = "10 s"
encryption.enabled = false
encryption.key = ""
compression.allow_override = false
compression.default_algorithm = "none"
stream.path = "streams"
topic.path = "topics"
topic.max_size = "unlimited"
topic.message_expiry = "none"
partition.path = "partitions"
partition.acknowledge = "write"
partition.enforce_fsync = false
partition.validate_checksum = false
partition.messages_required_to_save = 1024
partition.size_of_messages_required_to_save = "1 MiB"
segment.size = "1 GiB"
segment.archive_expired = false
segment.cache_indexes = "open_segment"
message_deduplication.enabled = false
message_deduplication.max_entries = 10000
message_deduplication.expiry = "1 m"
recovery.recreate_missing_state = false
memory_pool.enabled = true
memory_pool.size = "4 GiB"
memory_pool.bucket_capacity = 8192
sharding.cpu_allocation = "numa:auto"
[cluster]
enabled = false
name = "iggy-cluster"
node.current.name = "iggy-node-1"
node.current.ip = "127.0.0.1"
[[cluster.node.others]]
name = "iggy-node-2"
ip = "127.0.0.1"
ports = { tcp = 8091, quic = 8081, http = 3001, websocket = 8093 }
`;

/** Every leaf by its dotted path; sizes and durations in one spelling, so that `1 m` equals `1m`. */
function leaves(value: unknown, path = "", found: Record<string, unknown> = {}): Record<string, unknown> {
  if (typeof value === "object" && value !== null) {
    if (Array.isArray(value) && value.length === 0) found[path] = [];
    for (const [name, inner] of Object.entries(value)) leaves(inner, path === "" ? name : `${path}.${name}`, found);
  } else if (typeof value === "string" && /^\d+ ?[A-Za-z]+$/.test(value)) {
    found[path] = /B$/.test(value)
      ? formatByteSize(parseByteSize(value))
      : formatDurationMicros(parseDurationMicros(value));
  } else found[path] = value;
  return found;
}

test("every default equals the table of the specification, with our additions", () => {
  const { config } = load({});
  expect(leaves(parse(dumpToml(config, { maskSecrets: false })))).toEqual(leaves(parse(SPEC_DEFAULTS)));
});

test("typed values carry the units that their names say", () => {
  const { config } = load({});
  expect(config.system.segment.sizeBytes).toBe(2 ** 30);
  expect(config.heartbeat.intervalMicros).toBe(5_000_000);
  expect(config.http.jwt.accessTokenExpiry).toBe(3_600_000_000n);
  expect(config.system.topic.maxSize).toBe(2n ** 64n - 1n);
  expect(config.system.sharding.cpuAllocation).toEqual({ kind: "numaAuto" });
  expect(config.websocket.maxMessageSizeBytes).toBeUndefined();
});

test("config.toml is what the schema renders", async () => {
  // After a change of the schema: `npm run config` writes the file anew.
  const file = await Bun.file(new URL("../../config.toml", import.meta.url)).text();
  expect(file).toBe(renderDefaultConfig());
});

test("config.toml loads to the embedded defaults without a warning", () => {
  const fromFile = load({ toml: renderDefaultConfig() });
  expect(fromFile.config).toEqual(load({}).config);
  expect(fromFile.warnings).toEqual([]);
});
