import { afterAll, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { connect, createSecureContext } from "node:tls";
import {
  CertificateError,
  type CertificateFiles,
  type CertificatePair,
  loadCertificates,
  loadOrCreateCertificate,
  type MadeCertificate,
  ownFaultOf,
} from "../../src/security/certificates.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
const yearMs = 365 * 24 * 60 * 60 * 1000;
const directories: string[] = [];

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "whippet-certificates-"));
  directories.push(directory);
  return directory;
}

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function environment(directory = join(makeDirectory(), "certificates"), nowMs = Date.now()) {
  const made: string[] = [];
  const kept: string[] = [];
  const onMade = ({ reason, keptAs }: MadeCertificate) => {
    made.push(reason);
    kept.push(...keptAs);
  };
  return { directory, nowMs, made, kept, onMade };
}

const own = { files: undefined, selfSigned: true };

/** The files of a pair in a directory of their own. */
async function makeFiles(nowMs?: number) {
  const directory = makeDirectory();
  await loadOrCreateCertificate(own, environment(directory, nowMs));
  return { certFile: join(directory, "cert.pem"), keyFile: join(directory, "key.pem") };
}

function readPair({ certFile, keyFile }: CertificateFiles): CertificatePair {
  return { certPem: readFileSync(certFile, "utf8"), keyPem: readFileSync(keyFile, "utf8") };
}

function fingerprintOf({ certPem }: CertificatePair): string {
  return new X509Certificate(certPem).fingerprint256;
}

/** Fingerprint of the certificate that a TLS port of this machine shows. */
async function certificateOf(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function faultOf(work: Promise<unknown>): Promise<CertificateError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof CertificateError) return error;
  throw new Error(`a CertificateError was expected, not ${String(error)}`);
}

test("a made certificate is what the QUIC client of the Rust SDK accepts: P-256, no CA, loopback names", async () => {
  const { certPem } = await loadOrCreateCertificate(own, environment());
  const certificate = new X509Certificate(certPem);
  expect(certificate.publicKey.asymmetricKeyType).toBe("ec");
  expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  expect(certificate.ca).toBe(false);
  expect(certificate.checkHost("localhost")).toBe("localhost");
  expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(certificate.checkIP("::1")).toBe("::1");
});

test("a made pair is kept and used again; its private key is for the owner only", async () => {
  const where = environment();
  const first = await loadOrCreateCertificate(own, where);
  const second = await loadOrCreateCertificate(own, where);
  expect(second).toEqual(first);
  expect(where.made).toEqual(["there was none"]);
  expect(statSync(join(where.directory, "key.pem")).mode & 0o777).toBe(0o600);
  expect(readdirSync(where.directory).sort()).toEqual(["cert.pem", "key.pem"]);
});

test("an expired made pair is replaced, and says why", async () => {
  const where = environment();
  const first = await loadOrCreateCertificate(own, where);
  const later = { ...where, nowMs: Date.now() + 20 * yearMs };
  const second = await loadOrCreateCertificate(own, later);
  expect(second.certPem).not.toBe(first.certPem);
  expect(where.made[1]).toContain("expired");
  expect(where.kept).toEqual([]);
  expect(await loadOrCreateCertificate(own, later)).toEqual(second);
});

test("a made pair that was torn by a crash is replaced", async () => {
  const where = environment();
  await loadOrCreateCertificate(own, where);
  const other = await makeFiles();
  writeFileSync(join(where.directory, "key.pem"), readFileSync(other.keyFile));
  await loadOrCreateCertificate(own, where);
  expect(where.made).toHaveLength(2);
  expect(where.kept).toHaveLength(2);
});

/** The pair itself, as clients and servers of every transport check it. */
function isWorking({ certPem, keyPem }: CertificatePair): boolean {
  const certificate = new X509Certificate(certPem);
  createSecureContext({ cert: certPem, key: keyPem });
  return certificate.verify(certificate.publicKey) && certificate.checkPrivateKey(createPrivateKey(keyPem));
}

function withFlippedBit(bytes: Uint8Array, bit: number) {
  const flipped = Buffer.from(bytes);
  flipped[bit >> 3]! ^= 1 << (bit & 7);
  return flipped;
}

const filesOfPair = ["certFile", "keyFile"] as const;

test.each(filesOfPair)("any flipped bit in the %s of a made pair is found, or does no harm", async (which) => {
  const files = await makeFiles();
  const right = readPair(files);
  const bytes = readFileSync(files[which]);
  let harmlessCount = 0;
  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    const text = withFlippedBit(bytes, bit).toString();
    const pair = which === "certFile" ? { ...right, certPem: text } : { ...right, keyPem: text };
    if (ownFaultOf(pair, files, Date.now()) !== undefined) continue;
    harmlessCount++;
    expect({ bit, isWorking: isWorking(pair) }).toEqual({ bit, isWorking: true });
    expect(fingerprintOf(pair)).toBe(fingerprintOf(right));
  }
  // White space around the text.
  expect(harmlessCount).toBeLessThan(16);
});

test.each(
  filesOfPair,
)("a made pair with a flipped bit in the %s is kept aside and replaced, with a line", async (which) => {
  const files = await makeFiles();
  const right = readPair(files);
  const bytes = readFileSync(files[which]);
  for (let bit = 0; bit < bytes.byteLength * 8; bit += 97) {
    const where = environment(makeDirectory());
    const flipped = withFlippedBit(bytes, bit);
    writeFileSync(join(where.directory, "cert.pem"), which === "certFile" ? flipped : right.certPem);
    writeFileSync(join(where.directory, "key.pem"), which === "keyFile" ? flipped : right.keyPem);
    const pair = await loadOrCreateCertificate(own, where);
    expect({ bit, isWorking: isWorking(pair) }).toEqual({ bit, isWorking: true });
    if (fingerprintOf(pair) === fingerprintOf(right)) {
      expect(where.made).toEqual([]);
      continue;
    }
    expect(where.made).toHaveLength(1);
    expect(where.kept.map((path) => basename(path))).toEqual(["cert.pem.damaged-1", "key.pem.damaged-1"]);
    expect(readFileSync(where.kept[which === "certFile" ? 0 : 1]!)).toEqual(flipped);
    expect(await loadOrCreateCertificate(own, where)).toEqual(pair);
  }
}, 120_000);

test("a configured certificate that only a listener would refuse stops the start with its path too", async () => {
  const files = await makeFiles();
  const right = readFileSync(files.certFile);
  const reasons = new Set<string>();
  // Somewhere in the extensions are bits that the reader of the certificate lets pass.
  for (let bit = Math.floor(right.byteLength / 2) * 8; bit < right.byteLength * 8; bit++) {
    const flipped = withFlippedBit(right, bit);
    writeFileSync(files.certFile, flipped);
    const where = environment();
    try {
      const { certPem, keyPem } = await loadOrCreateCertificate({ files, selfSigned: true }, where);
      createSecureContext({ cert: certPem, key: keyPem });
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      expect([files.certFile, files.keyFile]).toContain(error.path);
      reasons.add(error.reason.replace(/\(.*/, ""));
    }
    expect([where.made, readFileSync(files.certFile)]).toEqual([[], flipped]);
  }
  expect(reasons).toContain("no TLS server can show it ");
});

test("a server whose made certificate is damaged starts with a new one, and warns", async () => {
  const server = await servers.start({ env: { IGGY_TCP_TLS_ENABLED: "true" } });
  const first = await certificateOf(server.port);
  await server.stop();
  const file = join(server.dataPath, "certificates/cert.pem");
  const bytes = readFileSync(file);
  bytes[bytes.byteLength - 60]! ^= 1;
  writeFileSync(file, bytes);
  await server.restart();
  expect(await certificateOf(server.port)).not.toBe(first);
  await server.logged(/ WARN .*the certificate was damaged and is replaced.*cert\.pem\.damaged-1/);
});

test("configured files are used when they exist, and missing ones only replaced where that is allowed", async () => {
  const files = await makeFiles();
  const where = environment();
  const pair = await loadOrCreateCertificate({ files, selfSigned: true }, where);
  expect(pair.certPem).toBe(readFileSync(files.certFile, "utf8"));
  expect(where.made).toEqual([]);

  const missing = { certFile: join(where.directory, "none.pem"), keyFile: join(where.directory, "none.key") };
  await loadOrCreateCertificate({ files: missing, selfSigned: true }, where);
  expect(where.made).toHaveLength(1);
  const error = await faultOf(loadOrCreateCertificate({ files: missing, selfSigned: false }, where));
  expect(error.path).toBe(missing.certFile);
  expect(error.message).toContain("does not exist");
});

test("files that cannot serve are refused with their path and the reason", async () => {
  const good = await makeFiles();
  const other = await makeFiles();
  const old = await makeFiles(Date.now() - 20 * yearMs);
  const future = await makeFiles(Date.now() + 20 * yearMs);
  const garbage = join(makeDirectory(), "garbage.pem");
  writeFileSync(garbage, "no PEM at all");
  const cases = [
    [{ ...good, certFile: garbage }, garbage, "not a PEM certificate"],
    [{ ...good, keyFile: garbage }, garbage, "not an unencrypted PEM private key"],
    [{ ...good, keyFile: `${garbage}.missing` }, `${garbage}.missing`, "does not exist"],
    [{ ...good, keyFile: other.keyFile }, other.keyFile, `not the key of ${good.certFile}`],
    [old, old.certFile, "expired on 20"],
    [future, future.certFile, "not valid before 20"],
    [{ ...good, certFile: makeDirectory() }, undefined, "cannot be read"],
  ] as const;
  for (const [files, path, reason] of cases) {
    const error = await faultOf(loadOrCreateCertificate({ files, selfSigned: true }, environment()));
    if (path !== undefined) expect(error.path).toBe(path);
    expect(error.message).toContain(reason);
  }
});

test("a directory that cannot be written is named", async () => {
  const directory = makeDirectory();
  writeFileSync(join(directory, "file"), "");
  const error = await faultOf(loadOrCreateCertificate(own, environment(join(directory, "file", "below"))));
  expect(error.path).toContain(directory);
});

test("a server whose certificate cannot be used names the file and the reason, and does not start", async () => {
  const expired = await makeFiles(Date.now() - 20 * yearMs);
  for (const [key, file] of [
    ["IGGY_TCP_TLS", expired.certFile],
    ["IGGY_WEBSOCKET_TLS", expired.certFile],
    ["IGGY_HTTP_TLS", expired.certFile],
  ] as const) {
    const env = { [`${key}_ENABLED`]: "true", [`${key}_CERT_FILE`]: file, [`${key}_KEY_FILE`]: expired.keyFile };
    const { exitCode, stderr } = await servers.run({ env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`whippet: certificate ${file}: it expired on`);
  }
});

test("a server reads its certificates again on SIGHUP and goes on with the earlier ones if they are wrong", async () => {
  const files = await makeFiles();
  const server = await servers.start({
    env: { IGGY_TCP_TLS_ENABLED: "true", IGGY_TCP_TLS_CERT_FILE: files.certFile, IGGY_TCP_TLS_KEY_FILE: files.keyFile },
  });
  const shown = () => certificateOf(server.port);
  const first = new X509Certificate(readFileSync(files.certFile)).fingerprint256;
  expect(await shown()).toBe(first);

  writeFileSync(files.certFile, "no PEM at all");
  process.kill(server.pid, "SIGHUP");
  await eventually(
    "log",
    () => server.log,
    (log) => /ERROR.*certificates cannot be read again.*not a PEM certificate/.test(log),
  );
  expect(await shown()).toBe(first);

  const other = await makeFiles();
  writeFileSync(files.keyFile, readFileSync(other.keyFile));
  writeFileSync(files.certFile, readFileSync(other.certFile));
  process.kill(server.pid, "SIGHUP");
  await eventually("the new certificate", shown, (fingerprint) => fingerprint !== first);
  expect(await shown()).toBe(new X509Certificate(readFileSync(other.certFile)).fingerprint256);
});

test("one pair serves every transport unless the files differ", async () => {
  const files = await makeFiles();
  const where = environment();
  const shared = { files: undefined, selfSigned: true };
  const pairs = await loadCertificates({ tcp: shared, quic: shared, http: { files, selfSigned: false } }, where);
  expect(pairs.tcp).toEqual(pairs.quic!);
  expect(pairs.http?.certPem).toBe(readFileSync(files.certFile, "utf8"));
  expect(pairs.http).not.toEqual(pairs.tcp!);
  expect(where.made).toHaveLength(1);
  expect("websocket" in pairs).toBe(false);
});
