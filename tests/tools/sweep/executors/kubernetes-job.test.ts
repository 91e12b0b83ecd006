import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { PointTask } from "../../../../tools/sweep/executors/executor";
import { type JobPlan, jobFiles, jobManifest, jobName } from "../../../../tools/sweep/executors/kubernetes-job";
import jobSchema from "../../../golden/kubernetes/job-batch-v1.schema.json";
import { pointTask, scratch } from "./support";

const plan: JobPlan = {
  name: "s-1",
  sweepName: "s",
  namespace: "research",
  image: "node:22-slim",
  claim: "shared",
  workingDirectory: "/data/project",
  folder: "runs/s/kubernetes",
  tasks: [pointTask("s-a"), pointTask("s-b")],
  jobs: null,
  hosts: 1,
  cpu: "4",
  memory: "8Gi",
  needs: { cards: { kind: "GPU", count: 1 }, processorShares: 1, processors: null },
};

const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(jobSchema);

describe("the manifest of a Job", () => {
  const variants: readonly [what: string, over: Partial<JobPlan>][] = [
    ["all options", {}],
    [
      "no options",
      { namespace: null, cpu: null, memory: null, needs: { cards: null, processorShares: 1, processors: null } },
    ],
    ["few at a time", { jobs: 1 }],
    [
      "several pods for each point",
      { hosts: 4, needs: { cards: { kind: "GPU", count: 8 }, processorShares: 1, processors: null } },
    ],
    ["TPUs", { needs: { cards: { kind: "TPU", count: 4 }, processorShares: 1, processors: null } }],
  ];
  it.each(variants)("with %s is one that Kubernetes knows every field of", (_, over) => {
    const { job } = jobFiles({ ...plan, ...over });
    const manifest: unknown = parse(job.text);
    expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
    expect(manifest).toEqual(jobManifest({ ...plan, ...over }));
  });

  it("is refused by the schema where a field is not one (so that the test above can fail)", () => {
    const { spec, ...rest } = jobManifest(plan);
    expect(validate({ ...rest, spec: { ...spec, completion: 2 } })).toBe(false);
    expect(validate({ ...rest, spec: { ...spec, completions: "2" } })).toBe(false);
  });

  it("has one index for each point, and so many pods at a time as were asked for", () => {
    expect(jobManifest(plan).spec).toMatchObject({ completionMode: "Indexed", completions: 2, parallelism: 2 });
    expect(jobManifest({ ...plan, jobs: 1 }).spec.parallelism).toBe(1);
    expect(jobManifest({ ...plan, jobs: 9 }).spec.parallelism).toBe(2);
  });

  it("has as many pods for each point as it has hosts, and one point at a time unless more are asked for", () => {
    const several = { ...plan, hosts: 4 };
    expect(jobManifest(several).spec).toMatchObject({ completions: 8, parallelism: 4, backoffLimitPerIndex: 12 });
    expect(jobManifest({ ...several, jobs: 2 }).spec.parallelism).toBe(8);
    const [container] = jobManifest(several).spec.template.spec.containers;
    expect(container).toMatchObject({ args: ["s-a", "s-b"], env: [{ name: "IJEPA_RANKS", value: "4" }] });
  });

  it("mounts the claim where the sweep was called, and asks for what was wanted", () => {
    const [container] = jobManifest(plan).spec.template.spec.containers;
    expect(container).toMatchObject({
      image: "node:22-slim",
      workingDir: "/data/project",
      command: ["node", "runs/s/kubernetes/launch.cjs"],
      args: ["s-a", "s-b"],
      resources: { requests: { cpu: "4", memory: "8Gi", "nvidia.com/gpu": 1 }, limits: { "nvidia.com/gpu": 1 } },
      volumeMounts: [{ mountPath: "/data/project" }],
    });
  });

  it("keeps Kubernetes from reading variables into a path", () => {
    const [container] = jobManifest({ ...plan, folder: "runs/$(HOSTNAME)" }).spec.template.spec.containers;
    expect(container?.command).toEqual(["node", "runs/$$(HOSTNAME)/launch.cjs"]);
  });

  it("survives every text as YAML", () => {
    const image = "a: b # c\n- 'd' \"e\" {{f}} &g *h !i | > %\u{1F600}";
    expect(parse(jobFiles({ ...plan, image }).job.text)).toEqual(jobManifest({ ...plan, image }));
  });
});

describe("the name of a Job", () => {
  const cases: readonly [sweep: string, want: RegExp][] = [
    ["digits", /^digits-[0-9a-z]{8}$/],
    ["a.b_c", /^a-b-c-[0-9a-z]{8}$/],
    ["9".repeat(64), /^9{40}-[0-9a-z]{8}$/],
    ["a..", /^a-[0-9a-z]{8}$/],
  ];
  it.each(cases)("of the sweep %s is legal, and short enough for a pod of every index", (sweep, want) => {
    const name = jobName(sweep, Date.UTC(2026, 10, 21));
    expect(name).toMatch(want);
    expect(`${name}-100000`.length).toBeLessThanOrEqual(63);
  });
});

describe("the program of a pod", () => {
  const run = (root: string, index: number, env: Readonly<Record<string, string>> = {}) => {
    const { folder } = plan;
    const program = spawn(process.execPath, [join(root, folder, "launch.cjs"), "s-a", "s-b"], {
      cwd: root,
      env: { ...process.env, JOB_COMPLETION_INDEX: String(index), ...env },
    });
    let printed = "";
    program.stdout.on("data", (data) => {
      printed += String(data);
    });
    const exitCode = new Promise<number | null>((done) => program.on("exit", done));
    return { program, exitCode, printed: () => printed };
  };
  const written = (tasks: readonly PointTask[]): string => {
    const root = scratch();
    for (const { path, text } of jobFiles({ ...plan, tasks }).others) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  };

  it("runs the point of its index with its own words, and keeps what it prints", async () => {
    const words = ["$(x) 'y' \"z\"\n", "", "--", "é"];
    const code = "console.log(JSON.stringify(process.argv.slice(1))); console.error('oh'); process.exitCode = 3";
    const task = pointTask("s-b", { command: [process.execPath, "-e", code, "--", ...words] });
    const root = written([pointTask("s-a"), task]);
    const { exitCode, printed } = run(root, 1);
    expect(await exitCode).toBe(3);
    const output = readFileSync(join(root, "runs/s/s-b/output.log"), "utf8");
    expect(JSON.parse(output.split("\n").find((line) => line.startsWith("[")) ?? "")).toEqual([
      ...words,
      "--threads",
      "4",
    ]);
    expect(output).toContain("oh");
    expect(printed()).toContain("oh");
  });

  it("is a host of a point where a point has several, and the trainer knows which", async () => {
    const code = "const { launchOf } = require(process.argv[1]); console.log(JSON.stringify(launchOf(process.env)))";
    const launch = join(scratch(), "launch.cjs");
    await build({
      entryPoints: ["runtime/ranks/launch.ts"],
      bundle: true,
      platform: "node",
      outfile: launch,
      format: "cjs",
    });
    const task = pointTask("s-b", { command: [process.execPath, "-e", code, "--", launch] });
    const root = written([pointTask("s-a"), task]);
    for (const [index, rank] of [
      [3, 0],
      [5, 2],
    ] as const) {
      const { exitCode, printed } = run(root, index, { IJEPA_RANKS: "3", HOSTNAME: `s-1-${index}` });
      expect(await exitCode, printed()).toBe(0);
      expect(JSON.parse(printed().trim())).toMatchObject({
        launcher: "Kubernetes",
        ...{ rank, size: 3, localRank: 0, localSize: 1, host: `s-1-${index}` },
      });
    }
    expect(readFileSync(join(root, "runs/s/s-b/output.log"), "utf8")).toContain('"rank":0');
    expect(readFileSync(join(root, "runs/s/s-b/output.log.2"), "utf8")).toContain('"rank":2');
  });

  it("passes a SIGTERM on, and ends as the trainer does", async () => {
    const code = "process.on('SIGTERM', () => process.exit(143)); setInterval(() => {}, 1000); console.log('ready')";
    const root = written([pointTask("s-a", { command: [process.execPath, "-e", code, "--"] })]);
    const { program, exitCode, printed } = run(root, 0);
    while (!printed().includes("ready")) await new Promise((done) => setTimeout(done, 20));
    program.kill("SIGTERM");
    expect(await exitCode).toBe(143);
  });

  it("ends with 127 where the program is not in the image", async () => {
    const root = written([pointTask("s-a", { command: ["no-such-program"] })]);
    expect(await run(root, 0).exitCode).toBe(127);
  });
});
