// The version of the protocol that a client of 0.9 names when it logs in (spec P9 4.2).

/** Packed form on the wire: major x 2^20 + minor x 2^10 + patch. */
export function packVersion(major: number, minor: number, patch: number): number {
  return major * 2 ** 20 + minor * 2 ** 10 + patch;
}

/** What the server calls itself, and also newest and oldest version in the eviction of a client of another one. */
export const protocolVersion = packVersion(0, 11, 0);

/** Whether a client of this packed version is let in: every patch of the server's own minor version. */
export function isAcceptedVersion(version: number): boolean {
  return version >>> 10 === protocolVersion >>> 10;
}
