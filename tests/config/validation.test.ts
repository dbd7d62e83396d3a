import { describe, expect, test } from "bun:test";
import { load, violations } from "./support.ts";

// Each row: the file, and what the single line must hold (key and a part of the rule).
const broken: [toml: string, key: string, rule: string][] = [
  // Types and bounds of single keys.
  ["[tcp]\naddress = 5", "tcp.address", "must be text"],
  ["tcp = 5", "tcp", "must be a table"],
  ["[cluster.node]\nothers = 5", "cluster.node.others", "must be a list of tables"],
  ["[[cluster.node.others]]\nname = 'a'", "cluster.node.others[0].ip", "must be given"],
  ["[http.cors]\nallowed_origins = 'x'", "http.cors.allowed_origins", "must be a list"],
  ["[http.cors]\nallowed_origins = [1]", "http.cors.allowed_origins", "must be a list"],
  ["[http.jwt]\nalgorithm = 'none'", "http.jwt.algorithm", "must be one of HS256"],
  ["[tcp]\nframes = 'both'", "tcp.frames", "must be one of auto, sdk, page"],
  ["[tcp]\nmax_request_size = '79 MiB'", "tcp.max_request_size", "at least 80 MiB"],
  ["[tcp]\nmax_request_size = '3 GiB'", "tcp.max_request_size", "at most 2 GiB"],
  ["[tcp]\nmax_request_size = 9007199254740993", "tcp.max_request_size", "at most 2 GiB"],
  ["[tcp]\nmax_request_size = '9007199254740993'", "tcp.max_request_size", "at most 2 GiB"],
  ["[tcp.socket]\nrecv_buffer_size = 9007199254740993", "tcp.socket.recv_buffer_size", "below 8 PiB"],
  [
    "[quic]\nmax_concurrent_bidi_streams = 9007199254740993",
    "quic.max_concurrent_bidi_streams",
    "from 0 to 9007199254740991",
  ],
  // TOML knows no such number; the key has a rule for it all the same.
  ["[tcp]\nmax_request_size = 9223372036854775808", "tcp.max_request_size", "at most 2 GiB"],
  ["[tcp]\nmax_request_size = 99_999_999_999_999_999_999 # much", "tcp.max_request_size", "at most 2 GiB"],
  [
    "[system.partition]\nmessages_required_to_save = -99999999999999999999",
    "system.partition.messages_required_to_save",
    "from 1",
  ],
  ["[http.cors]\nallowed_origins = [99999999999999999999]", "http.cors.allowed_origins", "must be a list"],
  ["[heartbeat]\ninterval = 9007199254740993", "heartbeat.interval", "must be a duration"],
  ["[tcp.proxy_protocol]\ntrusted = ['10.0.0.0/33']", "tcp.proxy_protocol.trusted", "addresses and networks"],
  ["[tcp.proxy_protocol]\ntrusted = ['balancer']", "tcp.proxy_protocol.trusted", "addresses and networks"],
  [
    "[tcp.proxy_protocol]\ntrusted = ['::1']\n[tcp.tls]\nenabled = true",
    "tcp.proxy_protocol.trusted",
    "must be empty while",
  ],
  ["[tcp.socket]\nrecv_buffer_size = true", "tcp.socket.recv_buffer_size", "must be a size"],
  ["[heartbeat]\ninterval = 5", "heartbeat.interval", "must be a duration"],
  ["[telemetry.logs]\ntransport = 'udp'", "telemetry.logs.transport", "must be one of grpc, http"],
  ["[quic]\nmax_concurrent_bidi_streams = -1", "quic.max_concurrent_bidi_streams", "must be from 0 to"],
  ["[quic]\nmax_concurrent_bidi_streams = 1.5", "quic.max_concurrent_bidi_streams", "must be a whole number"],
  ["[personal_access_token]\nmax_tokens_per_user = 0", "personal_access_token.max_tokens_per_user", "from 1"],
  ["[message_saver]\ninterval = '0'", "message_saver.interval", "must not be zero"],
  ["[consumer_group]\nrebalancing_check_interval = '0'", "consumer_group.rebalancing_check_interval", "not be zero"],
  ["[system]\npath = ''", "system.path", "must not be empty"],
  ["[system.partition]\nacknowledge = 'disk'", "system.partition.acknowledge", "must be one of memory, write, sync"],
  ["[system.partition]\nmessages_required_to_save = 0", "system.partition.messages_required_to_save", "from 1"],
  ["[system.segment]\nsize = '2 GiB'", "system.segment.size", "at most 1 GiB"],
  ["[system.segment]\nsize = 513", "system.segment.size", "multiple of 512"],
  ["[system.segment]\nsize = 0", "system.segment.size", "at least 512 B"],
  ["[system.segment]\ncache_indexes = 'some'", "system.segment.cache_indexes", "must be one of"],
  ["[system.logging]\nlevel = ''", "system.logging.level", "must not be empty"],
  ["[system.logging]\nretention = '999ms'", "system.logging.retention", "at least 1 s"],
  ["[system.logging]\nrotation_check_interval = '0'", "system.logging.rotation_check_interval", "at least 1 s"],
  ["[system.topic]\nmessage_expiry = 5", "system.topic.message_expiry", "must be an expiry"],
  ["[system.stream]\npath = '../out'", "system.stream.path", "plain path below system.path"],
  ["[system.runtime]\npath = '/tmp'", "system.runtime.path", "plain path below system.path"],
  // Rules over several keys.
  ["[system.runtime]\npath = 'streams'", "system.runtime.path", "apart from the directory streams"],
  ["[system.runtime]\npath = 'state'", "system.runtime.path", "apart from the directory state"],
  ["[system.runtime]\npath = 'certificates'", "system.runtime.path", "apart from the directory certificates"],
  ["[system.runtime]\npath = 'whippet.lock'", "system.runtime.path", "apart from the directory whippet.lock"],
  ["[system.logging]\npath = 'runtime/logs'", "system.runtime.path", "apart from the directory runtime/logs"],
  ["[system.logging]\nmax_file_size = '5 GB'", "system.logging.max_file_size", "at most system.logging.max_total_size"],
  ["[system.memory_pool]\nsize = '256 MiB'", "system.memory_pool.size", "at least 512 MiB"],
  ["[system.memory_pool]\nsize = '1 GB 1'", "system.memory_pool.size", "must be a size"],
  ["[system.memory_pool]\nsize = 1000000001", "system.memory_pool.size", "multiple of 4096"],
  ["[system.memory_pool]\nbucket_capacity = 64", "system.memory_pool.bucket_capacity", "power of two"],
  ["[system.memory_pool]\nbucket_capacity = 129", "system.memory_pool.bucket_capacity", "power of two"],
  ["[data_maintenance.messages]\ncleaner_enabled = true\ninterval = '0'", "data_maintenance.messages.interval", "zero"],
  ["[personal_access_token.cleaner]\ninterval = '0'", "personal_access_token.cleaner.interval", "must not be zero"],
  ["[heartbeat]\nenabled = true\ninterval = '0'", "heartbeat.interval", "must not be zero"],
  ["[telemetry]\nenabled = true\nservice_name = ''", "telemetry.service_name", "must not be empty"],
  ["[telemetry]\nenabled = true\nlogs.endpoint = ''", "telemetry.logs.endpoint", "must be a URL"],
  ["[telemetry]\nenabled = true\ntraces.endpoint = ''", "telemetry.traces.endpoint", "must be a URL"],
  ["[system.sharding]\ncpu_allocation = 5", "system.sharding.cpu_allocation", "at most 4"],
  ["[system.sharding]\ncpu_allocation = 0", "system.sharding.cpu_allocation", "at least 1"],
  ["[system.sharding]\ncpu_allocation = '2..2'", "system.sharding.cpu_allocation", "start is below its end"],
  ["[system.sharding]\ncpu_allocation = '2..5'", "system.sharding.cpu_allocation", "must end at 4"],
  ["[system.sharding]\ncpu_allocation = 'numa:nodes=1'", "system.sharding.cpu_allocation", "existing NUMA nodes"],
  ["[system.sharding]\ncpu_allocation = 'numa:cores=9'", "system.sharding.cpu_allocation", "at most 4 cores"],
  ["[system.sharding]\ncpu_allocation = 'most'", "system.sharding.cpu_allocation", "must be all, a number"],
  ["[system.topic]\nmax_size = '0'", "system.topic.max_size", "not zero or server_default"],
  ["[system.topic]\nmax_size = 'server_default'", "system.topic.max_size", "not zero or server_default"],
  ["[system.topic]\nmax_size = '1 MiB'", "system.topic.max_size", "at least system.segment.size"],
  ["[system.topic]\nmessage_expiry = 'server_default'", "system.topic.message_expiry", "server_default"],
  ["[http.jwt]\naccess_token_expiry = 'server_default'", "http.jwt.access_token_expiry", "server_default"],
  ["[http.jwt]\nuse_base64_secret = true\nencoding_secret = '!'", "http.jwt.encoding_secret", "base64"],
  ["[http.cors]\nallowed_methods = ['GET', 'FETCH']", "http.cors.allowed_methods", "not FETCH"],
  ["[http.cors]\nallowed_origins = ['http://a', '*']", "http.cors.allowed_origins", "first and only entry"],
  ["[http.cors]\nallowed_origins = ['*']\nallow_credentials = true", "http.cors.allow_credentials", "must be false"],
  ["[http.metrics]\nendpoint = 'metrics'", "http.metrics.endpoint", "starts with /"],
  ["[http.metrics]\nendpoint = '/streams'", "http.metrics.endpoint", "a plain path of its own"],
  ["[http.metrics]\nendpoint = '/a/:b'", "http.metrics.endpoint", "a plain path of its own"],
  ["[tcp]\naddress = 'localhost:8090'", "tcp.address", "literal IP:port"],
  ["[tcp]\naddress = '127.0.0.1:3000'", "http.address", "another port than tcp.address"],
  ["[websocket]\naddress = '0.0.0.0:8090'", "websocket.address", "another port than tcp.address"],
  ["[quic]\naddress = '127.0.0.1'", "quic.address", "literal IP:port"],
  ["[websocket]\naddress = '::1:8092'", "websocket.address", "literal IP:port"],
  ["[http]\naddress = 'x:99999'", "http.address", "host:port"],
  ["[http]\naddress = 'localhost:1'\ntls.enabled = true", "http.address", "literal IP:port"],
  ["[tcp.tls]\nenabled = true\ncert_file = ''", "tcp.tls.cert_file", "must not be empty"],
  ["[quic.certificate]\nself_signed = false\nkey_file = ''", "quic.certificate.key_file", "must not be empty"],
  ["[system.encryption]\nenabled = true", "system.encryption.key", "exactly 32 bytes"],
  ["[system.encryption]\nenabled = true\nkey = 'AAAA'", "system.encryption.key", "exactly 32 bytes"],
  ["[cluster]\nenabled = true\nname = ''", "cluster.name", "must not be empty"],
  ["[cluster]\nenabled = true\nnode.current.name = 'iggy-node-2'", "cluster.node.others[0].name", "must differ"],
  ["[cluster]\nenabled = true\nnode.current.ip = ''", "cluster.node.current.ip", "must not be empty"],
  [
    "[cluster]\nenabled = true\n[[cluster.node.others]]\nname = 'b'\nip = '1.1.1.1'\nports.tcp = 0",
    "cluster.node.others[0].ports.tcp",
    "must not be 0",
  ],
  [
    "[cluster]\nenabled = true\n[[cluster.node.others]]\nname = 'b'\nip = '127.0.0.1'\nports.tcp = 8090",
    "cluster.node.others[0].ports.tcp",
    "must differ",
  ],
];

test.each(broken)("%j breaks a rule of %s", (toml, key, rule) => {
  const lines = violations({ toml });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(new RegExp(`^${RegExp.escape(key)}( = .* \\(config\\.toml\\))?: `));
  expect(lines[0]).toContain(rule);
});

describe("a rule sleeps with its feature", () => {
  test.each([
    "[data_maintenance.messages]\ninterval = '0'",
    "[personal_access_token.cleaner]\nenabled = false\ninterval = '0'",
    "[heartbeat]\ninterval = '0'",
    "[telemetry]\nservice_name = ''",
    "[system.memory_pool]\nenabled = false\nsize = '1 MiB'\nbucket_capacity = 3",
    "[system.encryption]\nkey = 'AAAA'",
    "[http]\nenabled = false\naddress = 'x'\n[http.cors]\nallowed_methods = ['FETCH']",
    "[cluster]\nname = ''",
    "[tcp]\nenabled = false\naddress = 'x'",
  ])("%j loads", (toml) => expect(violations({ toml })).toEqual([]));
});

describe("edges that are allowed", () => {
  test.each([
    "[http]\naddress = 'localhost:0'",
    "[tcp]\naddress = '127.0.0.2:3000'", // the same port at another address
    "[quic]\naddress = '127.0.0.1:8090'", // a datagram port is another one
    "[tcp]\naddress = '[::1]:0'\nmax_request_size = '2 GiB'",
    "[system.segment]\nsize = 512",
    "[system.logging]\nmax_file_size = '5 GB'\nmax_total_size = 0",
    "[system.memory_pool]\nsize = '512 MiB'\nbucket_capacity = 128",
    "[system.topic]\nmax_size = '1 GiB'\nmessage_expiry = '1s'",
    "[system.sharding]\ncpu_allocation = '0..4'",
    "[system.encryption]\nenabled = true\nkey = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='",
    "[system.logging]\npath = '/var/log/whippet'",
  ])("%j loads", (toml) => expect(violations({ toml })).toEqual([]));
});

test("a secret's value does not show in the message", () => {
  const [line] = violations({
    environment: { IGGY_SYSTEM_ENCRYPTION_ENABLED: "true", IGGY_SYSTEM_ENCRYPTION_KEY: "hush" },
  });
  expect(line).toBe("system.encryption.key = ****** (IGGY_SYSTEM_ENCRYPTION_KEY): must be base64 of exactly 32 bytes");
});

test("the same file without the broken key loads", () => {
  expect(load({ toml: "[tcp]\nenabled = false" }).config.tcp.enabled).toBe(false);
});
