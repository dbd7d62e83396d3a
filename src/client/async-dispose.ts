/** `Symbol.asyncDispose`, which Safari does not have yet; compilers look for the other one there. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
