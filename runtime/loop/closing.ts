/** Gives back what a piece of work has opened, the last first, whether it succeeds or fails. */

export type CloseLater = (close: () => void | Promise<void>) => void;

/** The error of the work itself is the one that is thrown; one of closing only where the work succeeded. */
export async function closingAfter<T>(work: (later: CloseLater) => Promise<T>): Promise<T> {
  const open: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<unknown[]> => {
    const failures: unknown[] = [];
    for (let close = open.pop(); close !== undefined; close = open.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  };
  let result: T;
  try {
    result = await work((close) => {
      open.push(close);
    });
  } catch (error) {
    await closeAll();
    throw error;
  }
  const failures = await closeAll();
  if (failures.length > 0) throw failures[0];
  return result;
}
