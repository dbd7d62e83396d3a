// Makes the broker's own certificate: self-signed, ECDSA P-256 with SHA-256, for this machine's loopback (RFC 5280 in DER). A library
// for any kind of certificate took longer to load than the rest of a first start.
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** Chain of one certificate, and its private key (PKCS #8), PEM. */
export interface MadePair {
  readonly certPem: string;
  readonly keyPem: string;
}

const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;
/** Context-specific: of the version and the extensions of a certificate, and of the kinds of names. */
const versionTag = 0xa0;
const extensionsTag = 0xa3;
const dnsNameTag = 0x82;
const ipAddressTag = 0x87;

const signatureOid = "1.2.840.10045.4.3.2"; // ecdsa-with-SHA256
const commonNameOid = "2.5.4.3";
const basicConstraintsOid = "2.5.29.19";
const keyUsageOid = "2.5.29.15";
const extKeyUsageOid = "2.5.29.37";
const subjectAltNameOid = "2.5.29.17";
const serverAuthOid = "1.3.6.1.5.5.7.3.1";

const version3 = 2;
const serialBytes = 16;
/** Years from here on are written with four digits. */
const firstFourDigitYear = 2050;
/** The first bit, of eight: seven are not used. */
const digitalSignature = [7, 0x80];
const loopbackName = "localhost";
const loopbackAddresses = [
  [127, 0, 0, 1],
  [...new Array<number>(15).fill(0), 1],
];
const pemLineChars = 64;

/** A new key pair and a certificate for it, valid from `notBeforeMs` to `notAfterMs` (Unix time), to the second. */
export function makeLoopbackCertificate(notBeforeMs: number, notAfterMs: number): MadePair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(objectIdentifier(signatureOid));
  const name = sequence(
    der(Tag.set, sequence(objectIdentifier(commonNameOid), der(Tag.utf8String, Buffer.from(loopbackName)))),
  );
  const toBeSigned = sequence(
    der(versionTag, der(Tag.integer, Buffer.of(version3))),
    der(Tag.integer, serialNumber()),
    algorithm,
    name,
    sequence(time(notBeforeMs), time(notAfterMs)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(extensionsTag, sequence(...extensions())),
  );
  const signature = sign("sha256", toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, algorithm, der(Tag.bitString, Buffer.of(0), signature));
  return { certPem: pemOf(certificate), keyPem: String(privateKey.export({ type: "pkcs8", format: "pem" })) };
}

function extensions(): Buffer[] {
  const names = [
    der(dnsNameTag, Buffer.from(loopbackName)),
    ...loopbackAddresses.map((address) => der(ipAddressTag, Buffer.from(address))),
  ];
  return [
    extension(basicConstraintsOid, true, sequence()), // no CA
    extension(keyUsageOid, true, der(Tag.bitString, Buffer.from(digitalSignature))),
    extension(extKeyUsageOid, false, sequence(objectIdentifier(serverAuthOid))),
    extension(subjectAltNameOid, false, sequence(...names)),
  ];
}

function extension(oid: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(Tag.boolean, Buffer.of(0xff))] : [];
  return sequence(objectIdentifier(oid), ...critical, der(Tag.octetString, value));
}

/** Positive, without a leading zero byte. */
function serialNumber(): Buffer {
  const bytes = randomBytes(serialBytes);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function time(ms: number): Buffer {
  const date = new Date(ms);
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  if (date.getUTCFullYear() >= firstFourDigitYear) return der(Tag.generalizedTime, Buffer.from(digits));
  return der(Tag.utcTime, Buffer.from(digits.slice(2)));
}

function objectIdentifier(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split(".").map(Number);
  return der(Tag.objectIdentifier, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Seven bits a byte; all but the last have the highest bit set. */
function base128(number: number): number[] {
  const bytes = [number & 0x7f];
  for (let left = number >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(Tag.sequence, ...parts);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.byteLength)]), content]);
}

function lengthOf(bytesCount: number): number[] {
  if (bytesCount < 0x80) return [bytesCount];
  const bytes: number[] = [];
  for (let left = bytesCount; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

function pemOf(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(new RegExp(`.{1,${pemLineChars}}`, "g")) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
