// The command line of a release.
import { parseArgs } from "node:util";
import { type Platform, platforms } from "./platforms.ts";

export interface ReleaseOptions {
  readonly directory: string;
  readonly platforms: readonly Platform[];
  /** File with an Ed25519 key in PEM. */
  readonly keyPath: string | undefined;
}

/** Throws an error with a sentence for what it does not know. */
export function readReleaseOptions(args: readonly string[]): ReleaseOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: "string", default: "dist/release" },
      platform: { type: "string", multiple: true },
      "sign-with": { type: "string" },
    },
  });
  const wanted = values.platform?.map((name) => {
    const found = platforms.find((each) => each.name === name);
    if (found === undefined) {
      throw new Error(`unknown platform ${name}; known are ${platforms.map((each) => each.name).join(", ")}`);
    }
    return found;
  });
  return { directory: values.out, platforms: wanted ?? platforms, keyPath: values["sign-with"] };
}
