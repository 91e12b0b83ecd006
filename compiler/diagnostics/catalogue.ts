/**
 * Every error of the compiler that a person can meet; docs/reference/errors.md is generated from this file.
 * E1xx reading, E2xx the schema, E3xx fields against each other, E4xx compiling, E5xx sweeps, E9xx the
 * command line.
 */
import type { Problem } from "./diagnostic";

type Said = { readonly what: string; readonly found?: string; readonly want?: string; readonly hint?: string };

/** Makes the problem from its facts, and knows what the page of errors says of it. */
export interface ErrorKind<Facts> {
  (facts: Facts): Problem;
  readonly code: string;
  readonly meaning: string;
}

/** `meaning` says for the page of errors when it occurs, and what to do where `say` does not. */
function kind<Facts = void>(code: string, meaning: string, say: (facts: Facts) => Said): ErrorKind<Facts> {
  const make = (facts: Facts): Problem => ({ code, found: null, want: null, hint: null, ...say(facts) });
  return Object.assign(make, { code, meaning });
}

/** “Did you mean …?” where a near word is known. */
function didYouMean(near: string | null): { hint?: string } {
  return near === null ? {} : { hint: `Did you mean \`${near}\`?` };
}

type Block = { readonly height: number; readonly width: number };
const blockText = ({ height, width }: Block): string => `${height}×${width}`;

type FoundWant = { readonly found: string; readonly want: string };
type FoundWantNear = FoundWant & { readonly near: string | null };

export const errors = {
  fileMissing: kind("E101", "There is no file of this name.", (facts: { near: string | null }) => ({
    what: "there is no such file",
    ...didYouMean(facts.near),
  })),
  fileIsFolder: kind("E102", "A folder was named where a spec is wanted.", () => ({
    what: "is a folder",
    want: "the JSON file of one experiment",
  })),
  fileUnreadable: kind("E103", "The system does not let the file be read.", (facts: { reason: string }) => ({
    what: `can not be read (${facts.reason})`,
  })),
  notText: kind("E104", "The file is not UTF-8 text.", () => ({
    what: "is not UTF-8 text",
    hint: "Save it as UTF-8.",
  })),
  fileEmpty: kind("E105", "The file holds nothing but white space or comments.", () => ({
    what: "is empty",
    want: 'an object, e.g. { "data": { "source": "shapes" } }',
  })),
  syntax: kind("E106", "The text is not JSON. Comments are allowed, trailing commas are not.", (said: Said) => said),
  duplicateKey: kind(
    "E107",
    "A key stands twice in one object; one of the two would be ignored in silence.",
    (facts: { firstLine: number }) => ({ what: "stands twice", hint: `The first is on line ${facts.firstLine}.` }),
  ),
  tooDeep: kind("E108", "Arrays or objects are nested deeper than any spec is.", (facts: { limit: number }) => ({
    what: `is nested more than ${facts.limit} deep`,
  })),
  tooLarge: kind("E109", "The file is far larger than any spec.", (facts: { bytes: number; limit: number }) => ({
    what: "is too large for a spec",
    found: `${facts.bytes} bytes`,
    want: `at most ${facts.limit}`,
  })),

  unknownKey: kind(
    "E201",
    "No field has this key. Nothing is ignored in silence, so that a misspelt field can not fall back to its default.",
    (facts: { known: readonly string[]; near: string | null }) => ({
      what: "no such field",
      want: `one of ${facts.known.join(", ")}`,
      ...didYouMean(facts.near),
    }),
  ),
  missingKey: kind("E202", "A field without a default is missing.", (facts: { want: string; near: string | null }) => ({
    what: "is missing",
    want: facts.want,
    ...(facts.near !== null && { hint: `Did you mean it by \`${facts.near}\`?` }),
  })),
  wrongType: kind("E203", "The value is of another type than the field.", (facts: FoundWant) => ({
    what: "wrong type",
    ...facts,
  })),
  outOfRange: kind("E204", "The number is outside the range of the field.", (facts: FoundWant) => ({
    what: "out of range",
    ...facts,
  })),
  notAChoice: kind(
    "E205",
    "The field takes one of a few values, and this is none of them.",
    (facts: FoundWantNear) => ({
      what: "not one of the choices",
      found: facts.found,
      want: facts.want,
      ...didYouMean(facts.near),
    }),
  ),
  wrongLength: kind("E206", "The list has too few or too many entries.", (facts: FoundWant) => ({
    what: "wrong number of entries",
    ...facts,
  })),
  wrongForm: kind("E207", "The text does not have the form that the field asks for.", (facts: FoundWant) => ({
    what: "not of the right form",
    ...facts,
  })),

  reversedRange: kind(
    "E301",
    "A pair gives the smallest value first and the largest second.",
    (facts: { low: number; high: number }) => ({
      what: "the smallest is larger than the largest",
      found: `[${facts.low}, ${facts.high}]`,
      want: `[${facts.high}, ${facts.low}]`,
    }),
  ),
  patchDividesImage: kind(
    "E302",
    "An image is cut into whole patches, at least two in each direction.",
    (facts: { imageSize: number; patch: number; nearest: readonly number[] }) => ({
      what: `patches of ${facts.patch} pixels do not tile an image of ${facts.imageSize} at least twice each way`,
      found: `${facts.imageSize} / ${facts.patch} = ${Number((facts.imageSize / facts.patch).toFixed(3))}`,
      want: facts.nearest.length > 0 ? `a patch of ${facts.nearest.join(" or ")}` : "another image size",
    }),
  ),
  headsDivideDim: kind(
    "E303",
    "The width of a token is shared out evenly among the attention heads.",
    (facts: { dim: number; heads: number; nearest: readonly number[]; inherited: boolean }) => ({
      what: `${facts.heads} heads do not divide a width of ${facts.dim}`,
      found: `${facts.dim} / ${facts.heads} = ${Number((facts.dim / facts.heads).toFixed(3))}`,
      want: `${facts.nearest.join(" or ")} heads, or another width`,
      ...(facts.inherited && { hint: "The predictor takes its heads from the encoder unless it says otherwise." }),
    }),
  ),
  encoderSizeAndNumbers: kind(
    "E304",
    "An encoder is given by an official size or by its numbers, not by both.",
    (facts: { keys: readonly string[] }) => ({
      what: `\`size\` already decides ${facts.keys.join(", ")}`,
      found: `\`size\` and ${facts.keys.join(", ")}`,
      want: "either `size`, or `dim`, `depth` and `heads`",
    }),
  ),
  encoderIncomplete: kind(
    "E305",
    "An encoder that is given by its numbers needs width, depth and heads.",
    (facts: { given: readonly string[]; missing: readonly string[] }) => ({
      what: `without a \`size\` the encoder also needs ${facts.missing.map((key) => `\`${key}\``).join(" and ")}`,
      found: `only ${facts.given.join(", ")}`,
      want: "either `size`, or `dim`, `depth` and `heads`",
    }),
  ),
  batchDivides: kind(
    "E306",
    "The global batch is shared out evenly among devices and accumulated parts.",
    (facts: { globalBatch: number; gpus: number; accumulation: number; nearest: readonly number[] }) => ({
      what: `${facts.globalBatch} images do not divide by gpus × accumulation`,
      found: `${facts.globalBatch} / (${facts.gpus} × ${facts.accumulation}) = ${Number((facts.globalBatch / (facts.gpus * facts.accumulation)).toFixed(3))}`,
      want: `a global batch of ${facts.nearest.join(" or ")}`,
    }),
  ),
  epochTooShort: kind(
    "E307",
    "An epoch has at least one whole batch; what is left over is dropped.",
    (facts: { images: number; globalBatch: number }) => ({
      what: "not one batch fits into an epoch",
      found: `${facts.globalBatch} images per batch, ${facts.images} images`,
      want: `a global batch of at most ${facts.images}`,
    }),
  ),
  warmupTooLong: kind(
    "E308",
    "The warm-up ends before the learning rate's curve does.",
    (facts: { warmupEpochs: number; curveEpochs: number }) => ({
      what: "the warm-up does not end before training does",
      found: `${facts.warmupEpochs} epochs of warm-up`,
      want: `less than epochs × scheduleScale = ${facts.curveEpochs}`,
    }),
  ),
  learningRateOrder: kind(
    "E309",
    "The learning rate climbs to its peak and falls from it.",
    (facts: { field: "start" | "final"; value: number; peak: number }) => ({
      what: `\`${facts.field}\` is above \`peak\``,
      found: `${facts.value}`,
      want: `at most ${facts.peak}, the peak`,
    }),
  ),
  targetBlockTooSmall: kind(
    "E310",
    "Every target block that can be drawn has more patches than `minKeep`; the released code would search for ever.",
    (facts: Block & { grid: number; minKeep: number }) => ({
      what: `on a grid of ${facts.grid}×${facts.grid} patches a target block can be as small as ${blockText(facts)}`,
      found: `${facts.height * facts.width} patches`,
      want: `more than masking.minKeep = ${facts.minKeep}`,
      hint: "Lower masking.minKeep, raise the target scale, or take smaller patches.",
    }),
  ),
  contextBlockTooSmall: kind(
    "E311",
    "Every context block that can be drawn has more patches than `minKeep`; the released code would search for ever.",
    (facts: Block & { grid: number; minKeep: number }) => ({
      what: `on a grid of ${facts.grid}×${facts.grid} patches the context block can be as small as ${blockText(facts)}`,
      found: `${facts.height * facts.width} patches`,
      want: `more than masking.minKeep = ${facts.minKeep}`,
      hint: "Lower masking.minKeep, raise the context scale, or take smaller patches.",
    }),
  ),
  contextTokensTooMany: kind(
    "E312",
    "After the targets are taken out, a context block leaves as many patches as the context is to keep, often enough " +
      "that drawing again finds it.",
    (facts: { tokens: number; context: Block; target: Block; share: number; median: number }) => ({
      what: `a context of ${blockText(facts.context)} with targets of ${blockText(facts.target)} seldom leaves that many patches`,
      found: `${facts.tokens} tokens, left by ${Number((100 * facts.share).toFixed(1))} % of the draws`,
      want: `at most ${facts.median}, which half of the draws leave, or "auto"`,
    }),
  ),
  sceneTooSmall: kind(
    "E313",
    "A crop is never larger than the scene that it is taken from.",
    (facts: { sceneSize: number; imageSize: number }) => ({
      what: "the scenes are smaller than the image that is cropped from them",
      found: `${facts.sceneSize} pixels`,
      want: `at least image.size = ${facts.imageSize}`,
    }),
  ),

  tooManyPatches: kind(
    "E314",
    "Every patch attends to every other: this many could neither be planned nor trained.",
    (facts: { patches: number; most: number }) => ({
      what: "the grid is too fine",
      found: `${facts.patches} patches`,
      want: `at most ${facts.most}`,
    }),
  ),

  fileNameNoName: kind(
    "E315",
    "An experiment without `name` is called after its file, and folders are called after the experiment.",
    (facts: { fileName: string; want: string }) => ({
      what: "the file name can not be the name of the experiment",
      found: JSON.stringify(facts.fileName),
      want: facts.want,
      hint: "Add a `name` or rename the file.",
    }),
  ),

  tooManyNeighbours: kind(
    "E316",
    "The nearest-neighbour probe has at least as many images to choose from as neighbours that vote.",
    (facts: { neighbours: number; images: number }) => ({
      what: "more neighbours vote than there are images",
      found: `${facts.neighbours} neighbours`,
      want: `at most ${facts.images}, the images that the probes learn from`,
    }),
  ),

  engineLacksDevice: kind(
    "E317",
    "Every engine has its own devices.",
    (facts: { engine: string; device: string; devices: readonly string[]; others: readonly string[] }) => ({
      what: `the engine ${facts.engine} does not run on this device`,
      found: JSON.stringify(facts.device),
      want: facts.devices.map((device) => JSON.stringify(device)).join(" or "),
      hint: `For ${JSON.stringify(facts.device)} set hardware.engine to ${facts.others.map((name) => JSON.stringify(name)).join(" or ")}.`,
    }),
  ),
  deviceLacksPrecision: kind(
    "E318",
    "A precision works on a device or is refused; nothing is computed in another one in silence.",
    (facts: { engine: string; device: string; precision: string; precisions: readonly string[] }) => ({
      what: `the engine ${facts.engine} on ${facts.device} does not compute in this precision`,
      found: JSON.stringify(facts.precision),
      want: facts.precisions.map((precision) => JSON.stringify(precision)).join(" or "),
    }),
  ),

  noRepository: kind("E420", "`REV:path` names a file of a git repository, and there is none here, or no git.", () => ({
    what: "there is no git repository here, or no git to ask",
    want: "a file, a folder, or `REV:path` inside a repository",
  })),
  unknownRevision: kind("E421", "Git knows no such revision.", (facts: { revision: string }) => ({
    what: "there is neither such a file nor such a revision",
    found: facts.revision,
    want: "a branch, a tag or a commit before the colon",
  })),
  notInRevision: kind(
    "E422",
    "The revision is there, the file in it is not.",
    (facts: { revision: string; path: string }) => ({
      what: `there is no ${facts.path} in ${facts.revision}`,
      want: "a path from the top of the repository, or one from here that begins with ./",
    }),
  ),
  notComparable: kind("E423", "A folder is compared by its constants, and this one has none.", () => ({
    what: "is neither a generated folder nor a run",
    want: "a folder with experiment.ts or experiment.json",
  })),
  noConstants: kind(
    "E424",
    "The constants of a trainer or of a run are not as they were written.",
    (facts: { file: string }) => ({
      what: `${facts.file} holds no constants of an experiment`,
      hint: "Compile or run the spec anew.",
    }),
  ),
  sameName: kind(
    "E430",
    "A trainer lies in a folder of its experiment's name, so that two of one name would overwrite each other.",
    (facts: { name: string; other: string }) => ({
      what: "another of these experiments has the same name",
      found: `${JSON.stringify(facts.name)}, as in ${facts.other}`,
      want: "a name that no other of them has",
    }),
  ),

  // E500 to E529: the grid of a sweep.
  notAGrid: kind("E500", "A sweep is told by a grid file, which names its base experiment.", () => ({
    what: "is an experiment, not the grid of a sweep",
    want: 'a file with "base", the experiment, and "axes", what is changed in it',
  })),
  baseIsGrid: kind("E501", "The base of a sweep is one experiment, not another grid.", (facts: { base: string }) => ({
    what: "the base is itself the grid of a sweep",
    found: facts.base,
    want: "the file of an experiment",
  })),
  axisForm: kind("E502", "An axis changes one field, or several together.", (facts: { found: string }) => ({
    what: "an axis says neither or both of what it changes",
    found: facts.found,
    want: 'either "pointer" and "values", or "zip": a list of values for each of several pointers',
  })),
  unknownPointer: kind(
    "E503",
    "A JSON pointer of a grid names no field of an experiment.",
    (facts: { known: readonly string[]; near: string | null }) => ({
      what: "no field of an experiment",
      want: facts.known.length > 0 ? `one of ${facts.known.join(", ")}` : "a JSON pointer such as `/encoder/dim`",
      ...didYouMean(facts.near),
    }),
  ),
  pointerIsNotSwept: kind(
    "E504",
    "Names and seeds of the points are the sweep's to give, and a list is set as a whole.",
    (facts: { what: string; hint: string }) => facts,
  ),
  emptyAxis: kind("E505", "An axis without values leaves no point.", (facts: { what: string }) => ({
    what: `${facts.what} without values`,
    found: "an empty list",
    want: "at least one value",
  })),
  zipLengths: kind(
    "E506",
    "Fields that change together have as many values each.",
    (facts: { found: number; other: string; want: number }) => ({
      what: "lists of a zip differ in length",
      found: `${facts.found} value${facts.found === 1 ? "" : "s"}`,
      want: `${facts.want}, as \`${facts.other}\` has`,
    }),
  ),
  overlappingPointers: kind(
    "E507",
    "Two axes set one field, or one of them sets a group that holds the field of the other: the last would win in silence.",
    (facts: { other: string; where: string }) => ({
      what: "is set twice",
      found: `\`${facts.other}\` in ${facts.where}`,
      want: "one place for each field",
    }),
  ),
  duplicateValue: kind("E508", "A value stands twice in an axis, or a seed in the list of seeds.", () => ({
    what: "stands twice, and would be trained twice",
  })),
  labelCount: kind(
    "E509",
    "Labels name the values of an axis, one each.",
    (facts: { labels: number; values: number }) => ({
      what: "not as many labels as values",
      found: `${facts.labels} labels`,
      want: `${facts.values}, one for each value`,
    }),
  ),
  axisNameTaken: kind(
    "E510",
    "Axes are columns of tables, and need names of their own.",
    (facts: { reserved: boolean }) => ({
      what: facts.reserved ? "this name means something else in tables of results" : "another axis has this name",
      hint: 'Give the axis another "name".',
    }),
  ),
  pointNamesCollide: kind(
    "E511",
    "Two points, or two values of an axis, have the same name; their runs would share a folder.",
    (facts: { name: string; hint: string }) => ({ what: `two are named \`${facts.name}\``, hint: facts.hint }),
  ),
  pointNameTooLong: kind(
    "E512",
    "The name of a point, made of the sweep's name and its labels, is the name of an experiment.",
    (facts: { name: string; most: number }) => ({
      what: "the name of a point is too long",
      found: `\`${facts.name}\`, ${facts.name.length} characters`,
      want: `at most ${facts.most}`,
      hint: "Shorten the `name` of the sweep or the `labels` of its axes.",
    }),
  ),
  tooManyPoints: kind(
    "E513",
    "More points than anybody trains: the axes are multiplied with one another and with the seeds.",
    (facts: { counts: readonly number[]; points: number; most: number }) => ({
      what: "too many points",
      found: `${facts.counts.join(" × ")} = ${facts.points.toLocaleString("en-GB")}`,
      want: `at most ${facts.most.toLocaleString("en-GB")}`,
      hint: "Take values away, or change fields together with `zip`.",
    }),
  ),
  exclusionNotSwept: kind(
    "E514",
    "An exclusion compares fields that axes set.",
    (facts: { swept: readonly string[]; near: string | null }) => ({
      what: "no axis sets this field",
      want: facts.swept.length > 0 ? `one of ${facts.swept.join(", ")}` : "an axis that sets it",
      ...didYouMean(facts.near),
    }),
  ),
  exclusionMatchesNothing: kind(
    "E515",
    "An exclusion that matches no point was meant for something else.",
    (facts: { hint: string | null }) => ({
      what: "matches no point",
      ...(facts.hint !== null && { hint: facts.hint }),
    }),
  ),
  everythingExcluded: kind("E516", "The exclusions leave no point.", (facts: { points: number }) => ({
    what: `leaves none of the ${facts.points} points`,
    want: "at least one",
  })),
  unknownMetric: kind(
    "E517",
    "Runs of this experiment do not report the metric.",
    (facts: { name: string; known: readonly string[]; near: string | null; point: string | null }) => ({
      what: `runs ${facts.point === null ? "of this experiment" : `such as \`${facts.point}\``} do not report it`,
      found: JSON.stringify(facts.name),
      want: `one of ${facts.known.join(", ")}`,
      ...didYouMean(facts.near),
    }),
  ),
  stopEpochBeyond: kind(
    "E518",
    "A stop rule looks at the end of an epoch before the last: after it there is nothing to stop.",
    (facts: { epoch: number; epochs: number }) => ({
      what: `the longest run has ${facts.epochs} epoch${facts.epochs === 1 ? "" : "s"}`,
      found: `epoch ${facts.epoch}`,
      want: facts.epochs > 1 ? `from 1 to ${facts.epochs - 1}` : "no stop rule, or longer runs",
    }),
  ),
  stopEpochsNotRising: kind(
    "E519",
    "Epochs of a stop rule are in the order in which a run meets them, each once.",
    (facts: { epoch: number; before: number }) => ({
      what: "the epochs do not rise",
      found: `${facts.epoch} after ${facts.before}`,
      want: `more than ${facts.before}`,
    }),
  ),
  stopNotEvaluated: kind(
    "E520",
    "A stop rule looks at a metric, and this metric is known only where the trainer evaluates (`evaluation.everyEpochs`).",
    (facts: { metric: string; epoch: number; point: string; everyEpochs: number }) => ({
      what: `${facts.metric} is not known at the end of epoch ${facts.epoch} of \`${facts.point}\``,
      found:
        facts.everyEpochs === 0 ? "an evaluation at the end only" : `an evaluation every ${facts.everyEpochs} epochs`,
      want: `an epoch at which it is, or the loss as metric`,
      hint: 'Evaluate every epoch: `"set": { "/evaluation/everyEpochs": 1 }`.',
    }),
  ),
  noSuchPoint: kind(
    "E521",
    "No point of the sweep has such a name.",
    (facts: { wanted: string; near: string | null }) => ({
      what: `no point is called \`${facts.wanted}\``,
      want: "the name of a point or of a group, or a pattern with * and ?; `--list` lists them",
      ...didYouMean(facts.near),
    }),
  ),
  badShard: kind("E522", "A shard is one of several equal parts of a sweep.", (facts: { found: string }) => ({
    what: "no shard",
    found: facts.found,
    want: "i/n with i from 1 to n, such as 1/4",
  })),
  tooManyJobs: kind(
    "E523",
    "A matrix of a GitHub workflow has at most 256 jobs.",
    (facts: { jobs: number; most: number; shards: boolean }) => ({
      what: "too many jobs for a matrix of GitHub",
      found: `${facts.jobs}`,
      want: `at most ${facts.most}`,
      hint: facts.shards
        ? "Ask for fewer shards."
        : `Let a job run several points: \`--format github --shards ${Math.min(facts.most, Math.ceil(facts.jobs / 10))}\`.`,
    }),
  ),
  isAGrid: kind("E525", "The command takes one experiment, and the file is the grid of a sweep.", () => ({
    what: "is the grid of a sweep, not an experiment",
    want: "the JSON file of one experiment",
    hint: "`ijepa sweep` takes grids, and `ijepa validate` both.",
  })),
  baseUnusable: kind(
    "E524",
    "The base experiment of a sweep can not be read.",
    (facts: { base: string; said: string; hint: string | null }) => ({
      what: `${facts.base} ${facts.said}`,
      ...(facts.hint !== null && { hint: facts.hint }),
    }),
  ),

  // E530 to E539: running a sweep.
  runsExist: kind(
    "E530",
    "Points that are asked for have run folders already. Nothing is trained over them in silence.",
    (facts: { folder: string; names: readonly string[]; states: string }) => ({
      what: `holds runs of ${facts.names.length === 1 ? "a point" : `${facts.names.length} of the points`} already (${facts.states})`,
      found: `${facts.names.slice(0, 3).join(", ")}${facts.names.length > 3 ? " …" : ""}`,
      hint: "`--resume` goes on with them and leaves those that are done; `--runs` names another folder for new ones.",
    }),
  ),
  pointBusy: kind(
    "E531",
    "A point has changed while a trainer still works on it as it was; two trainers can not share a folder.",
    (facts: { name: string; why: string; pid: number; host: string }) => ({
      what: `process ${facts.pid} on ${facts.host} still trains \`${facts.name}\` as it was: ${facts.why}`,
      hint: "Wait for it, or stop it.",
    }),
  ),
  halvingElsewhere: kind(
    "E532",
    "Successive halving compares all points at each of its epochs, so one process has to look after all of them.",
    (facts: { found: string }) => ({
      what: "successive halving runs on one machine and with all its points",
      found: facts.found,
      want: 'the local executor without `--shard`, or the stop rule "floor", which every point follows by itself',
    }),
  ),

  // E540 to E549: executors, which run a sweep on other machines.
  toolMissing: kind(
    "E540",
    "An executor calls the programs of its scheduler, and there are none on this machine.",
    (facts: { tool: string; executor: string; hint: string }) => ({
      what: `there is no program \`${facts.tool}\` here, which \`--executor ${facts.executor}\` calls`,
      hint: facts.hint,
    }),
  ),
  submissionRefused: kind(
    "E541",
    "The scheduler did not take the points of a sweep. What it said stands in the message.",
    (facts: { executor: string; said: string; hint: string | null }) => ({
      what: `${facts.executor} refuses the submission`,
      found: facts.said,
      ...(facts.hint !== null && { hint: facts.hint }),
    }),
  ),
  executorOptionMissing: kind(
    "E542",
    "An executor needs to know something that only the person can say; it stands after `--`.",
    (facts: { executor: string; missing: readonly string[]; example: string }) => ({
      what: `\`--executor ${facts.executor}\` needs ${facts.missing.map((option) => `\`${option}\``).join(" and ")}`,
      hint: `For example: ${facts.example}`,
    }),
  ),
  executorOptionTaken: kind(
    "E543",
    "An option after `--` is one that the executor gives by itself, or that makes the submission another one.",
    (facts: { executor: string; option: string; why: string }) => ({
      what: `\`${facts.option}\` can not be given after \`--\` with \`--executor ${facts.executor}\``,
      hint: facts.why,
    }),
  ),
  rayUnreachable: kind(
    "E544",
    "Nobody answers at the address of Ray's dashboard, or it is something else that answers.",
    (facts: { address: string; reason: string }) => ({
      what: `Ray does not answer at ${facts.address}`,
      found: facts.reason,
      want: "the address of its dashboard, such as http://head-node:8265",
    }),
  ),
  rayAddressForm: kind("E545", "Ray's Jobs API is spoken over HTTP.", (facts: { found: string }) => ({
    what: "no address of a Ray dashboard",
    found: JSON.stringify(facts.found),
    want: "http://HOST:PORT or https://…; a Ray dashboard listens on port 8265",
  })),

  badUsage: kind(
    "E901",
    "A command, an option or an argument is unknown, missing or malformed.",
    (facts: { what: string; hint: string }) => facts,
  ),
  systemRefused: kind(
    "E902",
    "The system does not let a file or a folder be read or written.",
    (facts: { call: string; reason: string }) => ({ what: `the system refuses to ${facts.call} it: ${facts.reason}` }),
  ),
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
  errors.systemRefused,
].map(({ code }) => code);

/** 0 nothing wrong, 1 the spec is, 2 the program could not do its work. */
export function exitCode(diagnostics: readonly { readonly code: string }[]): 0 | 1 | 2 {
  if (diagnostics.length === 0) return 0;
  return diagnostics.some(({ code }) => noVerdict.includes(code)) ? 2 : 1;
}
