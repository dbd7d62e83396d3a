// What clients without a login may send, right at first and then damaged: requests with their frames, and bodies of the public
// HTTP routes. Everything follows from a seed.
import type { Random } from "../../src/platform/random.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame, type FrameKind } from "../../src/protocol/frame.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { mutate } from "./mutate.ts";

/** A long run multiplies what a test sends: `WHIPPET_FUZZ_TIMES=10` is 10^7 inputs in all. */
export const fuzzTimes = Number(process.env.WHIPPET_FUZZ_TIMES ?? 1);
/** Another seed, other inputs. */
export const fuzzSeed = Number(process.env.WHIPPET_FUZZ_SEED ?? 1);

/** The name is shorter than any that is looked up. */
const login = encode(commandCodecs.loginUser.request, {
  username: "no",
  password: "secret",
  version: "0.8.0",
  context: "fuzz",
});
const tokenLogin = encode(commandCodecs.loginWithPersonalAccessToken.request, { token: "no such token" });

const requests: readonly { readonly code: number; readonly payload: Uint8Array }[] = [
  { code: CommandCode.loginUser, payload: login },
  { code: CommandCode.loginWithPersonalAccessToken, payload: tokenLogin },
  { code: CommandCode.ping, payload: new Uint8Array(0) },
  { code: CommandCode.getStreams, payload: new Uint8Array(0) },
  { code: CommandCode.sendMessages, payload: new Uint8Array(40).fill(1) },
  { code: 999, payload: new Uint8Array(10) },
];

export interface AnonymousRequest {
  readonly code: number;
  readonly payload: Uint8Array;
}

/** Names of users have as many bytes at least. */
const nameBytesMin = 3;

/** Whether a server would look the credentials up: it does so slowly, and ever more slowly, by design. */
function isLookedUp({ code, payload }: AnonymousRequest): boolean {
  try {
    if (code === CommandCode.loginWithPersonalAccessToken) {
      decode(commandCodecs.loginWithPersonalAccessToken.request, payload);
      return true;
    }
    if (code !== CommandCode.loginUser) return false;
    return Buffer.byteLength(decode(commandCodecs.loginUser.request, payload).username) >= nameBytesMin;
  } catch {
    return false;
  }
}

export function anonymousRequest(random: Random): AnonymousRequest {
  const { code, payload } = requests[random.u32() % requests.length]!;
  return { code: random.u32() % 16 === 0 ? random.u32() : code, payload: mutate(payload, random) };
}

/** As `anonymousRequest`, without those that a server answers slowly by design. */
export function quickRequest(random: Random): AnonymousRequest {
  for (;;) {
    const request = anonymousRequest(random);
    if (!isLookedUp(request)) return request;
  }
}

/** The frame is right, whatever is in it. */
export function framed({ code, payload }: AnonymousRequest, kind: FrameKind = "sdk"): Uint8Array {
  return encodeRequestFrame(code, payload, kind);
}

/** Bytes of which nobody can say where a request ends: damaged frames, or noise. */
export function broken(random: Random): Uint8Array {
  if (random.u32() % 4 === 0) {
    const noise = new Uint8Array(1 + (random.u32() % 300));
    random.fill(noise);
    return noise;
  }
  return mutate(framed(quickRequest(random)), random);
}

const bodies = [
  '{"username":"no","password":"secret","version":"0.8.0","context":"fuzz"}',
  '{"username":"no","password":"a\\u00e9\\ud83d\\ude00\\n","version":null}',
  '{"token":"no such token"}',
  '{"unknown":[{"a":[1,-2.5e3,true,false,null,""]},{}],"token":"x"}',
  '{"__proto__":{"a":1},"constructor":0,"4294967294":1}',
];
const pieces = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\\u",
  "null",
  "1e999",
  "-",
  "0",
  '"username":',
  "\u0000",
  "é",
];

/** A body of a public route: JSON, nearly JSON, or neither. */
export function publicBody(random: Random): string {
  const text = bodies[random.u32() % bodies.length]!;
  const kind = random.u32() % 4;
  if (kind === 0) return text;
  if (kind === 1) return new TextDecoder().decode(mutate(new TextEncoder().encode(text), random));
  let changed = text;
  for (let change = 1 + (random.u32() % 4); change > 0; change--) {
    const at = random.u32() % (changed.length + 1);
    const piece = pieces[random.u32() % pieces.length]!;
    const count = random.u32() % 32 === 0 ? 200 : 1;
    changed = changed.slice(0, at) + piece.repeat(count) + changed.slice(at + (random.u32() % 3));
  }
  return changed;
}

/** Whether a server would look up what is in the body. */
function hasCredentials(body: string): boolean {
  try {
    const { username, token } = JSON.parse(body);
    return typeof token === "string" || (typeof username === "string" && Buffer.byteLength(username) >= nameBytesMin);
  } catch {
    return false;
  }
}

/** As `publicBody`, without those that a server answers slowly by design. */
export function quickBody(random: Random): string {
  for (;;) {
    const body = publicBody(random);
    if (!hasCredentials(body)) return body;
  }
}
