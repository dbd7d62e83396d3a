// The settings as the console shows them: every key, where its value comes from, and no secret.
import { expect, setDefaultTimeout, test } from "bun:test";
import { parse } from "toml";
import { loadConfig } from "../../src/config/load.ts";
import { renderDefaultConfig } from "../../src/config/render.ts";
import { settingOriginsOf, settingsOf } from "../../src/config/settings.ts";
import type { ConfigReply } from "../../src/protocol/console/config.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

setDefaultTimeout(120_000);

const servers = useServers();
const secret = "a secret of this test that nobody may see";

/** Dotted keys of a table, lists of tables as one. */
function keysOf(table: object, path = ""): string[] {
  return Object.entries(table).flatMap(([name, value]: [string, unknown]) => {
    const key = path === "" ? name : `${path}.${name}`;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? keysOf(value, key) : [key];
  });
}

test("every key of the configuration file is there, with its default", () => {
  const loaded = loadConfig({ environment: { IGGY_CONFIG_PATH: "/dev/null" }, workingDirectory: "/" });
  const settings = settingsOf(loaded.config, settingOriginsOf(loaded));
  const known = new Set(settings.map(({ key }) => key));
  const written = keysOf(parse(renderDefaultConfig()) as object);
  expect(written.length).toBeGreaterThan(100);
  expect(written.filter((key) => !known.has(key))).toEqual([]);
  expect(settings.filter(({ from, isChanged }) => from !== "default" || isChanged)).toEqual([]);
});

test("says what was given and where, masks secrets, and is for who may read servers", async () => {
  const server = await servers.start({
    env: {
      IGGY_HTTP_WEB_UI_LABEL: "staging",
      IGGY_HTTP_JWT_ENCODING_SECRET: secret,
      IGGY_HTTP_JWT_DECODING_SECRET: secret,
    },
  });
  const client = await ConsoleTestClient.signIn(server);
  const { text, json } = await client.request("GET", "/ui/api/config");
  const { items, certificates } = json as ConfigReply;
  const find = (key: string) => items.find((item) => item.key === key);
  expect(find("http.web_ui_label")).toMatchObject({ value: '"staging"', from: "environment", isChanged: true });
  expect(find("http.jwt.encoding_secret")).toMatchObject({ value: '"******"', from: "environment" });
  expect(find("tcp.enabled")).toMatchObject({ value: "true", from: "default", isChanged: false });
  expect(find("observability.history.memory")).toMatchObject({ value: '"16 MiB"' });
  expect(text).not.toContain(secret);
  expect(certificates).toEqual([]);

  const root = await server.connect();
  await root.createUser({ username: "ann", password: "secret", permissions: { global: noGlobalRights, streams: [] } });
  const ann = await ConsoleTestClient.signIn(server, { username: "ann", password: "secret" });
  expect((await ann.request("GET", "/ui/api/config")).status).toBe(403);
  expect((await new ConsoleTestClient(server).request("GET", "/ui/api/config")).status).toBe(401);
  root.close();
});

test("says when the certificates end that transports show", async () => {
  const server = await servers.start({ env: { IGGY_TCP_TLS_ENABLED: "true" } });
  const client = await ConsoleTestClient.signIn(server);
  const { certificates } = (await client.request("GET", "/ui/api/config")).json as ConfigReply;
  expect(certificates.map(({ transport }) => transport)).toEqual(["tcp"]);
  expect(Number(certificates[0]!.endsAt) / 1000).toBeGreaterThan(Date.now());
});
