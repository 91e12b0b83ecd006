/** R22x: programs that show runs. Each is a note: training goes on. */
import { UserError } from "./user-error";

/** A server that shows runs does not answer. It is asked again and again while the run goes on. */
export function loggerUnreachable(was: Server): UserError {
  return new UserError(
    "R220",
    `${was.title} at ${was.address} does not answer: ${was.why}. Training goes on, and so do the attempts. ` +
      `What is not sent when the run ends, \`ijepa log push ${was.directory}\` sends later; so does --resume.`,
  );
}

/** A server that shows runs refuses what it is sent: a missing right, or another program at this address. */
export function loggerRefuses(was: Server): UserError {
  return new UserError(
    "R221",
    `${was.title} at ${was.address} refuses: ${was.why}. Training goes on without it. Look at the address and at the tokens ` +
      `in the environment (docs/logging.md); then \`ijepa log push ${was.directory}\` sends the log.`,
  );
}

/** A run ended before a server that shows runs had all of it. */
export function logNotSent(was: Server): UserError {
  return new UserError(
    "R222",
    `${was.title} at ${was.address} has not got all of the log: ${was.why}. \`ijepa log push ${was.directory}\` sends the rest.`,
  );
}

/** A TensorBoard event file cannot be written. */
export function eventFileUnusable(was: { readonly file: string; readonly why: string }): UserError {
  return new UserError(
    "R223",
    `${was.file} cannot be written: ${was.why}. Training goes on without events for TensorBoard; log.jsonl has the numbers.`,
  );
}

interface Server {
  readonly title: string;
  readonly address: string;
  readonly why: string;
  /** Of the run. */
  readonly directory: string;
}
