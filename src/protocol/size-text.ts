// Sizes in replies: exact, with the largest unit that needs at most three decimals (spec HA 1.6).

const units: readonly (readonly [name: string, sizeBytes: bigint])[] = [
  ["EiB", 1024n ** 6n],
  ["EB", 1000n ** 6n],
  ["PiB", 1024n ** 5n],
  ["PB", 1000n ** 5n],
  ["TiB", 1024n ** 4n],
  ["TB", 1000n ** 4n],
  ["GiB", 1024n ** 3n],
  ["GB", 1000n ** 3n],
  ["MiB", 1024n ** 2n],
  ["MB", 1000n ** 2n],
  ["KiB", 1024n],
  ["KB", 1000n],
];

export function sizeText(sizeBytes: bigint): string {
  for (const [name, unitBytes] of units) {
    if (unitBytes > sizeBytes) continue;
    const thousandths = sizeBytes * 1000n;
    if (thousandths % unitBytes !== 0n) continue;
    const count = thousandths / unitBytes;
    const decimals = String(count % 1000n)
      .padStart(3, "0")
      .replace(/0+$/, "");
    return `${count / 1000n}${decimals === "" ? "" : `.${decimals}`} ${name}`;
  }
  return `${sizeBytes} B`;
}
