// Random values of what the protocol of 0.9 has and 0.8 has not.

import fc from "fast-check";
import type { Option } from "../../../src/protocol/v09/options.ts";
import { name } from "../arbitraries.ts";

const option: fc.Arbitrary<Option> = fc.record({
  key: name,
  kind: fc.integer({ min: 1, max: 255 }),
  value: fc.uint8Array({ minLength: 1, maxLength: 255 }),
});

/** A legal list of options. */
export const optionList = fc.uniqueArray(option, { maxLength: 4, selector: ({ key }) => key });
