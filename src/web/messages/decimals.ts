// Numbers of any length, compared as they are written: nothing is rounded to what a computer counts with.

type Decimal = {
  readonly isNegative: boolean;
  /** Without zeros at either end; empty: 0. */
  readonly digits: string;
  /** Of the first digit: 1 is exponent 0, 10 is exponent 1. */
  readonly exponent: number;
};

const pattern = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,9}))?$/;

export function isDecimal(text: string): boolean {
  return pattern.test(text);
}

/** Below 0, 0 or above 0, as for a sort; undefined where one is no number. */
export function compareDecimals(left: string, right: string): number | undefined {
  const [a, b] = [read(left), read(right)];
  if (a === undefined || b === undefined) return undefined;
  if (a.isNegative !== b.isNegative) return a.isNegative ? -1 : 1;
  const size = compareSizes(a, b);
  return a.isNegative ? 0 - size : size;
}

function compareSizes(a: Decimal, b: Decimal): number {
  if (a.digits === "" || b.digits === "") return Number(a.digits !== "") - Number(b.digits !== "");
  if (a.exponent !== b.exponent) return a.exponent - b.exponent;
  return a.digits < b.digits ? -1 : Number(a.digits > b.digits);
}

function read(text: string): Decimal | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  const exponent = whole.length - (all.length - digits.length) - 1 + Number(power);
  const trimmed = digits.replace(/0+$/, "");
  return { isNegative: sign === "-" && trimmed !== "", digits: trimmed, exponent };
}
