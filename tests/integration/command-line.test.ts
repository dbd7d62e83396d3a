import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { useServers } from "../support/server.ts";

const servers = useServers();

describe("the command line", () => {
  test("--help teaches and --version tells", async () => {
    const overview = await servers.run({ arguments: ["--help"] });
    expect(overview).toMatchObject({ exitCode: 0, stderr: "" });
    for (const word of ["Usage", "whippet server --help", "--fresh"]) expect(overview.stdout).toContain(word);
    const help = await servers.run({ arguments: ["server", "--help"] });
    expect(help).toMatchObject({ exitCode: 0, stderr: "" });
    for (const word of ["Usage", "--fresh", "--with-default-root-credentials", "IGGY_CONFIG_PATH", "tcp.address"]) {
      expect(help.stdout).toContain(word);
    }
    expect((await servers.run({ arguments: ["--version"] })).stdout).toBe(`whippet ${packageJson.version}\n`);
  });

  test("an unknown option is named, with exit code 2", async () => {
    const ended = await servers.run({ arguments: ["--frehs"] });
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("--frehs");
  });

  test("--fresh deletes the data, and only that", async () => {
    const server = await servers.start();
    writeFileSync(join(server.directory, "keep.txt"), "mine");
    const client = await server.connect();
    await client.createStream("orders");
    await client.close();
    await server.restart({ arguments: ["--fresh"] });
    const again = await server.connect();
    expect(await again.getStreams()).toEqual([]);
    await again.close();
    await server.stop();
    expect(readFileSync(join(server.directory, "keep.txt"), "utf8")).toBe("mine");
  });

  test("--fresh refuses a directory that is no data directory", async () => {
    const directory = servers.makeDirectory();
    const photos = join(directory, "photos");
    mkdirSync(photos);
    writeFileSync(join(photos, "keep.jpg"), "mine");
    const ended = await servers.run({ arguments: ["--fresh"], env: { IGGY_SYSTEM_PATH: photos } }, directory);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain(`--fresh would delete ${photos}, which is no data directory; set system.path`);
    expect(existsSync(join(photos, "keep.jpg"))).toBe(true);
  });

  test("--fresh refuses the data directory of a broker that runs", async () => {
    const server = await servers.start();
    const client = await server.connect();
    await client.createStream("orders");
    const ended = await servers.run({ arguments: ["--fresh"], env: { IGGY_SYSTEM_PATH: server.dataPath } });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("is in use by another process");
    await client.close();
    await server.kill();
    await server.restart();
    const again = await server.connect();
    expect((await again.getStreams()).map(({ name }) => name)).toEqual(["orders"]);
    await again.close();
    await server.stop();
  });

  test("--fresh refuses a data directory that holds the working directory", async () => {
    const directory = servers.makeDirectory();
    writeFileSync(join(directory, "keep.txt"), "mine");
    const ended = await servers.run({ arguments: ["--fresh"], env: { IGGY_SYSTEM_PATH: "." } }, directory);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("--fresh would delete");
    expect(existsSync(join(directory, "keep.txt"))).toBe(true);
  });
});

describe("a configuration that cannot be used", () => {
  test.each([
    ["IGGY_SYSTEM_SEGMENT_SIZE", "2 GiB", "system.segment.size"],
    ["IGGY_TCP_ADDRESS", "localhost:8090", "tcp.address"],
    ["IGGY_SYSTEM_PARTITION_ACKNOWLEDGE", "perhaps", "system.partition.acknowledge"],
    ["IGGY_MESSAGE_SAVER_INTERVAL", "0", "message_saver.interval"],
  ])("%s=%s stops the start with key, value and rule, and nothing is made", async (name, value, key) => {
    const directory = servers.makeDirectory();
    const ended = await servers.run({ env: { [name]: value } }, directory);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain(key);
    expect(ended.stderr).toContain(value);
    expect(ended.stderr).toMatch(/: must /);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a file is found upward, overridden by the environment, and secrets are masked in the log", async () => {
    const directory = servers.makeDirectory();
    writeFileSync(
      join(directory, "own.toml"),
      '[cluster]\nname = "from-file"\n[http.jwt]\nencoding_secret = "hush-hush"\n',
    );
    const server = await servers.start({
      env: { IGGY_CONFIG_PATH: join(directory, "own.toml"), IGGY_DISPLAY_CONFIG: "true", IGGY_CLUSTER_ENABLED: "true" },
    });
    const client = await server.connect();
    expect((await client.getClusterMetadata()).name).toBe("from-file");
    await client.close();
    await server.stop();
    expect(server.log).not.toContain("hush-hush");
    expect(server.log).toContain('encoding_secret = "******"');
  });
});

describe("the data directory", () => {
  test("current_config.toml has the real port and is for the owner only", async () => {
    const server = await servers.start({ shards: 2 });
    expect(readFileSync(server.currentConfigPath, "utf8")).toContain(`address = "127.0.0.1:${server.port}"`);
    expect(statSync(server.currentConfigPath).mode & 0o777).toBe(0o600);
    await server.stop();
  });

  test("belongs to one broker at a time, also after kill -9 of the first", async () => {
    const server = await servers.start();
    const second = await servers.run({ env: { IGGY_SYSTEM_PATH: server.dataPath } });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("is in use by another process");
    await server.kill();
    await server.restart();
    await server.stop();
  });

  test("a generated root password is printed once and works", async () => {
    const server = await servers.start({ env: { IGGY_ROOT_USERNAME: undefined, IGGY_ROOT_PASSWORD: undefined } });
    const told = /^Generated root user password: (\S{20,39})$/m;
    const password = told.exec(await server.logged(told))?.[1];
    const client = await server.connect({ username: "iggy", password: password! });
    await client.close();
    expect((await server.stop()).stdout.match(/Generated root user password/g)).toHaveLength(1);
    await server.restart();
    expect((await server.stop()).stdout).not.toContain("Generated root user password");
    const files = new Bun.Glob("**/*").scanSync({ cwd: server.dataPath, onlyFiles: true });
    for (const file of files) expect(readFileSync(join(server.dataPath, file)).includes(password!)).toBe(false);
  });

  test("one root variable without the other is refused", async () => {
    const ended = await servers.run({ env: { IGGY_ROOT_PASSWORD: undefined } });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("IGGY_ROOT_PASSWORD");
  });

  test("a shard that cannot open it ends the process with the reason", async () => {
    const directory = servers.makeDirectory();
    mkdirSync(join(directory, "data/state/metadata.log"), { recursive: true });
    const ended = await servers.run({}, directory);
    expect(ended.exitCode).toBe(1);
    expect(`${ended.stdout}${ended.stderr}`).toMatch(/shard-0.*metadata\.log/s);
  });
});
