// The choice of the link that fits the transport of a target.
import { BinaryLink } from "./binary-link.ts";
import { HttpLink } from "./http-link.ts";
import type { Link } from "./link.ts";
import { isHttp, type Target } from "./target.ts";

/** Connects and logs in. */
export function openLink(target: Target): Promise<Link> {
  return isHttp(target.transport) ? HttpLink.open(target) : BinaryLink.open(target);
}
