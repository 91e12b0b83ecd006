/** E5xx sweeps: their grids, their runs, and where they run. */
import { didYouMean, kind } from "./kind";

const podHints = {
  "no MPI":
    "Only engine xla on device gpu joins the pods of an Indexed Job by itself. Others meet through MPI, whose mpirun nothing in such " +
    "a Job starts: train this experiment as an MPIJob (kubeflow.org/v2beta1), docs/clusters.md.",
  "does not divide": "With fewer GPUs a point is divided among several pods, which must have equally many.",
  "other points want others": "Points that are divided among several pods must all want the same number of GPUs.",
} as const;

export const sweepErrors = {
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
    want: '"pointer" and "values", or "zip": a list of values for each of several pointers; or "bases", or these with "bases"',
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
      what: "lists of an axis differ in length",
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

  baseForm: kind(
    "E526",
    "A grid changes one experiment, its `base`, or those that one of its axes has as `bases`.",
    (facts: { found: string }) => ({
      what: "it is not clear which experiment is changed",
      found: facts.found,
      want: '"base": the file of an experiment; or one axis with "bases", and no "base"',
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
  podHasTooFewGpus: kind(
    "E546",
    "A pod would have fewer GPUs than its point wants (`hardware.gpus`), and the point cannot be divided among such pods.",
    (facts: {
      point: string;
      wanted: number;
      gpus: number;
      why: "no MPI" | "does not divide" | "other points want others";
    }) => ({
      what: `the point ${facts.point} wants ${facts.wanted} GPUs (hardware.gpus), and its pod would have ${facts.gpus}`,
      found: `--gpus ${facts.gpus}`,
      want: `--gpus ${facts.wanted}, or none: then a pod asks for what its experiment wants`,
      hint: podHints[facts.why],
    }),
  ),
} as const;
