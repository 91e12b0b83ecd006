/** The address of a server, as a spec and a flag give it. */

/**
 * Null where the text is an address that a run can be logged to, else what is wrong with it. Whoever may write is no part of
 * it: an address is printed, and stands in generated code and logs.
 */
export function addressProblem(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "it is no address";
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return `it begins with ${url.protocol}`;
  if (url.username !== "" || url.password !== "") return "it has a user or a password in it";
  return url.search === "" && url.hash === "" ? null : "it has a query or a fragment";
}

export const addressWanted =
  "http:// or https:// with host, port and path; user, password and tokens come from the environment";
