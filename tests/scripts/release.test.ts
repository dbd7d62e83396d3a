// The parts of a release. Nothing is fetched or built here: the release script itself checks what it has built.
import { describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { changesOf } from "../../scripts/release/change-log.ts";
import { checksumsOf, SigningKeyError, signatureOf } from "../../scripts/release/checksums.ts";
import { noticesOf, renderNotices } from "../../scripts/release/notices.ts";
import { readReleaseOptions } from "../../scripts/release/options.ts";
import { isIntact, type Lock, lockedPackage } from "../../scripts/release/packages.ts";
import { formatOf, headBytes, platforms } from "../../scripts/release/platforms.ts";
import { namedSbom } from "../../scripts/release/sbom.ts";
import { read, root } from "../docs/markdown.ts";

const lock = JSON.parse(read("package-lock.json")) as Lock;

async function inDirectory<T>(use: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "whippet-release-test-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("the platforms", () => {
  test("have their runtimes in package-lock.json, in the versions of package.json", () => {
    for (const { bunPackage, enginePackage } of platforms) {
      expect(lockedPackage(lock, bunPackage).version).toBe(packageJson.dependencies.bun);
      expect(lockedPackage(lock, enginePackage).version).toBe(packageJson.dependencies.deno);
    }
    expect(() => lockedPackage(lock, "@oven/bun-plan9")).toThrow("does not name @oven/bun-plan9");
  });

  test("are told by the first bytes of a file", () => {
    const headOf = (...bytes: readonly (readonly [number, number])[]) => {
      const view = new DataView(new ArrayBuffer(headBytes));
      for (const [offset, byte] of bytes) view.setUint8(offset, byte);
      return new Uint8Array(view.buffer);
    };
    const elf = [
      [0, 0x7f],
      [1, 0x45],
      [2, 0x4c],
      [3, 0x46],
    ] as const;
    const mach = [
      [0, 0xcf],
      [1, 0xfa],
      [2, 0xed],
      [3, 0xfe],
    ] as const;
    const formats = [
      formatOf(headOf(...elf, [18, 0x3e])),
      formatOf(headOf(...elf, [18, 0xb7])),
      formatOf(headOf(...mach, [4, 0x0c], [7, 0x01])),
    ];
    expect(formats).toEqual(platforms.map(({ format }) => format));
    for (const head of [headOf(...elf, [18, 0x28]), headOf(), headOf(...mach), headOf().subarray(1)]) {
      expect(formatOf(head)).toBe("unknown");
    }
  });

  test("are all built, or those that are named", () => {
    expect(readReleaseOptions([])).toEqual({ directory: "dist/release", platforms, keyPath: undefined });
    const options = readReleaseOptions(["--platform", "darwin-arm64", "--out", "o", "--sign-with", "k.pem"]);
    expect(options).toEqual({ directory: "o", platforms: [platforms[2]!], keyPath: "k.pem" });
    expect(() => readReleaseOptions(["--platform", "sunos-sparc"])).toThrow(
      "known are linux-x64, linux-arm64, darwin-arm64",
    );
    expect(() => readReleaseOptions(["--sgn-with", "k.pem"])).toThrow();
  });
});

test("a package is taken only with the bytes that the lock means", () => {
  const bytes = new TextEncoder().encode("package");
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  expect(isIntact(bytes, integrity)).toBe(true);
  expect(isIntact(bytes.subarray(1), integrity)).toBe(false);
  expect(isIntact(bytes, `sha1-${createHash("sha1").update(bytes).digest("base64")}`)).toBe(false);
  expect(isIntact(bytes, "")).toBe(false);
});

describe("checksums", () => {
  test("are in order of names, as sha256sum writes them", () =>
    inDirectory(async (directory) => {
      writeFileSync(join(directory, "b"), "two\n");
      writeFileSync(join(directory, "a"), "");
      expect(await checksumsOf(directory, ["b", "a"])).toBe(
        [
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n",
          "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a  b\n",
        ].join(""),
      );
    }));

  test("are signed with Ed25519 and nothing else", () => {
    const pair = generateKeyPairSync("ed25519");
    const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" });
    const signature = signatureOf("hash  name\n", String(pem));
    expect(signature).toHaveLength(64);
    expect(verify(null, Buffer.from("hash  name\n"), pair.publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.from("hash  other\n"), pair.publicKey, signature)).toBe(false);
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    });
    expect(() => signatureOf("", String(other))).toThrow(SigningKeyError);
  });
});

describe("the changes of a release", () => {
  const log =
    "# Changelog\n\n## Unreleased\n\n- soon\n\n## 1.1.0 - 2026-10-01\n\n### Added\n\n- new\n\n## [1.0.0]\n\n- old\n";

  test("are those below its heading, or what is not released yet", () => {
    expect(changesOf(log, "1.1.0")).toBe("### Added\n\n- new\n");
    expect(changesOf(log, "1.0.0")).toBe("- old\n");
    expect(changesOf(log, "1.2.0")).toBe("- soon\n");
    expect(() => changesOf("# Changelog\n", "1.0.0")).toThrow("no section for 1.0.0");
  });

  test("are there for this version", () => {
    expect(changesOf(read("CHANGELOG.md"), packageJson.version).length).toBeGreaterThan(20);
  });
});

describe("notices", () => {
  test("name what an executable may hold, with the texts that packages carry", () =>
    inDirectory((directory) => {
      mkdirSync(join(directory, "node_modules/a"), { recursive: true });
      writeFileSync(join(directory, "node_modules/a/LICENSE.md"), "Text of A\n");
      writeFileSync(join(directory, "node_modules/a/index.js"), "");
      const packages = {
        "": { version: "1.0.0" },
        "node_modules/b/node_modules/a": { version: "3.0.0" },
        "node_modules/a": { version: "2.0.0", license: "MIT" },
        "node_modules/for-tests": { version: "1.0.0", dev: true },
        "node_modules/for-types": { version: "1.0.0", devOptional: true },
        "node_modules/of-others": { version: "1.0.0", peer: true },
        "node_modules/@deno/win32-x64": { version: "1.0.0", optional: true, os: ["win32"] },
        "node_modules/@deno/darwin-arm64": { version: "1.0.0", license: "MIT", optional: true, os: ["darwin"] },
      };
      const notices = noticesOf({ packages }, directory);
      expect(notices).toEqual([
        { name: "@deno/darwin-arm64", version: "1.0.0", license: "MIT", texts: [] },
        { name: "a", version: "3.0.0", license: "not stated", texts: [] },
        { name: "a", version: "2.0.0", license: "MIT", texts: ["Text of A"] },
      ]);
      const text = renderNotices(notices, "Runtimes.\n");
      expect(text).toStartWith("Third-party notices of Whippet\n\nRuntimes.\n\n---");
      expect(text).toContain("\na 2.0.0\nLicence: MIT\n\nText of A\n");
    }));

  test("of this repository have every dependency that package.json names, and no tool or other system", () => {
    const names = new Set(noticesOf(lock, root).map(({ name }) => name));
    expect(Object.keys(packageJson.dependencies).filter((name) => !names.has(name))).toEqual([]);
    expect([...names].filter((name) => /biome|playwright|win32|windows|freebsd/.test(name))).toEqual([]);
  });
});

test("the bill of materials has the name of the product, not that of a directory", () => {
  const component = { name: "clone", version: "1.0.0" };
  const bom = { bomFormat: "CycloneDX", metadata: { timestamp: "now", component }, components: [{ name: "a" }] };
  expect(JSON.parse(namedSbom(JSON.stringify(bom), "whippet"))).toEqual({
    ...bom,
    metadata: { timestamp: "now", component: { name: "whippet", version: "1.0.0" } },
  });
  expect(() => namedSbom('{"bomFormat":"SPDX"}', "whippet")).toThrow("CycloneDX");
});
