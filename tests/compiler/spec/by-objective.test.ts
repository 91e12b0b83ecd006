/** Fields by objective, on a schema of two of them. */
import { describe, expect, test } from "vitest";
import { branchOf, objectiveIn, objectivesOf, strangersIn } from "../../../compiler/spec/by-objective";
import type { SchemaNode } from "../../../compiler/spec/schema";
import { specTypes } from "../../../scripts/schema-types";

const share = { type: "number", description: "A share.", minimum: 0, maximum: 1, default: 0.5 } as const;
const root: SchemaNode = {
  title: "Experiment",
  type: "object",
  additionalProperties: false,
  properties: {
    objective: { type: "string", description: "What is trained.", enum: ["rest", "gaps"], default: "gaps" },
    masks: {
      title: "Masks",
      description: "Patches that are not seen.",
      type: "object",
      additionalProperties: false,
      default: {},
      "x-objectives": ["gaps"],
      properties: { ratio: share },
    },
    optimization: {
      title: "Optimization",
      description: "How long.",
      type: "object",
      additionalProperties: false,
      default: {},
      "x-objectives": ["gaps", "rest"],
      properties: { epochs: { ...share, "x-defaults": { rest: 0.25 } } },
    },
    rate: { ...share, "x-objectives": ["rest"] },
  },
};

test("the default comes first", () => expect(objectivesOf(root)).toEqual(["gaps", "rest"]));

test.each([
  [{}, "gaps"],
  [{ objective: "rest" }, "rest"],
  // Said to be none of the choices elsewhere; here the others are read as those of the default.
  [{ objective: "what" }, "gaps"],
  [{ objective: 3 }, "gaps"],
])("%j is of %s", (document, objective) => expect(objectiveIn(document, root)).toBe(objective));

describe("a branch", () => {
  test("has the fields of its objective, and those of all", () => {
    expect(Object.keys(branchOf(root, "gaps").properties ?? {})).toEqual(["objective", "masks", "optimization"]);
    expect(Object.keys(branchOf(root, "rest").properties ?? {})).toEqual(["objective", "optimization", "rate"]);
  });

  test.each([
    ["gaps", 0.5],
    ["rest", 0.25],
  ])("has the defaults of %s", (objective, epochs) => {
    const { optimization } = branchOf(root, objective).properties ?? {};
    expect(optimization?.properties?.epochs?.default).toBe(epochs);
  });

  test("is of one objective", () => {
    expect(branchOf(root, "rest").properties?.objective).toMatchObject({ enum: ["rest"], default: "rest" });
  });
});

test.each([
  ["gaps", { masks: { ratio: 0.7 }, optimization: { epochs: 1 } }, []],
  ["rest", { masks: { ratio: 0.7 }, rate: 0.1 }, [{ path: ["masks"], objectives: ["gaps"] }]],
  ["gaps", { optimization: {}, rate: 0.1, unknown: {} }, [{ path: ["rate"], objectives: ["rest"] }]],
] as const)("with %s, of %j the strangers are %j", (objective, document, strangers) => {
  expect(strangersIn(document, objective, root)).toEqual(strangers);
});

test("each objective has its type, and what they share has one", async () => {
  const text = await specTypes("Spec", root);
  expect(text).toContain("export type Spec = GapsSpec | RestSpec;");
  expect(text.match(/export interface \w+/g)?.sort()).toEqual([
    "export interface GapsSpec",
    "export interface MasksSpec",
    "export interface OptimizationSpec",
    "export interface RestSpec",
  ]);
  expect(text).toContain('readonly objective: "rest"');
});

test("a group that differs has the name of its objective, and so has what holds it", async () => {
  const other: SchemaNode = { ...share, "x-objectives": ["rest"] };
  const { properties = {} } = root;
  const optimization = { ...properties.optimization, properties: { ...properties.optimization?.properties, other } };
  const text = await specTypes("Spec", { ...root, properties: { ...properties, optimization } });
  expect(text.match(/export interface \w+/g)?.sort()).toEqual([
    "export interface GapsSpec",
    "export interface MasksSpec",
    "export interface OptimizationSpec",
    "export interface RestOptimizationSpec",
    "export interface RestSpec",
  ]);
  expect(text).toContain("readonly optimization: RestOptimizationSpec");
});
