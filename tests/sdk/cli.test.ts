// The published command line of Iggy 0.9, unmodified, against the broker. Its build compiles 400 crates, which takes minutes, and
// shares nothing with that of the Rust tours; so this is run by hand, with a program that was built before:
//   cargo install iggy-cli --version 0.14.0 --locked --root DIRECTORY
//   WHIPPET_IGGY_CLI=DIRECTORY/bin/iggy npm test -- tests/sdk/cli.test.ts
import { describe, expect, test } from "bun:test";
import { useServers } from "../support/server.ts";

const program = process.env.WHIPPET_IGGY_CLI;
const servers = useServers();
const commandTimeoutMs = 30_000;

if (program === undefined) {
  test.skip("iggy-cli 0.14.0, because its build takes minutes: WHIPPET_IGGY_CLI names the program", () => {});
} else {
  describe.each([
    { transport: "tcp", name: "tcp", option: "--tcp-server-address", prefix: "" },
    { transport: "websocket", name: "ws", option: "--websocket-server-address", prefix: "" },
    { transport: "quic", name: "quic", option: "--quic-server-address", prefix: "" },
    { transport: "http", name: "http", option: "--http-api-url", prefix: "http://" },
  ] as const)("iggy-cli 0.14.0 over $transport", ({ transport, name, option, prefix }) => {
    test("makes streams and topics, sends, polls, stores offsets, and says what is refused", async () => {
      const server = await servers.start({ shards: 2, env: { IGGY_QUIC_ENABLED: "true" } });
      // It keeps files in the home directory.
      const env = { ...process.env, HOME: servers.makeDirectory(), NO_COLOR: "1" };
      const address = `${prefix}${server.host}:${server.portOf(transport)}`;

      /** What a command says, with its exit code; the columns of tables are parted by one space. */
      const run = async (...command: readonly string[]) => {
        const login = command[0] === "-p" ? [] : ["-p", "iggy"];
        const child = Bun.spawn([program, "--transport", name, option, address, "-u", "iggy", ...login, ...command], {
          env,
          stdin: "ignore",
          stdout: "pipe",
          stderr: "pipe",
          timeout: commandTimeoutMs,
        });
        const [output, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
        return `${exitCode}: ${output}${errors}`.replaceAll(/[\s|]+/g, " ");
      };
      const says = async (command: readonly string[], ...texts: readonly string[]) => {
        const said = await run(...command);
        expect(said).toStartWith("0: ");
        for (const text of texts) expect(said).toContain(text);
      };

      await says(["ping", "-c", "2"], "Ping statistics for 2 ping commands");
      await says(["options", "topic"], "durability string replicated");
      await says(["stream", "create", "orders"], "created");
      await says(["topic", "create", "orders", "eu", "3", "gzip", "1day", "--durability", "persisted"], "created");
      await says(["topic", "get", "orders", "eu"], "Compression gzip", "Message expiry 1day", "Partitions count 3");
      await says(["message", "send", "--partition-id", "1", "orders", "eu", "one", "zwölf"], "Sent messages");
      await says(["message", "send", "--message-key", "user-42", "orders", "eu", "keyed"], "Sent messages");
      await says(["message", "send", "orders", "eu", "balanced"], "Sent messages");
      const polling = ["message", "poll", "--message-count", "5", "orders", "eu"];
      await says([...polling, "--offset", "0", "1"], "Polled 2 messages", " one ", " zwölf ");
      await says([...polling, "--offset", "1", "1"], "Polled 1 message ", " zwölf ");
      await says(["topic", "get", "orders", "eu"], "Topic message count 4");
      await says(["consumer-group", "create", "orders", "eu", "readers"], "created");
      await says(["consumer-group", "list", "orders", "eu"], "0 readers 3 0");
      await says(["consumer-offset", "set", "reader", "orders", "eu", "1", "1"], "set to 1");
      await says(["consumer-offset", "get", "reader", "orders", "eu", "1"], "Stored offset 1");
      await says(["partition", "create", "orders", "eu", "2"], "Created 2 partitions");
      await says(["user", "create", "somebody", "secret"], "created");
      // Over WebSocket these commands panic: "called `Option::unwrap()` on a `None` value".
      if (transport !== "websocket") {
        await says(["pat", "create", "token", "1day"], "created");
        await says(["pat", "list"], "token");
      }
      await says(["cluster", "metadata"], "leader healthy");
      await says(["stats"], "Messages");

      expect(await run("topic", "create", "orders", "us", "1", "none", "--set", "colour=green")).toMatch(
        /^1: .*(Unsupported option key|unsupported_option_key)/i,
      );
      expect(await run("stream", "create", "orders")).toMatch(/^1: .*already exists/i);
      expect(await run("-p", "wrong-password", "stream", "list")).toMatch(/^1: .*invalid.credentials/i);
      await says(["stream", "purge", "orders"], "purged");
      await says(["stream", "delete", "orders"], "deleted");
      await says(["stream", "get", "orders"], "was not found");
      await server.stop();
      expect(server.log).not.toMatch(/ ERROR /);
    }, 300_000);
  });
}
