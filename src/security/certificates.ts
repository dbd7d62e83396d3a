// The certificate that a transport shows: files of the operator's, or a pair that the broker makes when it is first needed,
// keeps below the data directory and uses for every transport, so that a client can trust it once. What the QUIC client of
// the Rust SDK accepts decides the kind: ECDSA P-256, no CA, and the names of this machine's loopback.
import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { freePath } from "../platform/disk.ts";
import { makeLoopbackCertificate } from "./made-certificate.ts";

/** Certificate chain (leaf first) and private key, PEM. */
export interface CertificatePair {
  readonly certPem: string;
  readonly keyPem: string;
}

export function isSamePair(left: CertificatePair, right: CertificatePair): boolean {
  return left.certPem === right.certPem && left.keyPem === right.keyPem;
}

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What one transport is configured to use (spec SB 9.1). */
export interface CertificateChoice {
  /** Undefined: the files are not looked at. */
  readonly files: CertificateFiles | undefined;
  /** Whether the broker's own pair takes the place of a certificate file that does not exist. */
  readonly selfSigned: boolean;
}

export interface CertificateEnvironment {
  /** Where the broker's own pair is kept; made when it is needed. */
  readonly directory: string;
  readonly nowMs: number;
  /** Told when a pair is made or replaced. */
  readonly onMade: (event: MadeCertificate) => void;
}

export interface MadeCertificate {
  readonly path: string;
  readonly reason: string;
  /** Where the files of a pair that was damaged are now; none when that is not why a pair was made. */
  readonly keptAs: readonly string[];
}

export class CertificateError extends Error {
  override readonly name = "CertificateError";
  readonly path: string;
  readonly reason: string;
  /** The files are as they were made, at another time. */
  readonly isOutOfDate: boolean;

  constructor(
    path: string,
    reason: string,
    options: { readonly cause?: unknown; readonly isOutOfDate?: boolean } = {},
  ) {
    super(`certificate ${path}: ${reason}`, { cause: options.cause });
    this.path = path;
    this.reason = reason;
    this.isOutOfDate = options.isOutOfDate ?? false;
  }
}

const certFileName = "cert.pem";
const keyFileName = "key.pem";
const dayMs = 24 * 60 * 60 * 1000;
/** Clients whose clock is behind accept a new certificate too. */
const validBeforeMs = dayMs;
const validAfterMs = 3650 * dayMs;

/**
 * The pair for each name in `choices`; names that come to the same files share one object. Throws `CertificateError` when a
 * file cannot be read, is no PEM, has expired, is not valid yet, or does not belong to the other.
 */
export async function loadCertificates<Name extends string>(
  choices: Readonly<Partial<Record<Name, CertificateChoice>>>,
  environment: CertificateEnvironment,
): Promise<Partial<Record<Name, CertificatePair>>> {
  const pairs: Partial<Record<Name, CertificatePair>> = {};
  const loaded = new Map<string, CertificatePair>();
  for (const name in choices) {
    const choice = choices[name];
    if (choice === undefined) continue;
    const key = JSON.stringify([choice.files?.certFile, choice.files?.keyFile, choice.selfSigned]);
    const pair = loaded.get(key) ?? (await loadOrCreateCertificate(choice, environment));
    loaded.set(key, pair);
    pairs[name] = pair;
  }
  return pairs;
}

/** The pair of one transport. Throws `CertificateError`. */
export async function loadOrCreateCertificate(
  choice: CertificateChoice,
  environment: CertificateEnvironment,
): Promise<CertificatePair> {
  const { files, selfSigned } = choice;
  if (files !== undefined) {
    const certPem = await readText(files.certFile);
    if (certPem !== undefined) {
      const keyPem = await readText(files.keyFile);
      if (keyPem === undefined) throw new CertificateError(files.keyFile, "the private key file does not exist");
      const pair = { certPem, keyPem };
      const fault = faultOf(pair, files, environment.nowMs);
      if (fault !== undefined) throw fault;
      return pair;
    }
    if (!selfSigned) throw new CertificateError(files.certFile, "the file does not exist");
  }
  return await ownCertificate(environment);
}

/** The kept pair, or a new one where there is none that can be used: damage of its files stops no start. */
async function ownCertificate({ directory, nowMs, onMade }: CertificateEnvironment): Promise<CertificatePair> {
  const files = { certFile: join(directory, certFileName), keyFile: join(directory, keyFileName) };
  const certPem = await readText(files.certFile);
  const keyPem = await readText(files.keyFile);
  let reason = "there was none";
  let isDamaged = false;
  if (certPem !== undefined && keyPem !== undefined) {
    const pair = { certPem, keyPem };
    const fault = ownFaultOf(pair, files, nowMs);
    if (fault === undefined) return pair;
    reason = fault.reason;
    isDamaged = !fault.isOutOfDate;
  }
  const pair = makeLoopbackCertificate(nowMs - validBeforeMs, nowMs + validAfterMs);
  let keptAs: string[];
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // A crash in between leaves no pair, or two files that do not belong together, which the next start replaces.
    keptAs = isDamaged ? [await setAside(files.certFile), await setAside(files.keyFile)] : [];
    await writeAtomically(files.keyFile, pair.keyPem, 0o600);
    await writeAtomically(files.certFile, pair.certPem, 0o644);
  } catch (error) {
    throw new CertificateError(directory, `a new pair cannot be written (${textOf(error)})`, { cause: error });
  }
  onMade({ path: files.certFile, reason, keptAs });
  return pair;
}

/**
 * What is wrong with a pair that the broker made; undefined when a server can use it now. A made certificate is signed with
 * its own key, so that a flipped bit shows wherever it is.
 */
export function ownFaultOf(
  pair: CertificatePair,
  files: CertificateFiles,
  nowMs: number,
): CertificateError | undefined {
  const isWhole = attempt(() => {
    const certificate = new X509Certificate(pair.certPem);
    return certificate.verify(certificate.publicKey);
  });
  if (isWhole === true) return faultOf(pair, files, nowMs);
  const options = isWhole === false ? {} : { cause: isWhole };
  return new CertificateError(files.certFile, "it is damaged: its signature is not that of its key", options);
}

/** When a certificate, one that was found to serve, ends: seconds of Unix time. */
export function expiryOf(certPem: string): number {
  return Date.parse(new X509Certificate(certPem).validTo) / 1000;
}

/** Gives the name that the file has now. */
async function setAside(path: string): Promise<string> {
  const keptAs = freePath({ exists: existsSync }, `${path}.damaged`);
  await rename(path, keptAs);
  return keptAs;
}

/** What is wrong with a pair; undefined when a server can use it now. */
function faultOf(pair: CertificatePair, files: CertificateFiles, nowMs: number): CertificateError | undefined {
  const { certFile, keyFile } = files;
  const certificate = attempt(() => new X509Certificate(pair.certPem));
  if (certificate instanceof Error) {
    return new CertificateError(certFile, "not a PEM certificate", { cause: certificate });
  }
  const key = attempt(() => createPrivateKey(pair.keyPem));
  if (key instanceof Error) {
    return new CertificateError(keyFile, "not an unencrypted PEM private key", { cause: key });
  }
  const isOutOfDate = true;
  if (Date.parse(certificate.validTo) <= nowMs) {
    return new CertificateError(certFile, `it expired on ${dateOf(certificate.validTo)}`, { isOutOfDate });
  }
  if (Date.parse(certificate.validFrom) > nowMs) {
    return new CertificateError(certFile, `it is not valid before ${dateOf(certificate.validFrom)}`, { isOutOfDate });
  }
  if (!certificate.checkPrivateKey(key)) return new CertificateError(keyFile, `it is not the key of ${certFile}`);
  // The reader above lets more pass than a listener does, which would not say whose fault it is.
  const context = attempt(() => createSecureContext({ cert: pair.certPem, key: pair.keyPem }));
  if (context instanceof Error) {
    return new CertificateError(certFile, `no TLS server can show it (${context.message})`, { cause: context });
  }
  return undefined;
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function dateOf(text: string): string {
  return new Date(text).toISOString();
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Undefined: there is no such file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CertificateError(path, `cannot be read (${textOf(error)})`, { cause: error });
  }
}

async function writeAtomically(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
