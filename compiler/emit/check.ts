/**
 * The TypeScript compiler's verdict on generated code. The shapes are in the types, so an error here is a mistake of
 * ours. One program is kept for all specs of a batch: the libraries and the runtime's types are read once.
 */
import { join } from "node:path";
import { type DiagnosticMessageChain, Project, ts } from "ts-morph";
import type { GeneratedFile } from "./emit";
import { packageRoot } from "./package-root";

/** What main.ts calls, by its type only: the trainer's implementation is checked with the project, not with each spec. */
const TRAINER_TYPES = `import type { Generated, Train } from "../runtime/contract";
export declare const train: Train;
export declare const generated: Generated;
`;

/** The same for the engine that main.ts names. */
const ENGINE_TYPES = `import type { CreateEngine } from "../runtime/engines/engine";
export declare const createEngine: CreateEngine;
`;

let shared: Project | undefined;

function project(): Project {
  if (shared !== undefined) return shared;
  const root = packageRoot();
  shared = new Project({
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2022.d.ts"],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
      paths: {
        "ijepa/runtime/trainer": [join(root, "generated", "trainer-types.ts")],
        "ijepa/runtime/engines/onnx/engine": [join(root, "generated", "engine-types.ts")],
        "ijepa/runtime/engines/tfjs/engine": [join(root, "generated", "engine-types.ts")],
        "ijepa/runtime/*": [join(root, "runtime", "*.ts")],
      },
    },
  });
  shared.createSourceFile(join(root, "generated", "trainer-types.ts"), TRAINER_TYPES, { overwrite: true });
  shared.createSourceFile(join(root, "generated", "engine-types.ts"), ENGINE_TYPES, { overwrite: true });
  return shared;
}

function textOf(message: string | DiagnosticMessageChain): string {
  return typeof message === "string" ? message : message.getMessageText();
}

/** One line for each error, `step.ts:12: …`; empty where the code is right. */
export function typeErrors(folder: string, files: readonly GeneratedFile[]): readonly string[] {
  const into = project();
  const sources = files.map(({ name, text }) => into.createSourceFile(join(folder, name), text, { overwrite: true }));
  const program = into.getProgram();
  const found = sources.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  const lines = found.map((diagnostic) => {
    const file = diagnostic.getSourceFile()?.getBaseName() ?? "?";
    return `${file}:${diagnostic.getLineNumber() ?? 0}: ${textOf(diagnostic.getMessageText())}`;
  });
  for (const file of sources) into.removeSourceFile(file);
  return lines;
}
