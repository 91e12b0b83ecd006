/** Whether this trainer is as the compiler wrote it. */

/** Put in the place of the name by `ijepa bundle`, for a trainer that was edited by hand. */
declare const IJEPA_EDITED_CODE: string | undefined;

/** sha256 of the code of a trainer that was edited by hand; null where it is as the compiler wrote it. */
export const editedCode: string | null = typeof IJEPA_EDITED_CODE === "string" ? IJEPA_EDITED_CODE : null;
