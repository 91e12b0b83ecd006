/** The objectives by name, for tools that find one in a checkpoint. A trainer imports its own alone. */
import type { ObjectiveName, RuntimeObjective } from "../experiment";
import { objective as ijepa } from "./ijepa/objective";

export const objectives: { readonly [Name in ObjectiveName]: RuntimeObjective } = { ijepa };
