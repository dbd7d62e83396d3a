import { IggyError } from "../../src/protocol/errors.ts";

/** The error number of a request that is refused; 0 if it is carried out. */
export async function codeOf(request: Promise<unknown>): Promise<number> {
  try {
    await request;
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}
