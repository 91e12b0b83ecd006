/** All ops by name. Total: an op of the interface without an object here does not compile. */
import type { OpName } from "../../runtime/ops/ops";
import * as attention from "./attention";
import * as elementwise from "./elementwise";
import * as formats from "./formats";
import * as layers from "./layers";
import * as loss from "./loss";
import type { Op } from "./op";
import * as tokens from "./tokens";
import * as update from "./update";

export const ops: { readonly [K in OpName]: Op<K> } = {
  ...tokens,
  ...layers,
  ...attention,
  ...elementwise,
  ...formats,
  ...loss,
  ...update,
};
