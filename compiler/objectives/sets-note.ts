/** Several sets of masks, for report.md. */
export const setsNote = (sets: number): string =>
  `Every image has ${sets} sets of masks for one pass of the target encoder, all of the same lengths.`;
