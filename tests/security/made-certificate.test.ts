import { describe, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { makeLoopbackCertificate } from "../../src/security/made-certificate.ts";

const dayMs = 86_400_000;

describe("a certificate that the broker makes", () => {
  test.each([
    ["of this century's first half", "2026-11-29T20:36:46Z", "2036-11-26T20:36:46Z"],
    ["that ends in the last second that is written with two digits", "2024-02-29T00:00:00Z", "2049-12-31T23:59:59Z"],
    ["that ends in the first one that needs four", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z"],
    ["that begins behind it", "2050-01-01T00:00:00Z", "2060-06-30T12:30:59Z"],
  ])("has the times that it was asked for, %s", (_name, notBefore, notAfter) => {
    const { certPem } = makeLoopbackCertificate(Date.parse(notBefore), Date.parse(notAfter));
    const { validFrom, validTo } = new X509Certificate(certPem);
    expect([Date.parse(validFrom), Date.parse(validTo)]).toEqual([Date.parse(notBefore), Date.parse(notAfter)]);
  });

  test("is signed with its own key, has a number of its own, and says what it may be used for", () => {
    const nowMs = Date.now();
    const serials = new Set<string>();
    for (let count = 0; count < 50; count++) {
      const { certPem, keyPem } = makeLoopbackCertificate(nowMs - dayMs, nowMs + dayMs);
      const certificate = new X509Certificate(certPem);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
      expect(certificate.issuer).toBe("CN=localhost");
      expect(certificate.subject).toBe("CN=localhost");
      expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
      expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      serials.add(certificate.serialNumber);
    }
    expect(serials.size).toBe(50);
  });
});
