// Which part may import which. `npm run imports` checks it.

/** The stages of the compiler, in the direction that a spec takes; an import may only point back towards the start. */
const stages = ["spec", "plan", "model", "optimize", "autodiff", "step", "emit", "bundle"];

/** A stage knows nothing of what comes after it, not even a type. */
const stageRules = stages.slice(0, -1).map((stage, index) => ({
  name: `${stage}-imports-no-later-stage`,
  comment: `The pipeline runs ${stages.join(" → ")}; ${stage} does not know what is made of its result.`,
  severity: "error",
  from: { path: `^compiler/${stage}/` },
  to: { path: `^compiler/(${stages.slice(index + 1).join("|")})/` },
}));

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "A file that needs itself, by whatever way, belongs together with what it needs or apart from it.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "runtime-imports-no-compiler",
      comment: "A trainer runs without the compiler.",
      severity: "error",
      from: { path: "^runtime/" },
      to: { path: "^(compiler|commands|tools|scripts|tests|bench)/" },
    },
    {
      name: "compiler-imports-no-command",
      comment:
        "What is done with experiments beside compiling them stands in tools/, and how it is called in commands/.",
      severity: "error",
      from: { path: "^compiler/" },
      to: { path: "^(commands|tools)/" },
    },
    {
      name: "tools-import-no-command",
      comment: "A command calls a tool, never the other way round.",
      severity: "error",
      from: { path: "^tools/" },
      to: { path: "^commands/" },
    },
    {
      name: "compiler-imports-no-engine",
      comment:
        "The compiler writes code for every engine and runs none; the contract between them is types only. An ONNX model is written by those who record them.",
      severity: "error",
      from: { path: "^(compiler|commands|tools)/", pathNot: "^tools/export/onnx/" },
      to: { path: "^runtime/engines/", pathNot: "^runtime/engines/engine\\.ts$" },
    },
    {
      name: "engine-contract-is-types",
      comment: "See compiler-imports-no-engine.",
      severity: "error",
      from: { path: "^(compiler|commands|tools)/" },
      to: { path: "^runtime/engines/engine\\.ts$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "validate-stays-light",
      comment: "`ijepa validate` answers at once: neither TypeScript nor esbuild is loaded for it.",
      severity: "error",
      from: { path: "^compiler/(spec|diagnostics)/|^commands/(validate|print)\\.ts$" },
      to: { path: "node_modules/(ts-morph|typescript|esbuild|handlebars|onnxruntime-node|sharp)/", reachable: true },
    },
    {
      name: "no-missing",
      comment: "Every import is there, and every package is in package.json.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-development-packages",
      comment: "What is shipped needs only what is installed with it.",
      severity: "error",
      from: { path: "^(compiler|commands|tools|runtime)/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "masks-imports-no-stage",
      comment: "The sizes and lengths of masks are known to the rules of a spec and to the plan alike.",
      severity: "error",
      from: { path: "^compiler/masks/" },
      to: { path: "^compiler/(?!masks/)" },
    },
    {
      name: "ir-imports-no-compiler",
      comment: "Graphs are what every stage reads; what is known of an op (its cost, its gradient) is in ops.",
      severity: "error",
      from: { path: "^compiler/ir/" },
      to: { path: "^compiler/(?!ir/)" },
    },
    {
      name: "objectives-by-their-table",
      comment:
        "Which objective it is, nobody asks: what is to be known of one stands in the record that the table gives.",
      severity: "error",
      from: { path: "^(compiler|commands|tools|scripts|bench)/", pathNot: "^compiler/objectives/" },
      to: { path: "^compiler/objectives/[^/]+/" },
    },
    {
      name: "objectives-by-their-table-in-the-runtime",
      comment:
        "A generated main.ts imports the folder of its objective; whoever else wants one asks the table by name.",
      severity: "error",
      from: { path: "^(runtime|compiler|commands|tools|scripts|bench)/", pathNot: "^runtime/objectives/" },
      to: { path: "^runtime/objectives/[^/]+/" },
    },
    {
      name: "trainer-has-one-objective",
      comment:
        "The table holds all of them: in a trainer it would bring the others into the bundle. A replay is no trainer, and " +
        "learns from the trace which objective it is.",
      severity: "error",
      from: { path: "^runtime/", pathNot: "^runtime/replay/" },
      to: { path: "^runtime/objectives/index\\.ts$" },
    },
    {
      name: "objectives-apart",
      comment: "What two objectives share lies in compiler/model, or in runtime/model, masks and loop.",
      severity: "error",
      from: { path: "^(compiler|runtime)/objectives/([^/]+)/" },
      to: { path: "^(compiler|runtime)/objectives/[^/]+/", pathNot: "^$1/objectives/$2/" },
    },
    {
      name: "objective-ends-at-the-model",
      comment:
        "An objective says what is computed; how it is made faster, differentiated and written is the same for all.",
      severity: "error",
      from: { path: "^compiler/objectives/" },
      to: { path: "^compiler/(optimize|autodiff|step|emit|bundle|output)/" },
    },
    {
      name: "model-knows-no-objective",
      comment: "The parts that objectives are made of know none of them.",
      severity: "error",
      from: { path: "^compiler/(ir|ops|masks|model)/" },
      to: { path: "^compiler/objectives/" },
    },
    ...stageRules,
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".cjs", ".js", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
