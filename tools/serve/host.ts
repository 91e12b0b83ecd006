/** Who may be asked: a page of another site must not reach the server by a name that leads here (DNS rebinding). */
import { isIP } from "node:net";

/** The host of an address as in a Host header, without its port; null where it is none. */
function hostOf(header: string): string | null {
  try {
    return new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, "");
  } catch {
    return null;
  }
}

/** A name that anyone can point here is refused; an address of numbers, localhost and the name that was asked for are not. */
export function isOwnHost(header: string | undefined, named: string): boolean {
  const host = header === undefined ? null : hostOf(header);
  return host !== null && (isIP(host) !== 0 || host === "localhost" || host === named.toLowerCase());
}

export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);
