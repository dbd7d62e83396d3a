// Which methods a path has, for answers of 405 (spec HA 1.8). Asked only when no route was found.

export interface RoutePath {
  readonly method: string;
  readonly path: string;
}

/** Fixed paths that a path with a parameter would match too: they hide it, for every method. Each has one method. */
export const hidingPaths: ReadonlyMap<string, string> = new Map([
  ["/users/login", "POST"],
  ["/users/logout", "DELETE"],
  ["/users/refresh-token", "POST"],
  ["/personal-access-tokens/login", "POST"],
]);

const order = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/** Where the router begins to look for the path in a URL. */
export const pathSearchStart = 11;

/** The path of a URL, as the router sees it. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", pathSearchStart);
  const end = url.indexOf("?", start + 1);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

/** Methods of a path; empty if there is no such path. */
export function createMethodLookup(routes: readonly RoutePath[]): (path: string) => readonly string[] {
  const fixed = new Map<string, Set<string>>();
  const patterns = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  for (const { method, path } of routes) {
    const names = method === "GET" ? ["GET", "HEAD"] : [method];
    let methods: Set<string>;
    if (!path.includes(":")) {
      methods = fixed.get(path) ?? new Set();
      fixed.set(path, methods);
    } else {
      const known = patterns.get(path) ?? { pattern: patternOf(path), methods: new Set<string>() };
      patterns.set(path, known);
      methods = known.methods;
    }
    for (const name of names) methods.add(name);
  }
  return (path) => {
    // A fixed path hides those with parameters, for every method.
    const methods = fixed.get(path) ?? [...patterns.values()].find(({ pattern }) => pattern.test(path))?.methods;
    return order.filter((method) => methods?.has(method));
  };
}

function patternOf(path: string): RegExp {
  const segments = path.split("/").map((segment) => (segment.startsWith(":") ? "[^/]+" : RegExp.escape(segment)));
  return new RegExp(`^${segments.join("/")}$`);
}
