/**
 * Every error of the compiler that a person can meet, by family: E1xx to E3xx a spec, E4xx compiling, packing, handing on and reports, E5xx sweeps, E9xx
 * the command line, W3xx warnings. docs/reference/errors.md is generated from it.
 */
import type { Severity } from "./diagnostic";
import { commandLineErrors } from "./kinds/command-line";
import { compileErrors } from "./kinds/compile";
import { documentErrors } from "./kinds/document";
import { evaluateErrors } from "./kinds/evaluate";
import { exportErrors } from "./kinds/export";
import { maskErrors } from "./kinds/masks";
import { packErrors } from "./kinds/pack";
import { reportErrors, reportWarnings } from "./kinds/report";
import { specErrors } from "./kinds/spec";
import { sweepErrors } from "./kinds/sweep";
import { warningKinds } from "./kinds/warnings";

export type { ErrorKind } from "./kinds/kind";

export const errors = {
  ...documentErrors,
  ...specErrors,
  ...maskErrors,
  ...compileErrors,
  ...packErrors,
  ...exportErrors,
  ...reportErrors,
  ...evaluateErrors,
  ...sweepErrors,
  ...commandLineErrors,
  ...warningKinds,
  ...reportWarnings,
} as const;

/** Errors after which nothing is known of the spec: the program could not run (exit code 2). */
const noVerdict: readonly string[] = [
  errors.fileMissing,
  errors.fileIsFolder,
  errors.fileUnreadable,
  errors.notText,
  errors.tooLarge,
  errors.noRepository,
  errors.unknownRevision,
  errors.notInRevision,
  errors.notComparable,
  errors.noConstants,
  errors.noTrainer,
  errors.packageNotInstalled,
  errors.packageInTheWay,
  errors.noRoomForPackage,
  errors.pluginUnfit,
  errors.notARun,
  errors.runWithoutCheckpoint,
  errors.checkpointSaysTooLittle,
  errors.exportedEncoderMissing,
  errors.exportInTheWay,
  errors.exportedWeightNotFinite,
  errors.noImagesToMeasure,
  errors.fileInTheWay,
  errors.notARunToReport,
  errors.nothingLogged,
  errors.reportInTheWay,
  errors.nothingToReport,
  errors.noRuns,
  errors.nothingToServe,
  errors.cannotServe,
  errors.nowhereToPush,
  errors.pushedByItsTrainer,
  errors.architectureUnknown,
  errors.imagesWithoutLabels,
  errors.nothingToDecode,
  errors.oneClass,
  errors.evaluatedWeightNotFinite,
  errors.noLabelledFolder,
  errors.featuresInTheWay,
  errors.labelMissing,
  errors.labelsUnusable,
  errors.labelsAreNoClasses,
  errors.embeddedImageUnreadable,
  errors.baseUnusable,
  errors.noSuchPoint,
  errors.badShard,
  errors.tooManyJobs,
  errors.toolMissing,
  errors.submissionRefused,
  errors.executorOptionMissing,
  errors.executorOptionTaken,
  errors.rayUnreachable,
  errors.rayAddressForm,
  errors.runsExist,
  errors.pointBusy,
  errors.halvingElsewhere,
  errors.badUsage,
  errors.settingForm,
  errors.specInTheWay,
  errors.systemRefused,
].map(({ code }) => code);

/** 0 nothing wrong, 1 the spec is, 2 the program could not do its work. */
export function exitCode(all: readonly { readonly code: string; readonly severity: Severity }[]): 0 | 1 | 2 {
  const diagnostics = all.filter(({ severity }) => severity === "error");
  if (diagnostics.length === 0) return 0;
  return diagnostics.some(({ code }) => noVerdict.includes(code)) ? 2 : 1;
}
