/** What every error of a trainer is. */

/** Printed without a stack; the trainer exits with 1. */
export class UserError extends Error {
  override readonly name = "UserError";
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
