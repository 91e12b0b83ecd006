/** What a thrown value says: anything can be thrown, and Node's errors of system calls have a code. */

export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** e.g. "ENOENT"; undefined for what has none. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}

export function hasCode(cause: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(cause);
  return code !== undefined && codes.includes(code);
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "there is a file of this name",
  EFBIG: "the file would be larger than is allowed",
  EIO: "the disk reports an error",
  EISDIR: "it is a folder",
  ENOENT: "no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is not a folder",
  EPERM: "the operation is not permitted",
  EROFS: "the file system is read-only",
};

/** What a failed call of the file system means, in words. */
export const reasonOf = (cause: unknown): string => reasons[codeOf(cause) ?? ""] ?? messageOf(cause);
