/** What stands between the operations of a program. */
import type { ElementType } from "./pjrt/types";

/** Of values: what buffers hold, and truth values in between. */
export type ValueType = ElementType | "i1";

export interface Value {
  /** As the text has it, e.g. %12. */
  readonly name: string;
  readonly type: ValueType;
  readonly shape: readonly number[];
}
