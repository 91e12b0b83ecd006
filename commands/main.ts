/** The command line. Every command lies in its own file and is loaded only when it is called. */
import { Argument, Command, CommanderError } from "commander";
import { exitCode } from "../compiler/diagnostics/catalogue";
import { packageVersion } from "../compiler/emit/package-root";
import { diagnosticOf } from "./failure";
import { formatOption, listenForJson } from "./format";
import { printDiagnostics } from "./print";
import { setOption } from "./set-option";

/** What the command asks to end with; set by the command that ran. */
let code = 0;

function program(): Command {
  const ijepa = new Command("ijepa")
    .description("Compiles one JSON experiment to a standalone, type-checked TypeScript I-JEPA trainer.")
    .version(packageVersion())
    .showSuggestionAfterError(true)
    .addHelpText(
      "after",
      "\nStart with:\n  ijepa validate experiments/quickstart.json\n  ijepa run experiments/quickstart.json",
    );
  ijepa
    .command("init")
    .description(
      "write a first experiment: valid, and fit for the images and this machine, with the reason of each choice",
    )
    .argument("[name]", "its name, and that of its file (default: my-experiment)")
    .option(
      "--images <path>",
      "your own images (a folder, .tar shards, .parquet files), instead of scenes that the trainer renders",
    )
    .option("--minutes <n>", "what the training may take (default: 10)")
    .option("--no-labels", "the images are used without their classes")
    .option("--yes", "ask nothing on a terminal: what is not given is the default")
    .action(async (name, options) => {
      code = await (await import("./init")).init(name, options);
    });
  ijepa
    .command("validate")
    .description(
      "say everything that is wrong with specs and grids of sweeps (exit 0 valid, 1 invalid, 2 could not run)",
    )
    .argument("<specs...>", "JSON files, an experiment or a grid each")
    .option("--json", "one JSON document for programs")
    .addOption(formatOption("json"))
    .addOption(setOption())
    .action(async (specs, options) => {
      code = await (await import("./validate")).validate(specs, options);
    });
  ijepa
    .command("inspect")
    .description("show what a spec comes to: tokens, programs, parameters, memory, cost, schedule")
    .argument("[specs...]", "JSON files, one experiment each (default: experiments/quickstart.json)")
    .option("--json", "one JSON document for programs")
    .option("--resolved", "print the whole spec instead: every field, and the file, flag or default it comes from")
    .option("--rate <tflops>", "TFLOP/s that one device sustains, for the hours", "100")
    .option("--measure", "time the step on every engine that is here, and say which is the fastest")
    .option("--no-measure", "time nothing (default: the engine of the spec, once, in a few seconds)")
    .option("--scaling", "what a model expects at 8, 64 and 512 GPUs, and what would have to change (docs/scaling.md)")
    .option("--card <name>", "of scaling, and of the cores that images need: H100, H200 or A100", "H100")
    .option("--mfu <share>", "of the same: share of the card's peak that a step reaches, where it was not measured")
    .option("--step-ms <ms>", "of the same: a measured step of one device alone")
    .addOption(setOption())
    .action(async (specs, options) => {
      code = await (await import("./inspect")).inspect(specs, options);
    });
  ijepa
    .command("compile")
    .description("write the trainer of every spec to generated/<name>/")
    .argument("[specs...]", "JSON files, one experiment each (default: experiments/quickstart.json)")
    .option("--out <folder>", "folder of the trainers", "generated")
    .option("--check", "write nothing: say whether what is there is up to date, and why not")
    .option("--watch", "compile on every save; show what is wrong, or what has changed")
    .option("--force", "write also over files that were edited by hand")
    .addOption(formatOption())
    .addOption(setOption())
    .action(async (specs, options) => {
      code = await (await import("./compile")).compile(specs, options);
    });
  ijepa
    .command("bundle")
    .description("type-check and bundle a trainer as it lies in its folder, edits by hand included")
    .argument("<folders...>", "folders of trainers, such as generated/quickstart")
    .addOption(formatOption())
    .action(async (folders, options) => {
      code = await (await import("./bundle")).bundle(folders, options);
    });
  ijepa
    .command("run")
    .description("compile one spec and train; what follows -- goes to the trainer")
    .argument("<spec...>", "JSON file of the experiment, then the trainer's flags after --")
    .option("--out <folder>", "folder of the trainers", "generated")
    .option("--report", "when it has trained, write the page of its run, as ijepa report does")
    .addOption(setOption())
    .action(async (specs, options) => {
      code = await (await import("./run")).run(specs, options);
    });
  ijepa
    .command("pack")
    .description("write a trainer with all that it needs, for a machine without Node and network (docs/pack.md)")
    .argument("<spec>", "JSON file of the experiment")
    .option("--node", "take Node along")
    .option("--engine <name>", "another engine than the spec's")
    .option("--device <name>", "another device than the spec's")
    .option("--precision <name>", "another precision than the spec's")
    .option("--pjrt-plugin <file>", "a PJRT plugin to take along, for engine xla")
    .option("--out <folder>", "folder of the packages", "packages")
    .action(async (spec, options) => {
      code = await (await import("./pack")).pack(spec, options);
    });
  ijepa
    .command("diff")
    .description("compare two experiments: what they mean, then their generated code")
    .argument("<a>", "a spec, a generated folder, a run, or REV:path of a spec in git")
    .argument("<b>", "the same")
    .option("--stat", "only how many lines of every declaration differ")
    .option("--json", "one JSON document for programs")
    .option("--md", "Markdown, for a comment on a pull request")
    .option("--exit-code", "exit 1 when they differ, as git does")
    .option("--rate <tflops>", "TFLOP/s that one device sustains, for the hours", "100")
    .addOption(setOption())
    .action(async (a, b, options) => {
      code = await (await import("./diff")).diff(a, b, options);
    });
  ijepa
    .command("sweep")
    .description("train the points of a grid: one base experiment and axes of changes (docs/sweeps.md)")
    .argument("<grid...>", "JSON file of the grid; what follows -- goes to every trainer, or to the executor")
    .option("--list", "say what the points are, and train nothing")
    .option("--check", "compile and type-check every point; train nothing, write nothing")
    .option("--results", "only gather what the runs have come to, and write the results")
    .option("--format <name>", "of --list: text, json or github (a matrix); of --check: text or github (annotations)")
    .option("--shards <n>", "with --list --format github: a matrix of so many shards instead of points")
    .option("--jobs <n>", "points at a time (default: 1 on this machine, as many as there is room for elsewhere)")
    .option("--threads <n>", "threads of each engine (default: the cores of this machine shared out among the jobs)")
    .option("--shard <i/n>", "only every n-th point, from the i-th")
    .option("--only <names>", "only these points or groups: names with commas between, * and ? for others")
    .option("--resume", "go on: leave what is done, resume what was interrupted, train anew what has changed")
    .option("--executor <name>", "where the points run: local, slurm, kubernetes or ray (docs/clusters.md)", "local")
    .option("--out <folder>", "folder of the trainers", "generated")
    .option("--runs <folder>", "folder of the runs and results", "runs")
    .option("--no-progress", "print lines instead of a table")
    .addOption(setOption())
    .action(async (grid, options) => {
      code = await (await import("./sweep")).sweep(grid, options);
    });
  ijepa
    .command("replay")
    .description("go through recorded runs of the official code and compare every number (exit 0 all hold, 1 not)")
    .argument("<traces...>", "safetensors files, each with its JSON file beside it (docs/parity.md)")
    .option("--engine <name>", "one of hardware.engine, or reference: float64, slow, a second opinion", "onnx")
    .option("--device <name>", "what the engine computes on, as hardware.device", "cpu")
    .option("--precision <name>", "of the step, as hardware.precision; bf16 has tolerances of its own", "fp32")
    .option("--threads <n>", "threads of the engine", "1")
    .option("--init <file>", "safetensors file with init.*, for a trace without")
    .option("--trainer <folder>", "take step.ts of this folder, with its edits, instead of the compiler's own")
    .option("--write <folder>", "write the trainer of the recording there, to be edited, and replay nothing")
    .option("--brief", "only the worst tensor of each group, and whatever differs")
    .option("--json", "one JSON document for each trace, for programs")
    .action(async (traces, options) => {
      code = await (await import("./replay")).replay(traces, options);
    });
  ijepa
    .command("replay-step")
    .description(
      "repeat a step of a run with its images and masks, and compare it tensor by tensor with another engine (exit 0 all hold, 1 not)",
    )
    .argument("<run>", "run folder")
    .requiredOption("--step <n>", "the step, as the log counts it")
    .option(
      "--engine <name>",
      "what it is compared with (default: onnx, or reference, float64 and slow, where onnx trained)",
    )
    .option("--device <name>", "what that computes on, as hardware.device", "cpu")
    .option("--precision <name>", "fp32 or bf16 products there", "fp32")
    .option("--threads <n>", "threads of each engine", "1")
    .option("--spec <file>", "the spec of the run (default: where its trainer was compiled from)")
    .option("--data <folder>", "where relative paths of the data start (default: the folder of the spec)")
    .option("--out <file>", "keep the recorded step: a safetensors file that `ijepa replay` goes through")
    .option("--all", "every tensor, not only the worst of each group and whatever differs")
    .option("--json", "one JSON document for programs")
    .addOption(setOption())
    .action(async (run, options) => {
      code = await (await import("./replay-step")).replayStep(run, options);
    });
  ijepa
    .command("report")
    .description("write one page about runs: curves, evaluations, what they were and what they cost (docs/report.md)")
    .argument("[runs...]", "run folders, side by side")
    .option("--masks <spec>", "the masks of an experiment instead, before anything is trained")
    .option("--images <n>", "held-out images that features are pictured of, by the newest checkpoint (default: 200)")
    .option("--data <folder>", "where relative paths of the data start (default: here, of a spec its folder)")
    .option("--out <file>", "the page (default: report.html in the run's folder)")
    .addOption(setOption())
    .action(async (runs, options) => {
      code = await (await import("./report")).report(runs, options);
    });
  ijepa
    .command("decode")
    .description(
      "train a small decoder from representations to pixels, by which `ijepa report` shows what a run's predictor expects (docs/report.md)",
    )
    .argument("<run>", "run folder")
    .option("--steps <n>", "of the decoder's training", "600")
    .option("--threads <n>", "threads of the engine, 0 = all cores", "0")
    .option("--spec <file>", "the spec of the run (default: where its trainer was compiled from)")
    .option("--data <folder>", "where relative paths of the data start (default: the folder of the spec)")
    .option("--again", "train anew where this decoder is there already")
    .addOption(setOption())
    .action(async (run, options) => {
      code = await (await import("./decode")).decode(run, options);
    });
  ijepa
    .command("runs")
    .description("list the runs below a folder; show one; compare several (exit 0 shown, 2 there is none)")
    .argument("[folders...]", "a folder of runs, or runs by name (default: runs)")
    .option("--json", "one JSON document for programs")
    .action(async (folders, options) => {
      code = await (await import("./runs")).runs(folders, options);
    });
  ijepa
    .command("serve")
    .description("show the runs below a folder as pages on this machine, up to date while they train (docs/report.md)")
    .argument("[folder]", "a folder of runs, or one run", "runs")
    .option("--port <n>", "port to listen at, 0 for any that is free", "7340")
    .option("--host <name>", "address to listen at; others than this machine's own let other machines in", "127.0.0.1")
    .option("--data <folder>", "where relative paths of the data start", ".")
    .action(async (folder, options) => {
      code = await (await import("./serve")).serveCommand(folder, options);
    });
  ijepa
    .command("log")
    .description("send the log of a run to MLflow or Trackio, from where they have it (docs/logging.md)")
    .addArgument(new Argument("<action>", "what to do with it").choices(["push"]))
    .argument("<run>", "a run folder")
    .option("--mlflow <address>", "a server of MLflow (default: log.mlflow of the experiment)")
    .option("--trackio <address>", "a server of Trackio (default: log.trackio of the experiment)")
    .action(async (action, run, options) => {
      code = await (await import("./log")).log(action, run, options);
    });
  ijepa
    .command("verify")
    .description("read checkpoints in whole and compare their checksums (exit 0 all are whole, 1 not)")
    .argument("<runs...>", "run folders, or safetensors files")
    .option("--json", "one JSON document for programs")
    .action(async (runs, options) => {
      code = await (await import("./verify")).verify(runs, options);
    });
  ijepa
    .command("export")
    .description("write a trained encoder in a form that other programs load, with a model card (docs/export.md)")
    .argument("<from>", "a run folder (its newest checkpoint), or a checkpoint")
    .requiredOption("--format <name>", "safetensors, official, hf, timm, onnx or transformers.js")
    .option("--encoder <name>", "target or context", "target")
    .option("--precision <name>", "of onnx and transformers.js: fp32, fp16 or int8 weights", "fp32")
    .option("--images <path>", "images to measure the loss of fp16 and int8 on (default: the run's held-out data)")
    .option("--out <folder>", "folder of the export (default: exports/<name>-<format>)")
    .action(async (from, options) => {
      code = await (await import("./export")).exportCommand(from, options);
    });
  ijepa
    .command("evaluate")
    .description(
      "judge a trained encoder by its frozen features: probes, k-NN, few labels, RankMe (docs/evaluation.md)",
    )
    .argument("<from>", "a run folder (its newest checkpoint), a checkpoint, or weights of others with --spec")
    .option(
      "--protocol <names>",
      "with commas: knn, linear, few-labels, collapse, lidar, heads, attentive (default: all but the last two)",
    )
    .option(
      "--data <path>",
      "labelled images: a folder per class, or train and val; .tar or .parquet (default: the run's own data)",
    )
    .option("--labels <names>", "labels to probe for: names, columns of .parquet, or labels.csv[:names] with file_name")
    .option("--encoder <name>", "target or context", "target")
    .option("--spec <file>", "the architecture of weights of the official code, timm or Hugging Face")
    .option("--train-images <n>", "most training images (default: the experiment's)")
    .option("--test-images <n>", "most validation and most test images (default: the experiment's)")
    .option("--epochs <n>", "of the heads and of the attentive probe", "50")
    .option("--cache <folder>", "where features are kept, or off (default: IJEPA_FEATURE_CACHE, or the user's caches)")
    .option("--json", "one JSON document for programs")
    .action(async (from, options) => {
      code = await (await import("./evaluate")).evaluate(from, options);
    });
  ijepa
    .command("embed")
    .description(
      "write the features of images as NumPy arrays or one parquet file, a row for each image (docs/evaluation.md)",
    )
    .argument("<from>", "a run folder (its newest checkpoint), a checkpoint, or weights of others with --spec")
    .argument("<images>", "folder of images, at any depth; .tar shards or .parquet files")
    .requiredOption(
      "--out <file>",
      "F.npy, with the names of the images in F-files.txt, line by line; or F.parquet, with names and labels in it",
    )
    .option("--patches", "write the features of every patch too, to F-patches.npy or a column of the table")
    .option("--encoder <name>", "target or context", "target")
    .option("--spec <file>", "the architecture of weights of the official code, timm or Hugging Face")
    .action(async (from, images, options) => {
      code = await (await import("./embed")).embedCommand(from, images, options);
    });
  ijepa
    .command("import")
    .description(
      "official YAML configuration → spec, spec → configuration, weights of others → checkpoint to begin with",
    )
    .argument("<file>", ".yaml, .json, or weights of the official code, timm or Hugging Face")
    .option("--images <n>", "training images, of a configuration (default: those of ImageNet-1k)")
    .option("--gpus <n>", "GPUs that shared its batch (default: by the name of its log folder, or 1)")
    .option("--out <file>", "file to write (default: beside you, under the same name)")
    .action(async (file, options) => {
      code = await (await import("./import")).importCommand(file, options);
    });
  ijepa
    .command("doctor")
    .description("check every engine and device on this machine (exit 0 the default engine works, 1 not)")
    .argument("[specs...]", "JSON files, one experiment each: the engines are also timed on their steps")
    .option("--only <names>", "engines, or engine:device, with commas; the default engine is checked in any case")
    .option("--json", "one JSON document for programs")
    .addOption(setOption())
    .action(async (specs, options) => {
      code = await (await import("./doctor")).doctor(specs, options);
    });
  ijepa
    .command("completion")
    .description("print a script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "the shell that reads it").choices(["bash", "zsh", "fish"]))
    .action(async (shell) => {
      process.stdout.write((await import("./completion")).completion(shell, ijepa));
    });
  return ijepa;
}

/** Runs one command line (without node and script) and resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const ijepa = program();
  listenForJson(args);
  for (const command of [ijepa, ...ijepa.commands]) {
    command.exitOverride();
    command.configureOutput({ writeErr: () => {}, outputError: () => {} });
  }
  if (args.length === 0) {
    ijepa.outputHelp();
    return 0;
  }
  try {
    await ijepa.parseAsync(args, { from: "user" });
    return code;
  } catch (cause) {
    if (cause instanceof CommanderError && cause.exitCode === 0) return 0;
    const diagnostic = diagnosticOf(cause, args);
    if (diagnostic === null) throw cause;
    printDiagnostics([diagnostic]);
    return exitCode([diagnostic]);
  }
}
