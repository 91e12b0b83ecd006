/** What a person sees of an error. */
import { UserError } from "./errors";

/** A user's error is its message alone; anything else is ours, and the stack says where. */
export function errorText(error: unknown): string {
  if (error instanceof UserError) return `${error.code}: ${error.message}`;
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a fault of ijepa, not of your experiment. Please report it with these lines:\n${trace}`;
}
