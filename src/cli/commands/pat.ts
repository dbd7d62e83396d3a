// `whippet pat …`: personal access tokens.

import { type Command, serverCommand } from "../command.ts";
import { tokenService } from "../credentials.ts";
import { timeText } from "../output/words.ts";
import { flag, listMode, required, rest } from "../parameters.ts";
import { Problem } from "../problem.ts";
import { UsageError } from "../usage-error.ts";
import { nonEmpty, text, tokenExpiry } from "../values.ts";

const name = required(nonEmpty, "What it is called (3 to 30 characters)");

/** The words behind the command are one duration; none is for ever. */
export function expiryOf(words: readonly string[]): bigint | undefined {
  if (words.length === 0) return undefined;
  try {
    return tokenExpiry(words.join(" "));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`<expiry> "${words.join(" ")}" ${error.message}`);
  }
}

/** Never as it is said of tokens. */
function untilText(expiryAtMicros: bigint): string {
  return expiryAtMicros === 0n ? "unlimited" : timeText(expiryAtMicros);
}

const create = serverCommand({
  words: ["pat", "create"],
  alias: "c",
  summary: "Make a token that a program logs in with",
  details: [
    "The token is shown once: the server does not keep it. With -q nothing but the token is written.",
    "With -s it is kept in the key ring (or credentials.toml) and not shown; -n NAME logs in with it.",
  ].join("\n"),
  examples: ["pat create deploy 30days -q", "pat create backup -s", "-n backup stream list"],
  arguments: { name, expiry: rest(text, "How long it is good for: 30days, 1day 12h, none (none)") },
  options: { isStored: flag("-s, --store-token", "Keep it here instead of showing it; only without an expiry") },
  async run(client, args, output, session) {
    const expiryMicros = expiryOf(args.expiry);
    if (args.isStored && expiryMicros !== undefined) {
      throw new Problem("a token with an expiry is not kept: leave out -s or the expiry", { exitCode: 2 });
    }
    const token = await client.createPersonalAccessToken(args.name, expiryMicros ?? 0n);
    const until = expiryMicros ? `, good for ${args.expiry.join(" ")}` : "";
    if (args.isStored) {
      const { address } = await session.target();
      const place = await session.credentials.keep(tokenService(address), args.name, token);
      return output.say(`Created token ${args.name}${until}; it is in ${place}: whippet -n ${args.name} …`);
    }
    if (output.format === "json" || output.format === "ndjson" || output.format === "toml") {
      return output.show({ document: { name: args.name, token }, shown: [token] });
    }
    await output.say(`Created token ${args.name}${until}. It is shown once:`);
    await output.bytes(`${token}\n`);
  },
});

const remove = serverCommand({
  words: ["pat", "delete"],
  alias: "d",
  summary: "Delete a token, on the server and here",
  examples: ["pat delete deploy", "-u ann pat delete backup"],
  arguments: { name },
  async run(client, args, output, session) {
    const tokens = await client.getPersonalAccessTokens();
    if (!tokens.some((token) => token.name === args.name)) {
      throw Problem.missing(
        `no token "${args.name}"`,
        args.name,
        tokens.map((token) => token.name),
      );
    }
    await client.deletePersonalAccessToken(args.name);
    const { address } = await session.target();
    await session.credentials.forget(tokenService(address), args.name);
    await output.say(`Deleted token ${args.name}.`);
  },
});

const list = serverCommand({
  words: ["pat", "list"],
  alias: "l",
  summary: "List your own tokens",
  examples: ["pat list", "pat list --json"],
  options: { listMode },
  async run(client, args, output) {
    const tokens = await client.getPersonalAccessTokens();
    await output.as(args.listMode).show({
      document: tokens.map((token) => ({
        name: token.name,
        expiry_at: token.expiryAtMicros === 0n ? null : token.expiryAtMicros,
      })),
      shown: [
        {
          columns: [{ head: "NAME" }, { head: "UNTIL" }],
          rows: tokens.map((token) => [token.name, untilText(token.expiryAtMicros)]),
        },
      ],
      list: tokens.map((token) => [token.name, untilText(token.expiryAtMicros)]),
    });
  },
});

export const commands: readonly Command[] = [create, remove, list];
